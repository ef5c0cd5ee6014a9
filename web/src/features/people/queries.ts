import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { Person } from "../../api/types";

/** Everybody in the company: its pages, one after the other. */
export const peopleQuery = queryOptions({
  queryKey: ["people", "list"],
  queryFn: async ({ signal }) => {
    const people: Person[] = [];
    for (let cursor: string | undefined; cursor !== ""; ) {
      const page = await unwrap(api.GET("/api/v1/people", { params: { query: { limit: 200, cursor } }, signal }));
      people.push(...page.items);
      cursor = page.next_cursor;
    }
    return people;
  },
});

export const invitationsQuery = queryOptions({
  queryKey: ["people", "invitations"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/invitations", { signal })),
});

export const departmentsQuery = queryOptions({
  queryKey: ["people", "departments"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/departments", { signal })),
});

export const permissionsQuery = queryOptions({
  queryKey: ["permissions"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/permissions", { signal })),
  staleTime: Infinity,
});

export const createDepartment = (name: string) => unwrap(api.POST("/api/v1/departments", { body: { name } }));

export const renameDepartment = ({ id, name }: { id: string; name: string }) => unwrap(api.PATCH("/api/v1/departments/{id}", { params: { path: { id } }, body: { name } }));

export const setMembers = ({ id, people }: { id: string; people: string[] }) => unwrap(api.PUT("/api/v1/departments/{id}/members", { params: { path: { id } }, body: { person_ids: people } }));

export const deleteDepartment = (id: string) => unwrap(api.DELETE("/api/v1/departments/{id}", { params: { path: { id } } }));

export const changePerson = ({ id, ...body }: { id: string; role?: "admin" | "user"; disabled?: boolean }) => unwrap(api.PATCH("/api/v1/people/{id}", { params: { path: { id } }, body }));

export const removePerson = (id: string) => unwrap(api.DELETE("/api/v1/people/{id}", { params: { path: { id } } }));

export const invite = (body: { email: string; role: "admin" | "user" }) => unwrap(api.POST("/api/v1/invitations", { body }));

export const inviteAgain = (id: string) => unwrap(api.POST("/api/v1/invitations/{id}/mail", { params: { path: { id } } }));

export const revokeInvitation = (id: string) => unwrap(api.DELETE("/api/v1/invitations/{id}", { params: { path: { id } } }));
