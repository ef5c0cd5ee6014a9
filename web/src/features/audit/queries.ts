import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";

export interface AuditChoice {
  /** what was done, as the API names it */
  action?: string;
  /** what one person did */
  by?: string;
}

const toQuery = (choice: AuditChoice) => ({
  ...(choice.action === undefined ? {} : { action: choice.action }),
  ...(choice.by === undefined ? {} : { user_id: choice.by }),
});

export const auditQuery = (choice: AuditChoice) =>
  infiniteQueryOptions({
    queryKey: ["audit", choice],
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/audit", { params: { query: { ...toQuery(choice), limit: 100, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: { next_cursor: string }) => (page.next_cursor === "" ? undefined : page.next_cursor),
  });

/** Where the same lines come as a file. */
export const auditFile = (choice: AuditChoice, format: "csv" | "xlsx") =>
  `/api/v1/audit/export?${new URLSearchParams({ format, ...toQuery(choice) }).toString()}`;
