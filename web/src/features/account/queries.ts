import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import { ApiError } from "../../api/problem";
import type { Me } from "../../api/types";

/** Who is signed in; null when nobody is. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async (): Promise<Me | null> => {
    try {
      return await unwrap(api.GET("/api/v1/auth/me"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export const companiesQuery = queryOptions({
  queryKey: ["companies"],
  queryFn: () => unwrap(api.GET("/api/v1/companies")),
});

export const logIn = (email: string, password: string) =>
  unwrap(api.POST("/api/v1/auth/login", { body: { email, password } }));

export const logOut = () => unwrap(api.POST("/api/v1/auth/logout"));

export const changePassword = (current: string, next: string) =>
  unwrap(api.POST("/api/v1/auth/password", { body: { current_password: current, new_password: next } }));

/** Enters a company as superadmin; null leaves it. */
export const enterCompany = (id: string | null) => unwrap(api.POST("/api/v1/auth/company", { body: { company_id: id } }));

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/auth/sessions", { signal })),
  staleTime: 0,
});

export const endSession = (id: string) => unwrap(api.DELETE("/api/v1/auth/sessions/{id}", { params: { path: { id } } }));

export const endOtherSessions = () => unwrap(api.DELETE("/api/v1/auth/sessions"));
