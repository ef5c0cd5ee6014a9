import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Import, ImportMapping } from "../../api/types";

const pageSize = 50;

export const importsQuery = infiniteQueryOptions({
  queryKey: ["imports", "list"],
  queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/imports", { params: { query: { limit: pageSize, cursor: pageParam } }, signal })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => (page.next_cursor === "" ? undefined : page.next_cursor),
});

export const importQuery = (id: string) =>
  queryOptions({
    queryKey: ["imports", "one", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/imports/{id}", { params: { path: { id } }, signal })),
  });

export const undoForecastQuery = (id: string) =>
  queryOptions({
    queryKey: ["imports", "undo", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/imports/{id}/undo", { params: { path: { id } }, signal })),
    staleTime: 0,
    gcTime: 0,
  });

const on = (id: string) => ({ params: { path: { id } } });

export const mapImport = (id: string, body: ImportMapping) => unwrap(api.PUT("/api/v1/imports/{id}/mapping", { ...on(id), body }));
export const startImport = (id: string, version: number) => unwrap(api.POST("/api/v1/imports/{id}/start", { ...on(id), body: { version } }));
export const stopImport = (id: string) => unwrap(api.POST("/api/v1/imports/{id}/stop", on(id)));
export const undoImport = (id: string) => unwrap(api.POST("/api/v1/imports/{id}/undo", on(id)));
export const discardImport = (id: string) => unwrap(api.DELETE("/api/v1/imports/{id}", on(id)));

/** An import that changes by itself: the page asks again now and then. */
export const isMoving = (state: Import["state"]) => state === "uploaded" || state === "running" || state === "undoing";

/** What the server takes for the columns and options of an import. */
export function mappingOf(of: Pick<Import, "columns" | "options" | "version">): ImportMapping {
  return {
    version: of.version,
    options: of.options,
    mapping: of.columns.map(({ field, attribute }) => (field === "attribute" ? { field, attribute: attribute ?? "" } : { field })),
  };
}
