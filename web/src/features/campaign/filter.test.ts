import { expect, test } from "vitest";
import type { Counts } from "../../api/types";
import { funnel, parseStates, percentOf, phoneOf } from "./filter";

const counts: Counts = { planned: 5, queued: 4, sending: 1, sent: 10, delivered: 20, read: 30, failed: 7, uncertain: 2, canceled: 0, expired: 0, suppressed: 3 };

test("states come from the address, whatever stands there", () => {
  expect(parseStates("sent,delivered")).toEqual(["sent", "delivered"]);
  expect(parseStates("sent,<script>,")).toEqual(["sent"]);
  expect(parseStates(undefined)).toEqual([]);
});

test("a number is read however it is typed", () => {
  expect(phoneOf("55 11 98120-4471")).toBe("+5511981204471");
  expect(phoneOf("+55 (11) 98120 4471")).toBe("+5511981204471");
  expect(phoneOf("abc")).toBeUndefined();
});

test("each step of the funnel counts those that got at least that far", () => {
  expect(funnel({ counts, recipients: 82, replied: 9 }).map((step) => [step.key, step.count])).toEqual([["recipients", 82], ["handed", 70], ["accepted", 60], ["delivered", 50], ["read", 30], ["replied", 9]]);
  for (const step of funnel({ counts, recipients: 82, replied: 9 }).slice(1, -1)) expect(step.states.reduce((sum, state) => sum + counts[state], 0)).toBe(step.count);
  expect(funnel({ counts, recipients: 82, replied: 9 }).map((step) => step.of)).toEqual([undefined, 82, 70, 60, 50, 50]);
});

test("a share is never rounded to nothing or to all", () => {
  expect(percentOf(0, 0)).toBe("0%");
  expect(percentOf(1, 10_000)).toBe("<1%");
  expect(percentOf(9_999, 10_000)).toBe("99%");
  expect(percentOf(3, 3)).toBe("100%");
  expect(percentOf(1, 3)).toBe("33%");
});
