import { infiniteQueryOptions, keepPreviousData, queryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, unwrap } from "../../api/client";
import type { ContactList } from "../../api/types";
import { type Choice, toQuery } from "./choice";

const pageSize = 100;
const sampleSize = 6;

/** A page looks at some thousand contacts, and few of them may match: goes on until it has enough, or all were looked at. */
async function filled(enough: number, cursor: string | undefined, fetchPage: (cursor: string | undefined) => Promise<ContactList>): Promise<ContactList> {
  let page = await fetchPage(cursor);
  while (page.items.length < enough && page.next_cursor !== "") {
    const next = await fetchPage(page.next_cursor);
    page = { ...next, items: [...page.items, ...next.items] };
  }
  return page;
}

export const contactsQuery = (choice: Choice) =>
  infiniteQueryOptions({
    queryKey: ["contacts", "list", toQuery(choice)],
    queryFn: ({ pageParam, signal }) => filled(1, pageParam, (cursor) =>
      unwrap(api.GET("/api/v1/contacts", { params: { query: { ...toQuery(choice), limit: pageSize, cursor } }, signal }))),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.next_cursor === "" ? undefined : page.next_cursor),
    placeholderData: keepPreviousData,
  });

/** How many contacts a choice has, in parts; everybody when it is empty. */
export const contactCountQuery = (choice: ReturnType<typeof toQuery>) =>
  infiniteQueryOptions({
    queryKey: ["contacts", "count", choice],
    queryFn: ({ pageParam, signal }) => unwrap(api.GET("/api/v1/contacts/count", { params: { query: { ...choice, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (part) => (part.next_cursor === "" ? undefined : part.next_cursor),
    retry: false,
    staleTime: 10_000,
  });

const mostParts = 250;

/** How many contacts a choice has: at once of the newest, and growing until all were looked at. An unfit filter is an error. */
export function useContactCount(choice: ReturnType<typeof toQuery>, enabled = true) {
  const parts = useInfiniteQuery({ ...contactCountQuery(choice), enabled, placeholderData: keepPreviousData });
  const { fetchNextPage } = parts;
  const pages = parts.data?.pages;
  const more = enabled && parts.hasNextPage && !parts.isFetching && !parts.isPlaceholderData && !parts.isError && (pages?.length ?? 0) < mostParts;
  useEffect(() => {
    if (more) void fetchNextPage();
  }, [more, fetchNextPage]);
  const data = pages === undefined ? undefined : { count: pages.reduce((sum, part) => sum + part.count, 0), atLeast: parts.hasNextPage };
  return { data, error: parts.error, isSuccess: parts.isSuccess };
}

export const contactQuery = (id: string) =>
  queryOptions({
    queryKey: ["contacts", "one", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/contacts/{id}", { params: { path: { id } }, signal })),
  });

export const timelineQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["contacts", "timeline", id],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/contacts/{id}/timeline", { params: { path: { id }, query: { limit: 30, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.next_cursor === "" ? undefined : page.next_cursor),
  });

/** The newest contacts: enough to know which attributes a company uses. */
export const contactSampleQuery = queryOptions({
  queryKey: ["contacts", "sample"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/contacts", { params: { query: { limit: 50 } }, signal })),
});

export const attributesQuery = queryOptions({
  queryKey: ["contacts", "attributes"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/contacts/attributes", { signal })),
});

export const tagsQuery = queryOptions({
  queryKey: ["tags"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/tags", { signal })),
});

export const segmentsQuery = queryOptions({
  queryKey: ["contacts", "segments"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/segments", { signal })),
});

export const filterSampleQuery = (filter: string) =>
  queryOptions({
    queryKey: ["contacts", "list", { filter, sample: true }],
    queryFn: async ({ signal }) => {
      const { items } = await filled(sampleSize, undefined, (cursor) => unwrap(api.GET("/api/v1/contacts", { params: { query: { filter, limit: sampleSize, cursor } }, signal })));
      return items.slice(0, sampleSize);
    },
    retry: false,
    placeholderData: keepPreviousData,
  });

export interface ContactInput {
  name: string;
  phone: string;
  zone?: string;
  tags?: string[];
  attributes?: Record<string, string>;
}

export interface ContactChange {
  name?: string;
  /** null: the number's region decides */
  zone?: string | null;
  tags?: string[];
  attributes?: Record<string, string>;
  opted_out?: boolean;
  /** the version that was seen; another one in the meantime is a conflict */
  version?: string;
}

export const createContact = (body: ContactInput) => unwrap(api.POST("/api/v1/contacts", { body }));

export const changeContact = (id: string, body: ContactChange) =>
  unwrap(api.PATCH("/api/v1/contacts/{id}", { params: { path: { id } }, body }));

/** Some contacts, or everybody whom a choice holds for. */
export type Selection = { ids: string[] } | Choice;

export const tagContacts = (selection: Selection, tags: { add: string[] } | { remove: string[] }) =>
  unwrap(api.POST("/api/v1/contacts/tags", { body: { ...("ids" in selection ? selection : toQuery(selection)), ...tags } }));

export const createSegment = (body: { name: string; filter: string }) => unwrap(api.POST("/api/v1/segments", { body }));

export const changeSegment = (id: string, body: { version: number; name: string; filter: string }) =>
  unwrap(api.PATCH("/api/v1/segments/{id}", { params: { path: { id } }, body }));

export const deleteSegment = (id: string) => unwrap(api.DELETE("/api/v1/segments/{id}", { params: { path: { id } } }));
