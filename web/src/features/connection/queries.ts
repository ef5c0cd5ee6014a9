import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";

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

export interface ConnectionInput {
  name: string;
  app_id: string;
  app_secret: string;
  account_id: string;
  number_id: string;
  token: string;
  verify_token?: string;
}

export const createConnection = (body: ConnectionInput) => unwrap(api.POST("/api/v1/connections", { body }));

export const changeConnection = (id: string, body: Partial<ConnectionInput>) =>
  unwrap(api.PATCH("/api/v1/connections/{id}", { params: { path: { id } }, body }));

export const checkConnection = (id: string) => unwrap(api.POST("/api/v1/connections/{id}/check", { params: { path: { id } } }));
