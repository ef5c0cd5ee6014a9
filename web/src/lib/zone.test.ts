import { expect, test } from "vitest";
import { fromZonedInput, toZonedInput, zoneCity, zoneOffset } from "./zone";

test.each([
  ["2026-11-24T09:00", "America/Sao_Paulo", "2026-11-24T12:00:00.000Z", "plain"],
  ["2026-11-24T09:00", "Asia/Jakarta", "2026-11-24T02:00:00.000Z", "plain"],
  ["2026-11-24T00:00", "UTC", "2026-11-24T00:00:00.000Z", "plain"],
  ["2027-03-28T01:59", "Europe/Berlin", "2027-03-28T00:59:00.000Z", "plain"],
  ["2027-03-28T02:30", "Europe/Berlin", "2027-03-28T01:30:00.000Z", "skipped"], // shown as 03:30
  ["2027-03-28T03:00", "Europe/Berlin", "2027-03-28T01:00:00.000Z", "plain"],
  ["2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00.000Z", "twice"],
  ["2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00:00.000Z", "plain"],
  ["2027-03-14T02:15", "America/New_York", "2027-03-14T07:15:00.000Z", "skipped"],
])("%s in %s", (value, zone, at, clock) => {
  expect(fromZonedInput(value, zone)).toEqual({ at, clock });
  if (clock === "plain") expect(toZonedInput(at, zone)).toBe(value);
});

test("what is no time is none", () => {
  expect(fromZonedInput("", "UTC")).toBeNull();
  expect(fromZonedInput("soon", "UTC")).toBeNull();
  expect(toZonedInput(undefined, "UTC")).toBe("");
});

test("zones in words", () => {
  expect(zoneCity("America/Sao_Paulo")).toBe("São Paulo");
  expect(zoneCity("America/Argentina/Buenos_Aires")).toBe("Buenos Aires");
  expect(zoneOffset("America/Sao_Paulo", new Date("2026-11-24T12:00:00Z"))).toBe("UTC−3");
});
