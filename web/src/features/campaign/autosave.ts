import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import { ApiError } from "../../api/problem";
import { type Draft, missingAudience } from "./draft";

const pause = 800; // ms without a key before a draft is saved
const again = 5_000; // ms before what the server could not take is tried once more

/** The draft as it can be kept, or the field that must be chosen first. */
export function storable(draft: Draft, untitled: string): { draft: Draft } | { missing: "connection_id" | "audience" } {
  if (draft.connection_id === null) return { missing: "connection_id" };
  if (missingAudience(draft) !== null) return { missing: "audience" };
  return { draft: { ...draft, name: draft.name.trim() === "" ? untitled : draft.name.trim() } };
}

interface Save {
  isPending: boolean;
  error: unknown;
  mutate: (draft: Draft) => void;
}

/**
 * Saves a changed draft once nobody types; version is the one it is based on. What was refused waits for a change; what
 * did not reach the server is tried again.
 */
export function useAutosave(wanted: Draft | null, version: number, save: Save) {
  const text = wanted === null ? "" : JSON.stringify(wanted);
  const [settled] = useDebouncedValue(text, pause);
  const tried = useRef("");
  const { isPending, mutate } = save;
  useEffect(() => {
    const attempt = `${version} ${settled}`;
    if (settled === "" || settled !== text || isPending || tried.current === attempt) return;
    tried.current = attempt;
    mutate(JSON.parse(settled) as Draft);
  }, [settled, text, version, isPending, mutate]);
  const unreached = save.error instanceof ApiError && (save.error.status === 0 || save.error.status >= 500);
  useEffect(() => {
    if (!unreached || isPending || text === "") return undefined;
    const timer = setTimeout(() => mutate(JSON.parse(text) as Draft), again);
    return () => clearTimeout(timer);
  }, [unreached, isPending, text, mutate]);
}
