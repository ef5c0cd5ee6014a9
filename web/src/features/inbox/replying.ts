import { useSyncExternalStore } from "react";
import type { ThreadMessage } from "../../api/types";

// One thread is open at a time, so one message at most is being answered.
let chosen: ThreadMessage | undefined;
const listeners = new Set<() => void>();

/** Chooses the message that the next answer is to; undefined: none. */
export function replyTo(message: ThreadMessage | undefined) {
  chosen = message;
  listeners.forEach((tell) => tell());
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export const useReplying = () => useSyncExternalStore(subscribe, () => chosen);
