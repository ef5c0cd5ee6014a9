import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Settling } from "../../api/types";

const pageSize = 100;

export const uncertainQuery = (campaign: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["campaigns", "uncertain", "list", campaign ?? "all"],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/uncertain", { params: { query: { campaign_id: campaign, limit: pageSize, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: { next_cursor: string }) => (page.next_cursor === "" ? undefined : page.next_cursor),
  });

export const uncertainCountQuery = (campaign: string | undefined) =>
  queryOptions({
    queryKey: ["campaigns", "uncertain", "count", campaign ?? "all"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/uncertain/count", { params: { query: { campaign_id: campaign } }, signal })),
  });

export const settle = (body: Settling) => unwrap(api.POST("/api/v1/uncertain/settle", { body }));
