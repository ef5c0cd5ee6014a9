import { expect, test } from "vitest";
import { formatAgo, formatFinish, formatForecast, formatInstant, formatRate, formatSpan, fromLocalInput, toLocalInput } from "./format";

const now = new Date("2026-11-21T12:00:00Z");

test.each([
  [null, ""], [0, ""], [0.2, "12/min"], [0.001, "1/min"], [0.97, "1/s"], [4.23, "4.2/s"], [80.4, "80/s"], [1234.5, "1,235/s"],
])("rate %j reads %j", (rate, text) => {
  expect(formatRate(rate)).toBe(text);
});

test.each([
  [-5, "0 s"], [0, "0 s"], [59_400, "59 s"], [59_600, "1 min"], [12 * 60_000, "12 min"], [59.6 * 60_000, "1 h"],
  [185 * 60_000, "3 h 5 min"], [24 * 3_600_000, "1 d"], [52 * 3_600_000, "2 d 4 h"],
])("span %j ms reads %j", (ms, text) => {
  expect(formatSpan(ms)).toBe(text);
});

test.each([
  ["2026-11-21T14:32:00Z", "14:32"],
  ["2026-11-24T14:32:00Z", "Tue 24 Nov, 14:32"],
  ["2027-01-02T08:05:00Z", "2 Jan 2027, 08:05"],
])("instant %s reads %j", (at, text) => {
  expect(formatInstant(at, now, "UTC")).toBe(text);
});

test("the day is the zone's, not UTC's", () => {
  expect(formatInstant("2026-11-22T01:00:00Z", now, "America/Sao_Paulo")).toBe("22:00");
});

test.each([
  ["2026-11-21T12:12:00Z", "12:12, in 12 min"],
  ["2026-11-21T11:00:00Z", "any moment now"],
  ["2026-11-29T12:00:00Z", "Sun 29 Nov, 12:00"],
])("finish %s reads %j", (at, text) => {
  expect(formatFinish(at, now, "UTC")).toBe(text);
});

test("a form's local time survives the round trip", () => {
  expect(fromLocalInput(toLocalInput("2026-11-21T12:34:00.000Z"))).toBe("2026-11-21T12:34:00.000Z");
  expect(fromLocalInput("")).toBeNull();
  expect(fromLocalInput("soon")).toBeNull();
  expect(toLocalInput(null)).toBe("");
});

test.each([
  ["2026-11-21T11:59:30Z", "just now"], ["2026-11-21T12:00:10Z", "just now"], ["2026-11-21T11:55:00Z", "5 min ago"], ["2026-11-19T08:00:00Z", "2 d 4 h ago"],
])("%j was %j", (at, text) => {
  expect(formatAgo(at, now)).toBe(text);
});

test.each([
  ["2026-11-22T20:12:10Z", "20:12, in 12 min"],
  ["2026-11-22T22:57:00Z", "about 23:00, in 2 h 57 min"],
  ["2026-11-23T09:41:10Z", "tomorrow about 09:40"],
  ["2026-11-22T23:58:00Z", "tomorrow about 00:00"],
  ["2026-11-25T09:41:10Z", "Wed 25 Nov about 09:40"],
])("a forecast for %s is %s", (at, text) => {
  expect(formatForecast(at, new Date("2026-11-22T20:00:00Z"), "UTC")).toBe(text);
});
