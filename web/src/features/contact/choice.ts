// Which contacts a page is about: what the address keeps, the API's query, and where a filter is wrong.
import { ApiError, fieldPath } from "../../api/problem";

export interface Choice {
  q?: string;
  tag?: string;
  segment?: string;
  /** never beside a segment, which is a filter itself */
  filter?: string;
  /** met by this import, with outcome only those with whom it did that */
  import?: string;
  outcome?: Outcome;
}

export const outcomes = ["added", "updated", "unchanged"] as const;
export type Outcome = (typeof outcomes)[number];

/** The API's query of a choice; what is not chosen is left out. */
export function toQuery({ q, tag, segment, filter, import: of, outcome }: Choice): { q?: string; tag_id?: string; segment_id?: string; filter?: string; import_id?: string; outcome?: Outcome } {
  return {
    ...(q === undefined ? {} : { q }), ...(tag === undefined ? {} : { tag_id: tag }),
    ...(segment !== undefined ? { segment_id: segment } : filter !== undefined ? { filter } : {}),
    ...(of === undefined ? {} : { import_id: of, ...(outcome === undefined ? {} : { outcome }) }),
  };
}

export const isEverybody = (choice: Choice) => Object.keys(toQuery(choice)).length === 0;

export function exportAddress(choice: Choice, format: "csv" | "xlsx"): string {
  return `/api/v1/contacts/export?${new URLSearchParams({ format, ...toQuery(choice) }).toString()}`;
}

/** What is wrong in a filter; at and end count characters (not UTF-16 units) from 0. */
export interface Mistake {
  at: number;
  end: number;
  message: string;
}

/** The mistake of a filter that an answer of the API tells of, or null when it tells of something else. */
export function mistakeIn(error: unknown): Mistake | null {
  if (!(error instanceof ApiError) || error.status !== 422) return null;
  const detail = (error.problem.errors ?? []).find((e) => fieldPath(e.location ?? "") === "filter");
  if (detail === undefined) return null;
  const value = (typeof detail.value === "object" && detail.value !== null ? detail.value : {}) as Partial<Record<string, unknown>>;
  const number = (key: string) => (typeof value[key] === "number" ? value[key] : 0);
  return { at: number("at"), end: number("end"), message: detail.message ?? "" };
}

/** The text around a mistake, which is never empty so that it can be underlined: at the end it is a space. */
export function around(text: string, { at, end }: Mistake): [before: string, wrong: string, after: string] {
  const characters = Array.from(text);
  const wrong = characters.slice(at, end).join("");
  return [characters.slice(0, at).join(""), wrong === "" ? "\u00a0\u00a0" : wrong, characters.slice(end).join("")];
}
