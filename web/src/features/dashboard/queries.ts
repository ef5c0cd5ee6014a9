import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { CampaignState } from "../../api/types";
import type { Span } from "./span";

export const trafficQuery = (span: Span) =>
  queryOptions({
    queryKey: ["dashboard", "traffic", span],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/dashboard/traffic", { params: { query: { ...span } }, signal })),
    placeholderData: keepPreviousData,
  });

export const campaignSharesQuery = (span: Span) =>
  queryOptions({
    queryKey: ["dashboard", "campaigns", span],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/dashboard/campaigns", { params: { query: { ...span } }, signal })),
    placeholderData: keepPreviousData,
  });

export const connectionSharesQuery = (span: Span) =>
  queryOptions({
    queryKey: ["dashboard", "connections", span],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/dashboard/connections", { params: { query: { ...span } }, signal })),
    placeholderData: keepPreviousData,
  });

export const concernsQuery = queryOptions({
  queryKey: ["dashboard", "concerns"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/dashboard/concerns", { signal })),
});

/** The newest few campaigns in a state. Under the key of campaign lists, so that the websocket refreshes it, too. */
export const fewCampaignsQuery = (state: CampaignState) =>
  queryOptions({
    queryKey: ["campaigns", "list", "few", state],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/campaigns", { params: { query: { state, limit: 5 } }, signal })),
  });
