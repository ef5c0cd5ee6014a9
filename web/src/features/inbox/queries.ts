import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Conversation, ThreadMessage } from "../../api/types";
import type { Written } from "./media";

export type ConversationState = Conversation["state"];

const pageSize = 50;
const threadPage = 100;
const ticksFor = 120_000; // ms after a message during which its ticks are looked for
const tickEvery = 2_000; // ms

const next = (page: { next_cursor: string }) => (page.next_cursor === "" ? undefined : page.next_cursor);

export const conversationsQuery = (state: ConversationState) =>
  infiniteQueryOptions({
    queryKey: ["conversations", "list", state],
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/conversations", { params: { query: { state, limit: pageSize, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: next,
  });

export const unreadQuery = queryOptions({
  queryKey: ["conversations", "unread"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/conversations", { params: { query: { limit: 1 } }, signal })),
  select: (page) => page.unread,
});

export const conversationQuery = (id: string) =>
  queryOptions({
    queryKey: ["conversations", "one", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/conversations/{id}", { params: { path: { id } }, signal })),
  });

/** The newest messages first. */
export const threadQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["conversations", "thread", id],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/conversations/{id}/messages", { params: { path: { id }, query: { limit: threadPage, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: next,
  });

/** How soon, in ms, a thread is fetched again for the ticks of what was just sent; false: none is awaited. */
export function tickPause(messages: readonly ThreadMessage[], now: Date): number | false {
  const awaited = messages.some((m) => !m.inbound && ["queued", "sending", "sent"].includes(m.state) && now.getTime() - Date.parse(m.at) < ticksFor);
  return awaited ? tickEvery : false;
}

export const answer = (id: string, body: Written & { key: string }) =>
  unwrap(api.POST("/api/v1/conversations/{id}/messages", { params: { path: { id } }, body }));

export const markRead = (id: string) => unwrap(api.POST("/api/v1/conversations/{id}/read", { params: { path: { id } } }));

export const setState = (id: string, state: "open" | "closed") =>
  unwrap(api.PUT("/api/v1/conversations/{id}/state", { params: { path: { id } }, body: { state } }));
