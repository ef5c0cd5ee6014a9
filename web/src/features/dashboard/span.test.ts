import { describe, expect, it } from "vitest";
import { change, labelled, readSearch, scaleTop, share } from "./span";

describe("readSearch", () => {
  it("keeps what makes sense", () => {
    expect(readSearch({ range: "7d", show: "failed" })).toEqual({ range: "7d", show: "failed" });
    expect(readSearch({ range: "custom", from: "2026-11-01", to: "2026-11-30" })).toEqual({ range: "custom", from: "2026-11-01", to: "2026-11-30" });
  });
  it("falls back to today", () => {
    for (const search of [{}, { range: "today" }, { range: "year" }, { range: "custom" }, { range: "custom", from: "2026-11-31x", to: "2026-12-01" }, { range: "custom", from: "2026-11-02", to: "2026-11-01" }]) {
      expect(readSearch(search)).toEqual({});
    }
    expect(readSearch({ show: "sent", from: "2026-11-01" })).toEqual({});
  });
});

describe("change", () => {
  it("compares with the span before", () => {
    expect(change(112, 100)).toBe("+12%");
    expect(change(97, 100)).toBe("−3%");
    expect(change(1000, 1001)).toBe("±0%");
    expect(change(0, 10)).toBe("−100%");
  });
  it("says nothing without one", () => {
    expect(change(5, 0)).toBeNull();
    expect(change(0, -1)).toBeNull();
  });
});

describe("share", () => {
  it("is 0 and 100 only when exactly so", () => {
    expect([share(0, 7), share(1, 1000), share(1, 2), share(999, 1000), share(7, 7), share(8, 7)]).toEqual(["0%", "<1%", "50%", ">99%", "100%", "100%"]);
    expect(share(0, 0)).toBeNull();
    expect(share(-1, 5)).toBeNull();
  });
});

describe("the chart's scale", () => {
  it("holds the highest bar", () => {
    expect([0, 1, 3, 10, 11, 21, 999].map(scaleTop)).toEqual([1, 1, 3, 10, 15, 30, 1000]);
  });
  it("never writes more labels than there is room", () => {
    for (const n of [1, 7, 24, 25, 30, 92]) {
      const count = Array.from({ length: n }, (_, i) => i).filter(labelled(n, 8)).length;
      expect(count).toBeLessThanOrEqual(8);
      expect(count).toBeGreaterThan(0);
    }
  });
});
