import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { RawEvent } from "../../api/types";

const pageSize = 100;

export type EventState = RawEvent["state"];
export const eventStates: EventState[] = ["parked", "replayed", "discarded", "taken"];

export const eventsQuery = (state: EventState) =>
  infiniteQueryOptions({
    queryKey: ["events", state],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/events", { params: { query: { state, limit: pageSize, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: { next_cursor: string }) => (page.next_cursor === "" ? undefined : page.next_cursor),
  });

export const replay = (ids: string[]) => unwrap(api.POST("/api/v1/events/replay", { body: { ids } }));
export const discard = (ids: string[]) => unwrap(api.POST("/api/v1/events/discard", { body: { ids } }));
