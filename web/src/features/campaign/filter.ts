// Which of a campaign's messages the page shows, as the address keeps it.
import type { Campaign, LedgerState, MessageState } from "../../api/types";
import { isMessageState } from "../../lib/segments";

export interface MessageFilter {
  states: LedgerState[];
  /** failed with this code of the provider's; 0: it gave none */
  code?: number;
  /** to exactly this number, with its plus sign */
  phone?: string;
  /** whose recipients replied */
  replied?: boolean;
}

/** What a person typed as a number, as the address keeps it: "55 11 98120-4471" → "+5511981204471"; undefined for none. */
export function phoneOf(typed: string): string | undefined {
  const digits = typed.replace(/\D/g, "");
  return digits === "" ? undefined : `+${digits}`;
}

/** "sent,delivered" → its states; anything else in it is dropped. */
export function parseStates(text: string | undefined): MessageState[] {
  return (text ?? "").split(",").filter((word): word is MessageState => isMessageState(word));
}

/** "planned" has no message in the ledger yet. */
export const isLedgerState = (state: MessageState): state is LedgerState => state !== "planned";

export interface Step {
  key: "recipients" | "handed" | "accepted" | "delivered" | "read" | "replied";
  count: number;
  /** how many its share is of; undefined: the whole audience */
  of?: number;
  states: LedgerState[];
}

/** The steps of the funnel: how many got at least that far, and the states that say so. Who replied may never have been seen to read. */
export function funnel({ counts, recipients, replied }: Pick<Campaign, "counts" | "recipients" | "replied">): Step[] {
  const sum = (states: readonly LedgerState[]) => states.reduce((total, state) => total + counts[state], 0);
  const steps = [
    ["handed", ["sent", "delivered", "read", "failed", "uncertain", "sending"]],
    ["accepted", ["sent", "delivered", "read"]],
    ["delivered", ["delivered", "read"]],
    ["read", ["read"]],
  ] as const;
  const all: Step[] = [{ key: "recipients", count: recipients, states: [] }];
  for (const [key, states] of steps) all.push({ key, count: sum(states), of: all.at(-1)?.count, states: [...states] });
  return [...all, { key: "replied", count: replied, of: sum(["delivered", "read"]), states: [] }];
}

/** Whole per cent for people: never 0 for something, never 100 for less than all. */
export function percentOf(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return "0%";
  if (part >= whole) return "100%";
  const percent = (part / whole) * 100;
  return percent < 1 ? "<1%" : `${Math.min(99, Math.round(percent))}%`;
}
