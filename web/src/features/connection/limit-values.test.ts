import { expect, test } from "vitest";
import { fieldOf, fromLimits, toLimits, unreadable } from "./limit-values";

const limits = { per_second: 80, contact_gap_s: 6, gap_from_s: 600, gap_until_s: 1800, warm_up: { from: "2026-11-22", caps: [20, 40, 80] } };

test("limits come back from the form as they went in", () => {
  expect(toLimits(fromLimits(limits))).toEqual(limits);
  expect(toLimits(fromLimits({}))).toEqual({});
});

test("an explicit zero reaches the server, which refuses it", () => {
  expect(toLimits({ ...fromLimits({}), per_hour: " 0 " })).toEqual({ per_hour: 0 });
});

test("what is no number is named and never sent", () => {
  expect(unreadable({ ...fromLimits(limits), per_day: "many", per_hour: "1.5", caps: "20, lots" })).toEqual(["per_hour", "per_day", "caps"]);
  expect(unreadable(fromLimits(limits))).toEqual([]);
});

test("a complaint finds its field", () => {
  expect(["per_second", "warm_up.caps.2", "warm_up.from", "warm_up", "other"].map(fieldOf)).toEqual(["per_second", "caps", "from", "from", null]);
});
