import { expect, test } from "vitest";
import { pageOf, wordsOf } from "./line";

const of = (kind: Parameters<typeof pageOf>[0]["kind"], about: "campaign" | "connection" | "company" = "campaign") => ({ kind, about, subject_id: "x" });

test("a notice leads to the rows behind it", () => {
  expect(pageOf(of("campaign_paused"))).toMatchObject({ to: "/campaigns/$id", params: { id: "x" } });
  expect(pageOf(of("connection_lost", "connection"))).toMatchObject({ to: "/connections/$id", params: { id: "x" } });
  expect(pageOf(of("connection_lost", "company"))).toMatchObject({ to: "/health" });
  expect(pageOf(of("template_stopped", "connection"))).toMatchObject({ to: "/templates", search: { connection: "x" } });
  expect(pageOf(of("messages_uncertain"))).toMatchObject({ to: "/uncertain", search: { campaign: "x" } });
  expect(pageOf(of("messages_uncertain", "connection"))).toMatchObject({ to: "/uncertain", search: {} });
});

test("what is over is told as over", () => {
  expect(wordsOf({ kind: "campaign_paused", about: "campaign", lasts: true })).toBe("campaign_paused");
  expect(wordsOf({ kind: "campaign_paused", about: "campaign", lasts: false })).toBe("campaign_paused_over");
  expect(wordsOf({ kind: "campaign_finished", about: "campaign", lasts: false })).toBe("campaign_finished");
  expect(wordsOf({ kind: "connection_lost", about: "company", lasts: false })).toBe("restored");
});
