import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";

export const platformQuery = queryOptions({
  queryKey: ["platform", "state"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/platform", { signal })),
});

const atOnce = 50;

export const figuresQuery = infiniteQueryOptions({
  queryKey: ["platform", "companies"],
  queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/platform/companies", { params: { query: { offset: pageParam } }, signal })),
  initialPageParam: 0,
  getNextPageParam: (page, _all, offset) => (page.items.length < atOnce ? undefined : offset + atOnce),
});

export const superadminsQuery = queryOptions({
  queryKey: ["platform", "superadmins"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/platform/superadmins", { signal })),
});

export const drain = () => unwrap(api.POST("/api/v1/platform/drain"));

export const resume = () => unwrap(api.POST("/api/v1/platform/resume"));

export const addSuperadmin = (body: { name: string; email: string }) => unwrap(api.POST("/api/v1/platform/superadmins", { body }));

export const removeSuperadmin = (id: string) => unwrap(api.DELETE("/api/v1/platform/superadmins/{id}", { params: { path: { id } } }));
