import { expect, test } from "vitest";
import { ApiError, fieldComplaints, fieldPath, toFormErrors } from "./problem";

test.each([
  ["body.name", "name"],
  ["body.content.template.parameters[0]", "content.template.parameters.0"],
  ["content.template.parameters[12].x", "content.template.parameters.12.x"],
  ["query.limit", "limit"],
  ["body", ""],
  ["", ""],
])("location %j is field %j", (location, field) => {
  expect(fieldPath(location)).toBe(field);
});

test("complaints land under their fields and none is lost", () => {
  const error = new ApiError(422, {
    detail: "validation failed",
    errors: [
      { location: "body.name", message: "is empty" },
      { location: "body.name", message: "is taken" },
      { location: "body.audience", message: "no such tag" },
      { location: "body", message: "unreadable" },
    ],
  });
  const errors = toFormErrors(fieldComplaints(error), (path) => (path === "name" ? "name" : null));
  expect(errors.fields).toEqual({ name: "is empty; is taken" });
  expect(errors.rest).toEqual(["audience: no such tag", "unreadable"]);
});

test("an error of another kind has no complaints", () => {
  expect(fieldComplaints(new Error("x"))).toEqual([]);
});

test("the forced change of a password is told from another 403", () => {
  expect(new ApiError(403, { type: "https://x/must-change-password" }).mustChangePassword).toBe(true);
  expect(new ApiError(403, {}).mustChangePassword).toBe(false);
});
