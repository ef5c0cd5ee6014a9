import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Limits } from "../../api/types";

export const connectionsQuery = queryOptions({
  queryKey: ["connections", "list"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/connections", { signal })),
});

export const connectionQuery = (id: string) =>
  queryOptions({
    queryKey: ["connections", "one", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/connections/{id}", { params: { path: { id } }, signal })),
  });

export const connectionLiveQuery = (id: string) =>
  queryOptions({
    queryKey: ["connections", "live", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/connections/{id}/live", { params: { path: { id } }, signal })),
    retry: false,
  });

export const connectionLimitsQuery = (id: string) =>
  queryOptions({
    queryKey: ["connections", "limits", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/connections/{id}/limits", { params: { path: { id } }, signal })),
  });

/** The work that is open on a connection and keeps it from being deleted. */
export const connectionUsageQuery = (id: string) =>
  queryOptions({
    queryKey: ["connections", "usage", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/connections/{id}/usage", { params: { path: { id } }, signal })),
    staleTime: 0,
  });

export interface ConnectionInput {
  name: string;
  app_id: string;
  app_secret: string;
  account_id: string;
  number_id: string;
  token: string;
  verify_token?: string;
}

export interface ProbeInput {
  connection_id?: string;
  app_id?: string;
  app_secret?: string;
  account_id?: string;
  number_id?: string;
  token?: string;
}

/** What the provider says about data as it is typed. Nothing of it outlives the form: it holds secrets. */
export const probeQuery = (body: ProbeInput) =>
  queryOptions({
    queryKey: ["probe", body],
    queryFn: ({ signal }) => unwrap(api.POST("/api/v1/connections/probe", { body, signal })),
    enabled: Object.entries(body).some(([field, value]) => field !== "connection_id" && value !== undefined),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    gcTime: 0,
    retry: false,
  });

const at = (id: string) => ({ params: { path: { id } } });

export const createConnection = (body: ConnectionInput) => unwrap(api.POST("/api/v1/connections", { body }));

/** What was sent on it, the newest first. A page looks at some thousand messages, and few of them may be its own. */
export const connectionMessagesQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["connections", "messages", id],
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/connections/{id}/messages", { params: { path: { id }, query: { limit: 100, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.next_cursor === "" ? undefined : page.next_cursor),
  });

export const simulateConnection = (body: { name: string; department_id?: string }) => unwrap(api.POST("/api/v1/connections/simulated", { body }));

export const changeConnection = (id: string, body: Partial<ConnectionInput> & { department_id?: string | null; past_secret_hours?: number }) => unwrap(api.PATCH("/api/v1/connections/{id}", { ...at(id), body }));

export const putLimits = (id: string, body: Limits) => unwrap(api.PUT("/api/v1/connections/{id}/limits", { ...at(id), body }));

export const checkConnection = (id: string) => unwrap(api.POST("/api/v1/connections/{id}/check", at(id)));

export const pointWebhook = (id: string) => unwrap(api.POST("/api/v1/connections/{id}/webhook", at(id)));

export const disableConnection = (id: string) => unwrap(api.POST("/api/v1/connections/{id}/disable", at(id)));

export const enableConnection = (id: string) => unwrap(api.POST("/api/v1/connections/{id}/enable", at(id)));

/** Ends what holds it; if that is not mended, the next message is told so again. */
export const resumeConnection = (id: string) => unwrap(api.POST("/api/v1/connections/{id}/resume", at(id)));

export const deleteConnection = (id: string) => unwrap(api.DELETE("/api/v1/connections/{id}", at(id)));
