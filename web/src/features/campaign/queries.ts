import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Campaign, CampaignInput, CampaignState, LedgerState } from "../../api/types";

const pageSize = 100;
const nextCursor = (page: { next_cursor: string }) => (page.next_cursor === "" ? undefined : page.next_cursor);

export const campaignsQuery = (state: CampaignState | undefined) =>
  infiniteQueryOptions({
    queryKey: ["campaigns", "list", state ?? "all"],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/campaigns", { params: { query: { state, limit: pageSize, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
  });

export const campaignQuery = (id: string) =>
  queryOptions({
    queryKey: ["campaigns", "one", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/campaigns/{id}", { params: { path: { id } }, signal })),
  });

export const campaignLiveQuery = (id: string) =>
  queryOptions({
    queryKey: ["campaigns", "live", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/campaigns/{id}/live", { params: { path: { id } }, signal })),
    retry: false,
  });

/** What a start would do. version is part of the key: each saved draft is checked anew. */
export const checkQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: ["campaigns", "check", id, version],
    queryFn: ({ signal }) => unwrap(api.POST("/api/v1/campaigns/{id}/check", { params: { path: { id } }, signal })),
    staleTime: 0,
    gcTime: 0,
  });

export const messagesQuery = (id: string, state: LedgerState | undefined) =>
  infiniteQueryOptions({
    queryKey: ["campaigns", "messages", id, state ?? "all"],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/campaigns/{id}/messages", {
        params: { path: { id }, query: { state: state === undefined ? undefined : [state], limit: pageSize, cursor: pageParam } },
        signal,
      })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: nextCursor,
  });

export const createCampaign = (body: CampaignInput) => unwrap(api.POST("/api/v1/campaigns", { body }));

export const saveCampaign = (id: string, version: number, body: CampaignInput) =>
  unwrap(api.PATCH("/api/v1/campaigns/{id}", {
    params: { path: { id } },
    body: { ...body, starts_at: body.starts_at ?? null, expires_at: body.expires_at ?? null, version }, // null clears, absent would keep
  }));

export const deleteCampaign = (id: string) => unwrap(api.DELETE("/api/v1/campaigns/{id}", { params: { path: { id } } }));

export type CampaignAction = "start" | "pause" | "resume" | "cancel";

export function actOnCampaign(id: string, action: CampaignAction): Promise<Campaign> {
  const params = { params: { path: { id } } };
  switch (action) {
    case "start":
      return unwrap(api.POST("/api/v1/campaigns/{id}/start", params));
    case "pause":
      return unwrap(api.POST("/api/v1/campaigns/{id}/pause", params));
    case "resume":
      return unwrap(api.POST("/api/v1/campaigns/{id}/resume", params));
    case "cancel":
      return unwrap(api.POST("/api/v1/campaigns/{id}/cancel", params));
  }
}
