import { expect, test } from "vitest";
import type { Counts } from "../api/types";
import { done, isMessageState, percentDone, toSegments, total } from "./segments";

const none: Counts = {
  planned: 0, queued: 0, sending: 0, sent: 0, delivered: 0, read: 0,
  failed: 0, uncertain: 0, canceled: 0, expired: 0, suppressed: 0,
};

test("a campaign without recipients has no segments and is not done", () => {
  expect(toSegments(none)).toEqual([]);
  expect(percentDone(none)).toBe(0);
});

test("segments keep the order of the bar and sum to 100", () => {
  const counts = { ...none, planned: 10, queued: 20, sending: 5, sent: 15, delivered: 25, read: 20, failed: 3, uncertain: 2 };
  const segments = toSegments(counts);
  expect(segments.map((s) => s.state)).toEqual(["read", "delivered", "sent", "failed", "uncertain", "sending", "queued", "planned"]);
  expect(segments.reduce((sum, s) => sum + s.share, 0)).toBeCloseTo(100);
  expect(total(counts)).toBe(100);
  expect(done(counts)).toBe(65);
});

test("per cent rounds honestly at both ends", () => {
  expect(percentDone({ ...none, planned: 9_999, read: 1 })).toBe(1);
  expect(percentDone({ ...none, sending: 1, read: 9_999 })).toBe(99);
  expect(percentDone({ ...none, uncertain: 1, read: 9 })).toBe(100);
});

test("a state in the address is checked", () => {
  expect(isMessageState("failed")).toBe(true);
  expect(isMessageState("nonsense")).toBe(false);
});
