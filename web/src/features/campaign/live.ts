import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { type Draft, toCheck } from "./draft";
import { draftCheckQuery, draftSamplesQuery } from "./queries";

const pause = 450; // ms without a key before the server is asked

/** What a start of the draft would do and what its contacts would get, while it is being written. */
export function useDraftCheck(draft: Draft, zone: string) {
  const input = JSON.stringify(toCheck(draft, zone));
  const [settled] = useDebouncedValue(input, pause);
  const enabled = settled !== "null" && input !== "null";
  const check = useQuery({ ...draftCheckQuery(settled), enabled });
  const samples = useInfiniteQuery({ ...draftSamplesQuery(settled), enabled });
  const { fetchNextPage, hasNextPage, isFetching } = samples;
  const more = useCallback(() => { if (hasNextPage && !isFetching) void fetchNextPage(); }, [fetchNextPage, hasNextPage, isFetching]);
  return {
    /** nobody is chosen yet, or nothing to send from */
    incomplete: input === "null",
    /** what is shown belongs to an earlier draft */
    stale: input !== settled || check.isPlaceholderData || check.isFetching,
    check: enabled ? check.data : undefined,
    error: enabled ? check.error : null,
    samples: enabled ? (samples.data?.pages.flatMap((page) => page.items) ?? []) : [],
    hasMore: hasNextPage,
    more,
    again: () => void check.refetch(),
  };
}

export type DraftCheck = ReturnType<typeof useDraftCheck>;
