import { infiniteQueryOptions, keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
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

const countQuery = (choice: ReturnType<typeof toQuery>, exact: boolean) =>
  queryOptions({
    queryKey: ["contacts", "count", choice, exact],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/contacts/count", { params: { query: exact ? { ...choice, exact } : choice }, signal })),
    retry: false,
    staleTime: 10_000,
  });

/** At once, of the newest of a choice; everybody when it is empty. */
export const contactCountQuery = (choice: ReturnType<typeof toQuery>) => countQuery(choice, false);

/** How many contacts a choice has: at once of the newest, and soon of all of them. An unfit filter is an error. */
export function useContactCount(choice: ReturnType<typeof toQuery>, enabled = true) {
  const quick = useQuery({ ...contactCountQuery(choice), enabled, placeholderData: keepPreviousData });
  const partial = enabled && !quick.isPlaceholderData && quick.data?.at_least === true;
  const exact = useQuery({ ...countQuery(choice, true), enabled: partial });
  return { data: partial ? (exact.data ?? quick.data) : quick.data, error: quick.error, isSuccess: quick.isSuccess };
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
