// The form's values, to and from the API's words.
import type { Campaign, CampaignInput } from "../../api/types";
import { fromLocalInput, toLocalInput } from "../../lib/format";

export interface Draft {
  name: string;
  connection_id: string | null;
  kind: "template" | "text";
  template_name: string;
  language: string;
  parameters: string[];
  text: string;
  everyone: boolean;
  tag_ids: string[];
  when: "now" | "at";
  /** values of <input type="datetime-local">, in the browser's zone */
  starts_at: string;
  expires_at: string;
}

export const emptyDraft: Draft = {
  name: "", connection_id: null, kind: "template", template_name: "", language: "en_US", parameters: [],
  text: "", everyone: true, tag_ids: [], when: "now", starts_at: "", expires_at: "",
};

export function toDraft(c: Campaign): Draft {
  return {
    name: c.name,
    connection_id: c.connection_id,
    kind: c.content.kind,
    template_name: c.content.template?.name ?? "",
    language: c.content.template?.language ?? emptyDraft.language,
    parameters: c.content.template?.parameters ?? [],
    text: c.content.text ?? "",
    everyone: c.audience.all === true,
    tag_ids: c.audience.tag_ids ?? [],
    when: c.starts_at == null ? "now" : "at",
    starts_at: toLocalInput(c.starts_at),
    expires_at: toLocalInput(c.expires_at),
  };
}

export function toInput(d: Draft): CampaignInput {
  return {
    name: d.name.trim(),
    connection_id: d.connection_id ?? "",
    content: d.kind === "text"
      ? { kind: "text", text: d.text }
      : { kind: "template", template: { name: d.template_name.trim(), language: d.language.trim(), parameters: d.parameters } },
    audience: d.everyone ? { all: true } : { tag_ids: d.tag_ids },
    starts_at: d.when === "at" ? (fromLocalInput(d.starts_at) ?? undefined) : undefined,
    expires_at: fromLocalInput(d.expires_at) ?? undefined,
  };
}

const sameName = new Set(["name", "connection_id", "starts_at", "expires_at"]);

/** The form's field of a path in the API's body, null when there is none. */
export function draftField(path: string): string | null {
  if (sameName.has(path)) return path;
  if (path === "content.text") return "text";
  if (path === "content.template.name" || path === "content.template") return "template_name";
  if (path === "content.template.language") return "language";
  const parameter = /^content\.template\.parameters(?:\.(\d+))?/.exec(path);
  if (parameter !== null) return `parameters.${parameter[1] ?? "0"}`;
  if (path.startsWith("audience")) return "tag_ids";
  return null;
}

export type DraftComplaints = Partial<Record<keyof Draft, "missing" | "past" | "beforeStart">>;

/** What can be said before the server is asked. */
export function complaints(d: Draft, now: Date): DraftComplaints {
  const found: DraftComplaints = {};
  if (d.name.trim() === "") found.name = "missing";
  if (d.connection_id === null) found.connection_id = "missing";
  if (d.kind === "template" && d.template_name.trim() === "") found.template_name = "missing";
  if (d.kind === "template" && d.language.trim() === "") found.language = "missing";
  if (d.kind === "text" && d.text.trim() === "") found.text = "missing";
  if (!d.everyone && d.tag_ids.length === 0) found.tag_ids = "missing";
  const starts = d.when === "at" ? fromLocalInput(d.starts_at) : null;
  if (d.when === "at" && starts === null) found.starts_at = "missing";
  else if (starts !== null && new Date(starts) <= now) found.starts_at = "past";
  const expires = fromLocalInput(d.expires_at);
  if (expires !== null && new Date(expires) <= now) found.expires_at = "past";
  else if (expires !== null && starts !== null && expires <= starts) found.expires_at = "beforeStart";
  return found;
}
