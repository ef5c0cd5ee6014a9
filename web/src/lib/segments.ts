// From counts per ledger state to the stacked bar, the share that is done, and the tiles.
import type { Counts, MessageState } from "../api/types";

/** Every state of the ledger in the order in which a message passes through them; exceptions last. */
export const messageStates = [
  "read",
  "delivered",
  "sent",
  "sending",
  "queued",
  "planned",
  "failed",
  "uncertain",
  "canceled",
  "expired",
  "suppressed",
] as const satisfies readonly MessageState[];

const open: ReadonlySet<MessageState> = new Set(["planned", "queued", "sending"]);

export function isMessageState(value: unknown): value is MessageState {
  return messageStates.some((state) => state === value);
}

export interface Segment {
  state: MessageState;
  count: number;
  /** per cent of all recipients, 0 to 100; the shares of a bar sum to 100 */
  share: number;
}

/** Non-empty segments of the bar: done states from the left, failures after them, open ones to the right. */
export function toSegments(counts: Counts): Segment[] {
  const sum = total(counts);
  if (sum === 0) return [];
  const ended = messageStates.filter((state) => !open.has(state));
  const order = [...ended, "sending", "queued", "planned"] as const;
  return order
    .filter((state) => counts[state] > 0)
    .map((state) => ({ state, count: counts[state], share: (counts[state] / sum) * 100 }));
}

export function total(counts: Counts): number {
  return messageStates.reduce((sum, state) => sum + counts[state], 0);
}

/** Messages whose outcome is settled or uncertain: nothing more will be sent for them. */
export function done(counts: Counts): number {
  return messageStates.reduce((sum, state) => (open.has(state) ? sum : sum + counts[state]), 0);
}

/** Whole per cent that never says 100 before all is done, nor 0 once something is. */
export function percentDone(counts: Counts): number {
  const all = total(counts);
  const ended = done(counts);
  if (all === 0 || ended === 0) return 0;
  if (ended === all) return 100;
  return Math.min(99, Math.max(1, Math.floor((ended / all) * 100)));
}
