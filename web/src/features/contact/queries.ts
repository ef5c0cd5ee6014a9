import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";

const pageSize = 100;

export const contactsQuery = (tagId: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["contacts", "list", tagId ?? "all"],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/contacts", { params: { query: { tag_id: tagId, limit: pageSize, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.next_cursor === "" ? undefined : page.next_cursor),
    placeholderData: keepPreviousData,
  });

export const contactCountQuery = queryOptions({
  queryKey: ["contacts", "count"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/contacts/count", { signal })),
});

/** The newest contacts: enough to know which attributes a company uses. */
export const contactSampleQuery = queryOptions({
  queryKey: ["contacts", "sample"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/contacts", { params: { query: { limit: 50 } }, signal })),
});

export const tagsQuery = queryOptions({
  queryKey: ["tags"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/tags", { signal })),
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
}

export const createContact = (body: ContactInput) => unwrap(api.POST("/api/v1/contacts", { body }));

export const changeContact = (id: string, body: ContactChange) =>
  unwrap(api.PATCH("/api/v1/contacts/{id}", { params: { path: { id } }, body }));
