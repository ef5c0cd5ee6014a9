import { expect, test } from "vitest";
import { subjectPage } from "./subject";

test("a line leads to what it is about", () => {
  expect(subjectPage({ kind: "segments", subject_id: "s", subjects: 1 })).toBe("/contacts/segments?id=s");
  expect(subjectPage({ kind: "campaigns", subject_id: "c", subjects: 2 })).toBe("/campaigns/c");
  expect(subjectPage({ kind: "company", subjects: 0 })).toBe("/settings");
});

test("a line about nothing that has a page leads nowhere", () => {
  expect(subjectPage({ kind: "campaigns", subjects: 0 })).toBeUndefined();
  expect(subjectPage({ kind: "auth", subject_id: "x", subjects: 1 })).toBeUndefined();
});
