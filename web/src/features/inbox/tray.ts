import { useEffect, useRef, useState } from "react";
import { ApiError } from "../../api/problem";
import { mostBytes, type StoredFile, upload } from "./media";

const mostFiles = 10;

/** A file that somebody chose to send. Its key makes sure that it is sent once. */
export interface Picked {
  key: string;
  file: File;
  share: number; // of it that has left the browser, 0 to 1
  stored?: StoredFile;
  error?: unknown;
}

/** Files on their way into the store, before they are sent. */
export function useTray() {
  const [items, setItems] = useState<Picked[]>([]);
  const uploads = useRef(new Map<string, AbortController>());
  const reset = useRef<() => void>(null);
  useEffect(() => {
    const running = uploads.current;
    return () => running.forEach((one) => one.abort());
  }, []);
  const change = (key: string, by: Partial<Picked>) => setItems((all) => all.map((one) => (one.key === key ? { ...one, ...by } : one)));
  const add = (files: FileList | File[]) => {
    const picked = [...files].slice(0, mostFiles).map((file): Picked => ({ key: crypto.randomUUID(), file, share: 0 }));
    setItems((all) => [...all, ...picked]);
    for (const { key, file } of picked) {
      if (file.size > mostBytes) {
        change(key, { error: new ApiError(413, { detail: "The file has more than 100 MB; send a smaller one, or a link to it." }) });
        continue;
      }
      const abort = new AbortController();
      uploads.current.set(key, abort);
      upload(file, (share) => change(key, { share }), abort.signal).then((stored) => change(key, { stored }), (error: unknown) => change(key, { error }));
    }
    reset.current?.();
  };
  const drop = (key: string) => {
    uploads.current.get(key)?.abort();
    setItems((all) => all.filter((one) => one.key !== key));
  };
  return { items, add, drop, reset, ready: () => items.filter((one) => one.stored !== undefined), loading: items.some((one) => one.stored === undefined) };
}
