import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Trial } from "../../api/types";

export const sendTrial = (body: Trial) => unwrap(api.POST("/api/v1/messages/test", { body }));

/** Nothing more is heard of a message in one of these. */
const last = new Set(["read", "failed", "expired", "suppressed", "canceled"]);

/** One message of the ledger, asked for again until its last tick. */
export const messageQuery = (id: string) =>
  queryOptions({
    queryKey: ["messages", "one", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/messages/{id}", { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data !== undefined && last.has(state.data.state) ? false : 1_000),
  });
