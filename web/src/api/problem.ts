// Errors of the API (RFC 9457 problem+json) and what a page makes of them.
import type { Problem } from "./types";

/** An answer of the API that is not a success. status 0: no answer at all (offline, server down). */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? "");
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }

  get mustChangePassword(): boolean {
    return this.status === 403 && (this.problem.type ?? "").endsWith("/must-change-password");
  }
}

/** One complaint about one field, by its dotted path in the request body: "content.template.parameters.0". */
export interface FieldComplaint {
  field: string;
  message: string;
}

/** "body.content.template.parameters[0]" → "content.template.parameters.0". Of other locations the name is kept. */
export function fieldPath(location: string): string {
  return location
    .replace(/^(body|query|path)(\.|$)/, "")
    .replace(/\[(\d+)\]/g, ".$1")
    .replace(/^\./, "");
}

export function fieldComplaints(error: unknown): FieldComplaint[] {
  if (!(error instanceof ApiError)) return [];
  return (error.problem.errors ?? []).map((e) => ({ field: fieldPath(e.location ?? ""), message: e.message ?? "" }));
}

/** What a form shows: messages under their fields, and those that belong to no field of this form. */
export interface FormErrors {
  fields: Record<string, string>;
  rest: string[];
}

/**
 * Sorts complaints under a form's fields. place names the form's field of a path, or null when the form has none.
 * Two complaints about one field are joined; a complaint is never dropped.
 */
export function toFormErrors(complaints: FieldComplaint[], place: (path: string) => string | null): FormErrors {
  const errors: FormErrors = { fields: {}, rest: [] };
  for (const { field, message } of complaints) {
    const at = field === "" ? null : place(field);
    if (at === null) {
      errors.rest.push(field === "" ? message : `${field}: ${message}`);
      continue;
    }
    const earlier = errors.fields[at];
    errors.fields[at] = earlier === undefined ? message : `${earlier}; ${message}`;
  }
  return errors;
}
