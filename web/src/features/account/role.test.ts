import { expect, test } from "vitest";
import { isForUsers } from "./role";

test("a user's pages are the lists and single rows, and nothing beside", () => {
  const id = "0199b6a0-0000-7000-8000-000000000001";
  for (const path of ["/inbox", "/contacts", "/contacts/", "/templates", "/connections", "/notifications", "/settings/notifications", `/contacts/${id}`, `/connections/${id}`, `/connections/${id}/messages`]) expect(isForUsers(path), path).toBe(true);
  for (const path of ["/", "/campaigns", "/contacts/imports", "/contacts/segments", "/connections/new", `/connections/${id}/run`, "/settings/people", "/contactsx", "/audit"]) expect(isForUsers(path), path).toBe(false);
});
