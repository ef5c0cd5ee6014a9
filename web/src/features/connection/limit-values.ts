// What is typed in the form of a connection's limits, and what the API makes of it.
import type { Limits } from "../../api/types";

export const limitFields = ["per_second", "per_minute", "per_hour", "per_day", "contact_gap_s", "gap_from_s", "gap_until_s", "from", "caps"] as const;
export type LimitField = (typeof limitFields)[number];
const numbers = limitFields.slice(0, 7) as Exclude<LimitField, "from" | "caps">[];

/** The field under which a complaint about a path of the request belongs: "warm_up.caps.2" → "caps". */
export function fieldOf(path: string): LimitField | null {
  const [head, second] = path.split(".");
  const name = head === "warm_up" ? (second ?? "from") : head;
  return limitFields.find((field) => field === name) ?? null;
}

export function fromLimits(limits: Limits): Record<LimitField, string> {
  const written = Object.fromEntries(numbers.map((field) => [field, limits[field]?.toString() ?? ""])) as Record<(typeof numbers)[number], string>;
  return { ...written, from: limits.warm_up?.from ?? "", caps: limits.warm_up?.caps.join(", ") ?? "" };
}

const whole = /^\s*-?\d{0,9}\s*$/;
const list = /^[\s\d,;-]*$/;

/** The fields that hold no numbers at all. Numbers that are too small or too large are the server's to refuse. */
export function unreadable(values: Record<LimitField, string>): LimitField[] {
  return [...numbers.filter((field) => !whole.test(values[field])), ...(list.test(values.caps) ? [] : ["caps" as const])];
}

export function toLimits(values: Record<LimitField, string>): Limits {
  const limits: Limits = {};
  for (const field of numbers) if (values[field].trim() !== "") limits[field] = Number(values[field]);
  const caps = values.caps.split(/[\s,;]+/).filter((part) => part !== "").map(Number);
  if (values.from.trim() !== "" || caps.length > 0) limits.warm_up = { from: values.from.trim(), caps };
  return limits;
}
