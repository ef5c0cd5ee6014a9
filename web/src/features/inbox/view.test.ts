import { expect, test } from "vitest";
import { readChosen, toQuery, wakeTimes } from "./view";

test("an address that makes no sense shows what is open", () => {
  expect(toQuery(readChosen({ view: "nonsense", label: 7 }))).toEqual({ state: "open", assignee: undefined, label_id: undefined, department_id: undefined });
  expect(toQuery(readChosen({ view: "mine", label: "x" }))).toEqual({ state: "open", assignee: "me", label_id: "x", department_id: undefined });
  expect(toQuery(readChosen({ view: "snoozed" })).state).toBe("snoozed");
});

test("a conversation comes back later than now, and on a Monday not today", () => {
  const late = new Date(2026, 10, 23, 19, 30); // a Monday
  const times = wakeTimes(late);
  expect(times.map((one) => one.key)).toEqual(["hours", "tomorrow", "monday"]);
  expect(times.every((one) => one.at > late)).toBe(true);
  expect(times.at(-1)?.at).toEqual(new Date(2026, 10, 30, 9));
  expect(wakeTimes(new Date(2026, 10, 22, 8)).at(-1)?.at).toEqual(new Date(2026, 10, 23, 9));
});
