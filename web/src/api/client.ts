// The one door to the API: typed by the schema, errors as ApiError.
import createClient from "openapi-fetch";
import { ApiError } from "./problem";
import type { paths } from "./schema.gen";
import type { Import, Problem } from "./types";

// fetch is looked up at each call, so that tests may replace it
export const api = createClient<paths>({ baseUrl: "/", fetch: (request) => fetch(request) });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a successful answer; anything else is thrown as ApiError. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (cause) {
    throw noAnswer(cause);
  }
  if (!answer.response.ok) throw new ApiError(answer.response.status, asProblem(answer.error));
  return answer.data as T;
}

function noAnswer(cause: unknown): unknown {
  if (cause instanceof DOMException && cause.name === "AbortError") return cause;
  return new ApiError(0, {});
}

function asProblem(body: unknown): Partial<Problem> {
  return typeof body === "object" && body !== null ? (body as Partial<Problem>) : {};
}

export interface Upload {
  file: File;
  /** share of the file that has left the browser, 0 to 1 */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

/** Streams a file of contacts to a new import. XMLHttpRequest, because fetch does not tell how much of a body is sent. */
export function uploadImport({ file, onProgress, signal }: Upload): Promise<Import> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/imports?${new URLSearchParams({ file_name: file.name.slice(0, 300) }).toString()}`);
    request.setRequestHeader("Content-Type", "text/csv");
    request.upload.onprogress = (event) => onProgress(event.total > 0 ? event.loaded / event.total : 0);
    request.onload = () => {
      const body: unknown = parse(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(body as Import);
      else reject(new ApiError(request.status, asProblem(body)));
    };
    request.onerror = () => reject(new ApiError(0, {}));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
