import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { SyncedTemplate, TemplateSync } from "../../api/types";

export interface Templates {
  items: SyncedTemplate[];
  syncs: TemplateSync[];
}

/** All templates of the company. The key begins with connections: whatever changes one may change its templates. */
export const templatesQuery = queryOptions({
  queryKey: ["connections", "templates"],
  queryFn: async ({ signal }): Promise<Templates> => {
    const all: Templates = { items: [], syncs: [] };
    let cursor: string | undefined;
    do {
      const page = await unwrap(api.GET("/api/v1/templates", { params: { query: { cursor, limit: 500 } }, signal }));
      all.items.push(...page.items);
      all.syncs = page.syncs;
      cursor = page.next_cursor === "" ? undefined : page.next_cursor;
    } while (cursor !== undefined);
    return all;
  },
});

export const syncTemplates = (connection: string) =>
  unwrap(api.POST("/api/v1/connections/{id}/templates/sync", { params: { path: { id: connection } } }));
