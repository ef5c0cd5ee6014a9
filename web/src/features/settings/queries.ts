import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Settings, SetupStep } from "../../api/types";

export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/company", { signal })),
});

export const putSettings = (body: Settings) => unwrap(api.PUT("/api/v1/company", { body }));

/** How far the company's first steps have come. */
export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/company/setup", { signal })),
  staleTime: 0,
});

export const putSetup = (body: { skipped: SetupStep[]; dismissed: boolean }) => unwrap(api.PUT("/api/v1/company/setup", { body }));

export const createCompany = (body: { name: string; zone: string; email: string }) => unwrap(api.POST("/api/v1/companies", { body }));
