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

/** What a login page can offer beside the login. */
export const loginOptionsQuery = queryOptions({
  queryKey: ["login-options"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/auth/options", { signal })),
  staleTime: Infinity,
});

export const signUp = (body: { company: string; zone: string; name: string; email: string; password: string }) => unwrap(api.POST("/api/v1/auth/signup", { body }));

export const askVerify = () => unwrap(api.POST("/api/v1/auth/verify/mail"));

export const verifyEmail = (token: string) => unwrap(api.POST("/api/v1/auth/verify", { body: { token } }));

export const askReset = (email: string) => unwrap(api.POST("/api/v1/auth/reset/mail", { body: { email } }));

export const resetPassword = (token: string, password: string) => unwrap(api.POST("/api/v1/auth/reset", { body: { token, new_password: password } }));

export const askEmail = (email: string, password: string) => unwrap(api.POST("/api/v1/auth/email/mail", { body: { email, current_password: password } }));

export const changeEmail = (token: string) => unwrap(api.POST("/api/v1/auth/email", { body: { token } }));

export const invitationQuery = (token: string) => queryOptions({
  queryKey: ["invitation", token],
  queryFn: () => unwrap(api.POST("/api/v1/auth/invitation/show", { body: { token } })),
  staleTime: Infinity,
});

export const acceptInvitation = (body: { token: string; name: string; password: string }) => unwrap(api.POST("/api/v1/auth/invitation", { body }));
