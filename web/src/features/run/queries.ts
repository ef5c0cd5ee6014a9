import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";

/** Whose workflow it is. */
export type Owner = "campaigns" | "connections";

export const runQuery = (owner: Owner, id: string, run: string | undefined) =>
  infiniteQueryOptions({
    queryKey: [owner, "run", id, run ?? "latest"],
    queryFn: ({ pageParam, signal }) => {
      const params = { path: { id }, query: { run, before: pageParam } };
      return unwrap(owner === "campaigns" ? api.GET("/api/v1/campaigns/{id}/run", { params, signal }) : api.GET("/api/v1/connections/{id}/run", { params, signal }));
    },
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.run == null || page.run.before === 0 ? undefined : page.run.before),
    retry: false,
  });

/** Asked once when the page opens: Temporal's search allows few questions a second. */
export const runsQuery = (owner: Owner, id: string) =>
  queryOptions({
    queryKey: [owner, "runs", id],
    queryFn: ({ signal }) => {
      const params = { path: { id } };
      return unwrap(owner === "campaigns" ? api.GET("/api/v1/campaigns/{id}/runs", { params, signal }) : api.GET("/api/v1/connections/{id}/runs", { params, signal }));
    },
    staleTime: 60_000,
    retry: false,
  });
