import { expect, test } from "vitest";
import { niceTop } from "./scale";

test("the axis holds the largest value, and its half is whole", () => {
  expect([0, 1, 3, 7, 11, 39, 41, 100, 2_100_000].map(niceTop)).toEqual([2, 2, 4, 8, 12, 40, 60, 120, 4_000_000]);
});
