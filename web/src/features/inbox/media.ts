import { ApiError } from "../../api/problem";
import type { Schemas } from "../../api/types";

export type StoredFile = Schemas["StoredFile"];
export type Written = Omit<Schemas["AnswerInBody"], "key">;
type Kind = NonNullable<Written["file"]>["kind"];

/** The largest file that is taken, in bytes. */
export const mostBytes = 100 * 1024 * 1024;

export const addressOf = (file: StoredFile, options: { thumbnail?: boolean; name?: string } = {}) => {
  const query = new URLSearchParams();
  if (options.thumbnail === true) query.set("thumbnail", "true");
  if (options.name !== undefined && options.name !== "") query.set("name", options.name);
  return `/api/v1/media/${file.id}${query.size > 0 ? `?${query.toString()}` : ""}`;
};

/** As what WhatsApp takes a file: what it shows as a picture, a video or a sound goes as such, all else as a document. */
export function kindOf(type: string): Kind {
  const base = type.split(";")[0]?.trim() ?? "";
  if (base === "image/webp") return "sticker";
  if (base === "image/jpeg" || base === "image/png") return "image";
  if (base === "video/mp4" || base === "video/3gpp") return "video";
  if (base === "audio/ogg") return "voice";
  if (base.startsWith("audio/")) return "audio";
  return "document";
}

/** WhatsApp shows no words with these. */
export const hasCaption = (kind: Kind) => kind !== "audio" && kind !== "voice" && kind !== "sticker";

export function sizeOf(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_024 * 1_024) return `${Math.round(bytes / 1_024)} KB`;
  return `${(bytes / 1_024 / 1_024).toFixed(1)} MB`;
}

/** Streams a file to the store. XMLHttpRequest, because fetch does not tell how much of a body is sent. */
export function upload(file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<StoredFile> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/media");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.total > 0 ? event.loaded / event.total : 0);
    request.onload = () => {
      if (request.status === 201) resolve(request.response as StoredFile);
      else reject(new ApiError(request.status, (request.response ?? {}) as object));
    };
    request.onerror = () => reject(new ApiError(0, {}));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
