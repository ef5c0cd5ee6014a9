import { expect, test } from "vitest";
import { touchedKeys } from "./realtime";

test("a campaign's change touches it and the lists, not other campaigns", () => {
  expect(touchedKeys({ type: "campaign", id: "a" })).toEqual([
    ["campaigns", "list"],
    ["campaigns", "one", "a"],
    ["campaigns", "messages", "a"],
    ["messages"],
  ]);
});

test("refetch touches everything, an unknown word nothing", () => {
  expect(touchedKeys({ type: "refetch" })).toBeNull();
  expect(touchedKeys({ type: "persona" })).toEqual([]);
});
