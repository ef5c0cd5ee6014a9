import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Label, Schemas, ThreadMessage } from "../../api/types";
import type { Written } from "./media";
import { type Chosen, toQuery } from "./view";

const pageSize = 50;
const threadPage = 100;
const ticksFor = 120_000; // ms after a message during which its ticks are looked for
const tickEvery = 2_000; // ms

const next = (page: { next_cursor: string }) => (page.next_cursor === "" ? undefined : page.next_cursor);

export const conversationsQuery = (chosen: Chosen) =>
  infiniteQueryOptions({
    queryKey: ["conversations", "list", chosen.view, chosen.label, chosen.department],
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/conversations", { params: { query: { ...toQuery(chosen), limit: pageSize, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: next,
  });

/** Those of one contact, whatever became of them. */
export const conversationsOfQuery = (contact: string) =>
  queryOptions({
    queryKey: ["conversations", "list", "contact", contact],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/conversations", { params: { query: { state: "all", contact_id: contact, limit: 50 } }, signal })),
  });

/** People, departments and labels. */
export const choicesQuery = queryOptions({
  queryKey: ["conversations", "choices"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/inbox/choices", { signal })),
  staleTime: 60_000,
});

export const unreadQuery = queryOptions({
  queryKey: ["conversations", "unread"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/conversations", { params: { query: { limit: 1 } }, signal })),
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

/** What an agent changes; the version is the one that was seen. */
export type Change =
  | { what: "assignee"; person_id: string | null }
  | { what: "department"; department_id: string | null }
  | { what: "priority"; priority: Schemas["Conversation"]["priority"] }
  | { what: "labels"; label_ids: string[] }
  | { what: "snooze"; until?: string };

export function change(id: string, version: number, wanted: Change) {
  const params = { path: { id } };
  switch (wanted.what) {
    case "assignee": return unwrap(api.PUT("/api/v1/conversations/{id}/assignee", { params, body: { person_id: wanted.person_id, version } }));
    case "department": return unwrap(api.PUT("/api/v1/conversations/{id}/department", { params, body: { department_id: wanted.department_id, version } }));
    case "priority": return unwrap(api.PUT("/api/v1/conversations/{id}/priority", { params, body: { priority: wanted.priority, version } }));
    case "labels": return unwrap(api.PUT("/api/v1/conversations/{id}/labels", { params, body: { label_ids: wanted.label_ids, version } }));
    case "snooze": return unwrap(api.PUT("/api/v1/conversations/{id}/snooze", { params, body: { until: wanted.until, version } }));
  }
}

export const addNote = (id: string, text: string) => unwrap(api.POST("/api/v1/conversations/{id}/notes", { params: { path: { id } }, body: { text } }));

export const startConversation = (body: Schemas["StartInBody"]) => unwrap(api.POST("/api/v1/conversations", { body }));

export const createLabel = (body: Schemas["LabelInput"]) => unwrap(api.POST("/api/v1/labels", { body }));
export const updateLabel = ({ id, name, colour }: Label) => unwrap(api.PUT("/api/v1/labels/{id}", { params: { path: { id } }, body: { name, colour } }));
export const deleteLabel = (id: string) => unwrap(api.DELETE("/api/v1/labels/{id}", { params: { path: { id } } }));
