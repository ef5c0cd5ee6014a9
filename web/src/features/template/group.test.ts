import { describe, expect, it } from "vitest";
import type { SyncedTemplate } from "../../api/types";
import { groupTemplates, neverSynced, oldestSync, standingOf } from "./group";

const one = (part: Partial<SyncedTemplate>): SyncedTemplate => ({
  connection_id: "c1", name: "promo", language: "en", category: "MARKETING", status: "APPROVED", quality: "GREEN", rejected_reason: "", unfit: "", parameters: 0,
  header_format: "", header: "", body: "Hi", footer: "", buttons: [], synced_at: "2026-11-22T10:00:00Z", ...part,
});

describe("templates", () => {
  it("puts the languages of one name and one account together", () => {
    const items = [one({}), one({ language: "pt_BR" }), one({ connection_id: "c2" }), one({ name: "z" })];
    const shared = groupTemplates(items, () => "account");
    expect(shared.map((g) => [g.connection_ids, g.name, g.languages.length])).toEqual([[["c1", "c2"], "promo", 2], [["c1"], "z", 1]]);
    const groups = groupTemplates(items, (connection) => connection);
    expect(groups.map((g) => [g.connection_id, g.name, g.languages.length])).toEqual([["c1", "promo", 2], ["c2", "promo", 1], ["c1", "z", 1]]);
  });

  it("tells what can be sent from what waits and what needs a person", () => {
    expect(standingOf(one({}))).toBe("ready");
    expect(standingOf(one({ status: "PENDING", unfit: "Meta is still reviewing it." }))).toBe("waiting");
    expect(standingOf(one({ unfit: "Its header needs a file." }))).toBe("trouble");
  });

  it("says how current a list is by its oldest part", () => {
    const syncs = [{ connection_id: "a", synced_at: "2026-11-22T10:00:00Z", problem: "" }, { connection_id: "b", synced_at: "2026-11-21T10:00:00Z", problem: "" }];
    expect(oldestSync(syncs)).toBe("2026-11-21T10:00:00Z");
    expect(oldestSync([...syncs, { connection_id: "c", problem: "" }])).toBeNull();
    expect(oldestSync([])).toBeNull();
    expect(neverSynced([...syncs, { connection_id: "c", problem: "" }, { connection_id: "d", problem: "The token has expired." }])).toEqual(["c"]);
  });
});
