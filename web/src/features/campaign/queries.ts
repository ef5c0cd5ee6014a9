import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Campaign, CampaignInput, CampaignState, DraftInput } from "../../api/types";
import type { MessageFilter } from "./filter";

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

/** What a start of a draft would do, saved or not. draft is its JSON. */
export const draftCheckQuery = (draft: string) =>
  queryOptions({
    queryKey: ["campaigns", "draft", "check", draft],
    queryFn: ({ signal }) => unwrap(api.POST("/api/v1/campaigns/check", { body: JSON.parse(draft) as DraftInput, signal })),
    placeholderData: keepPreviousData,
    staleTime: 20_000,
    gcTime: 60_000,
    retry: false,
  });

/** What the contacts of a draft's audience would get, one after another. */
export const draftSamplesQuery = (draft: string) =>
  infiniteQueryOptions({
    queryKey: ["campaigns", "draft", "samples", draft],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.POST("/api/v1/campaigns/samples", { params: { query: { limit: 20, cursor: pageParam } }, body: JSON.parse(draft) as DraftInput, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
    staleTime: 20_000,
    gcTime: 60_000,
    retry: false,
  });

export const messagesQuery = (id: string, filter: MessageFilter) =>
  infiniteQueryOptions({
    queryKey: ["campaigns", "messages", id, filter],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/campaigns/{id}/messages", {
        params: { path: { id }, query: { state: filter.states, code: filter.code, phone: filter.phone, replied: filter.replied, limit: pageSize, cursor: pageParam } },
        signal,
      })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: nextCursor,
  });

/** Asked anew when the count of failed messages has changed. */
export const failuresQuery = (id: string, failed: number) =>
  queryOptions({
    queryKey: ["campaigns", "failures", id, failed],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/campaigns/{id}/failures", { params: { path: { id } }, signal })),
    placeholderData: keepPreviousData,
  });

export const courseQuery = (id: string) =>
  queryOptions({
    queryKey: ["campaigns", "course", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/campaigns/{id}/course", { params: { path: { id } }, signal })),
  });

export const storyQuery = (message: string) =>
  queryOptions({
    queryKey: ["messages", "story", message],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/messages/{id}/story", { params: { path: { id: message } }, signal })),
    staleTime: 0,
  });

/** Where a browser fetches a campaign's messages as a file. */
export function exportUrl(id: string, format: "csv" | "xlsx", filter: MessageFilter): string {
  const query = new URLSearchParams({ format });
  for (const state of filter.states) query.append("state", state);
  if (filter.code !== undefined) query.set("code", String(filter.code));
  if (filter.phone !== undefined) query.set("phone", filter.phone);
  if (filter.replied === true) query.set("replied", "true");
  return `/api/v1/campaigns/${id}/export?${query.toString()}`;
}

export const createCampaign = (body: CampaignInput) => unwrap(api.POST("/api/v1/campaigns", { body }));

export const saveCampaign = (id: string, version: number, body: CampaignInput) =>
  unwrap(api.PATCH("/api/v1/campaigns/{id}", {
    params: { path: { id } },
    body: { ...body, starts_at: body.starts_at ?? null, expires_at: body.expires_at ?? null, version }, // null clears, absent would keep
  }));

export const duplicateCampaign = (id: string) => unwrap(api.POST("/api/v1/campaigns/{id}/duplicate", { params: { path: { id } } }));

/** A draft for those whose message failed with one of these codes; none means any. */
export const resendCampaign = (id: string, codes: number[]) => unwrap(api.POST("/api/v1/campaigns/{id}/resend", { params: { path: { id } }, body: { codes } }));

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
