import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { NoticeSwitch } from "../../api/types";

export const unreadQuery = queryOptions({
  queryKey: ["notices", "unread"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/notices/unread", { signal })),
});

/** The newest, as many as the bell shows. */
export const latestQuery = queryOptions({
  queryKey: ["notices", "latest"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/notices", { params: { query: { limit: 8 } }, signal })),
});

export const noticesQuery = infiniteQueryOptions({
  queryKey: ["notices", "list"],
  queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/notices", { params: { query: { limit: 50, cursor: pageParam } }, signal })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page: { next_cursor: string }) => (page.next_cursor === "" ? undefined : page.next_cursor),
});

export const switchesQuery = queryOptions({
  queryKey: ["notices", "switches"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/notices/switches", { signal })),
});

export const readNotice = (id: string) => unwrap(api.POST("/api/v1/notices/{id}/read", { params: { path: { id } } }));

export const readNotices = (through: string) => unwrap(api.POST("/api/v1/notices/read", { body: { through } }));

export const putSwitch = (one: NoticeSwitch) => unwrap(api.PUT("/api/v1/notices/switches", { body: { items: [one] } }));
