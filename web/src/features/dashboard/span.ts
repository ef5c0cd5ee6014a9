// The span of time that a dashboard shows, as it stands in the address.

export const ranges = ["today", "7d", "30d", "custom"] as const;
export type Range = (typeof ranges)[number];

export const metrics = ["sent", "delivered", "read", "failed", "replies"] as const;
export type Metric = (typeof metrics)[number];

export interface DashboardSearch {
  /** absent: today */
  range?: Exclude<Range, "today">;
  /** first and last day with range custom, as 2026-11-24 */
  from?: string;
  to?: string;
  /** what the chart shows; absent: sent */
  show?: Exclude<Metric, "sent">;
}

export interface Span {
  range: Range;
  from?: string;
  to?: string;
}

/** A link counts as the present one only when its whole search is. */
export const exactly = { exact: true, includeSearch: true, explicitUndefined: true } as const;

const day = (value: unknown) => (typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined);

/** Reads an address; what makes no sense falls back to today. */
export function readSearch(search: Record<string, unknown>): DashboardSearch {
  const show = metrics.find((m) => m === search.show);
  const rest = show === undefined || show === "sent" ? {} : { show };
  const range = ranges.find((r) => r === search.range);
  if (range === undefined || range === "today") return rest;
  if (range !== "custom") return { range, ...rest };
  const [from, to] = [day(search.from), day(search.to)];
  return from === undefined || to === undefined || to < from ? rest : { range, from, to, ...rest };
}

export function spanOf(search: DashboardSearch): Span {
  return { range: search.range ?? "today", from: search.from, to: search.to };
}

/** "+12%", "−3%", "±0%"; null when there is nothing to compare with. */
export function change(now: number, before: number): string | null {
  if (before <= 0) return null;
  const percent = Math.round(((now - before) / before) * 100);
  if (percent === 0) return "±0%";
  return percent > 0 ? `+${percent.toLocaleString("en")}%` : `−${Math.abs(percent).toLocaleString("en")}%`;
}

/** Share as whole per cent that is 0 or 100 only when exactly so; null without a whole. */
export function share(part: number, whole: number): string | null {
  if (whole <= 0 || part < 0) return null;
  if (part === 0) return "0%";
  if (part >= whole) return "100%";
  const percent = (part / whole) * 100;
  if (percent < 1) return "<1%";
  return percent > 99 ? ">99%" : `${Math.round(percent)}%`;
}

/** The top of a scale that holds most: 1, 2, 3, … 10, 15, 20, 30, … */
export function scaleTop(most: number): number {
  for (let top = 1; ; top *= 10) {
    for (const step of [1, 1.5, 2, 3, 4, 5, 6, 8]) if (top * step >= most) return top * step;
  }
}

/** Which of n labels to write so that at most room of them stand, evenly from the first. */
export function labelled(n: number, room: number): (index: number) => boolean {
  const step = Math.max(1, Math.ceil(n / room));
  return (index) => index % step === 0;
}
