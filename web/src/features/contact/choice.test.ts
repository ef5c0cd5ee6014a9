import { expect, test } from "vitest";
import { ApiError } from "../../api/problem";
import { around, exportAddress, isEverybody, mistakeIn, toQuery } from "./choice";

test("a choice becomes the API's query", () => {
  expect(toQuery({ q: "ana", segment: "s" })).toEqual({ q: "ana", segment_id: "s" });
  expect(toQuery({ filter: "age > 18" })).toEqual({ filter: "age > 18" });
  expect(toQuery({ segment: "s", filter: "age > 18" })).toEqual({ segment_id: "s" }); // the API refuses both at once
  expect(isEverybody({ filter: "age > 18" })).toBe(false);
  expect(isEverybody({})).toBe(true);
  expect(isEverybody({ tag: "t" })).toBe(false);
  expect(exportAddress({ q: "a b&c", tag: "t" }, "xlsx")).toBe("/api/v1/contacts/export?format=xlsx&q=a+b%26c&tag_id=t");
});

test("a filter's mistake is found by its characters", () => {
  const wrong = new ApiError(422, { errors: [{ location: "query.filter", message: "A value is missing", value: { at: 5, end: 5 } }] });
  expect(mistakeIn(wrong)).toEqual({ at: 5, end: 5, message: "A value is missing" });
  expect(mistakeIn(new ApiError(422, { errors: [{ location: "body.name", message: "taken" }] }))).toBeNull();
  expect(mistakeIn(new ApiError(500, {}))).toBeNull();
  expect(mistakeIn(new Error("x"))).toBeNull();
  expect(around("😀 vip x", { at: 2, end: 5, message: "" })).toEqual(["😀 ", "vip", " x"]);
  expect(around("tag:", { at: 4, end: 4, message: "" })).toEqual(["tag:", "\u00a0\u00a0", ""]);
});
