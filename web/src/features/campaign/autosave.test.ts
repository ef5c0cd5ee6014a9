import { expect, test } from "vitest";
import { storable } from "./autosave";
import { emptyDraft, sameDraft } from "./draft";

const draft = { ...emptyDraft, name: "June", connection_id: "a" };

test("a draft is kept with what is missing left open, under a name of its own", () => {
  expect(storable({ ...draft, name: " " }, "Untitled")).toEqual({ draft: { ...draft, name: "Untitled" } });
  expect(storable({ ...draft, connection_id: null }, "Untitled")).toEqual({ missing: "connection_id" });
  expect(storable({ ...draft, audience: "tags" }, "Untitled")).toEqual({ missing: "audience" });
});

test("what the form hides makes no draft differ", () => {
  const hidden = { ...draft, text: "left over", tag_ids: ["t"], starts_at: "2026-11-26T09:00", name: "June " };
  expect(sameDraft(draft, hidden, "UTC")).toBe(true);
  expect(sameDraft(draft, { ...hidden, when: "at" }, "UTC")).toBe(false);
  expect(sameDraft(draft, { ...hidden, kind: "text" }, "UTC")).toBe(false);
});
