// The websocket that says what changed. It carries no data: what is shown is fetched again.
import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

export type SocketState = "off" | "connecting" | "open" | "down";

interface Change {
  type?: string;
  id?: string;
}

/** Query keys that a change touches; null means everything. */
export function touchedKeys(change: Change): readonly (readonly unknown[])[] | null {
  switch (change.type) {
    case "campaign":
      return [["campaigns", "list"], ["campaigns", "one", change.id], ["campaigns", "messages", change.id], ["messages"]];
    case "conversation":
      return [["conversations", "list"], ["conversations", "unread"], ["conversations", "one", change.id], ["conversations", "thread", change.id]];
    case "connection":
      return [["connections"]];
    case "import":
      return [["imports", "list"], ["imports", "one", change.id]];
    case "contacts":
      return [["contacts"], ["tags"]];
    case "notice":
      return [["notices"]];
    case "refetch":
      return null;
    default:
      return []; // a newer server may know more words
  }
}

const coalesce = 300; // ms; a campaign at 80 messages a second must not make 80 fetches
const soon = 30; // ms; somebody waits for what a contact writes
const longestFetch = 3_000; // ms; one that hangs must not hold up all others
const firstRetry = 500; // ms
const lastRetry = 10_000; // ms

let state: SocketState = "off";
const listeners = new Set<() => void>();

function setState(next: SocketState) {
  if (state === next) return;
  state = next;
  for (const listener of listeners) listener();
}

/** Connects, reconnects with growing pauses, and invalidates queries. Returns what ends it. */
export function startRealtime(queries: QueryClient): () => void {
  let socket: WebSocket | null = null;
  let retry = firstRetry;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  let wasOpen = false;
  const pending = new Map<string, Change>();
  let flush: ReturnType<typeof setTimeout> | undefined;
  let flushAt = Infinity;
  let fetching = false;

  // One round of fetches at a time: another would cancel those under way, and with enough changes none would ever end.
  function invalidate() {
    flushAt = Infinity;
    const touched = [...pending.values()].map(touchedKeys);
    pending.clear();
    const rounds = touched.includes(null)
      ? [queries.invalidateQueries()]
      : touched.flatMap((keys) => (keys ?? []).map((queryKey) => queries.invalidateQueries({ queryKey })));
    fetching = true;
    void Promise.race([Promise.allSettled(rounds), new Promise((resolve) => setTimeout(resolve, longestFetch))]).then(() => {
      fetching = false;
      plan();
    });
  }

  function plan() {
    if (fetching || ended || pending.size === 0) return;
    const urgent = [...pending.values()].some((change) => change.type === "conversation");
    const at = Date.now() + (urgent ? soon : coalesce);
    if (at >= flushAt) return;
    flushAt = at;
    clearTimeout(flush);
    flush = setTimeout(invalidate, at - Date.now());
  }

  function note(change: Change) {
    pending.set(`${change.type ?? ""}/${change.id ?? ""}`, change);
    plan();
  }

  function connect() {
    if (ended) return;
    setState(state === "down" ? "down" : "connecting");
    const url = new URL("/api/v1/realtime", window.location.href);
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url);
    socket.onopen = () => {
      retry = firstRetry;
      setState("open");
      if (wasOpen) note({ type: "refetch" }); // changes of the gap
      wasOpen = true;
    };
    socket.onmessage = (event) => {
      try {
        note(JSON.parse(String(event.data)) as Change);
      } catch {
        note({ type: "refetch" });
      }
    };
    socket.onclose = () => {
      if (ended) return;
      setState("down");
      timer = setTimeout(connect, retry * (0.5 + Math.random()));
      retry = Math.min(retry * 2, lastRetry);
    };
  }

  function hurry() {
    if (state !== "down") return;
    clearTimeout(timer);
    connect();
  }

  connect();
  window.addEventListener("online", hurry);
  return () => {
    ended = true;
    clearTimeout(timer);
    clearTimeout(flush);
    window.removeEventListener("online", hurry);
    socket?.close();
    setState("off");
  };
}

export function useSocketState(): SocketState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** How often, in ms, a page fetches what moves: every 5 s without the socket, else every slow ms (false: never). */
export function usePolling(slow: number | false = false): number | false {
  return useSocketState() === "down" ? 5_000 : slow;
}
