// The form's values, to and from the API's words.
import type { Campaign, CampaignInput, DraftInput } from "../../api/types";
import { fromZonedInput, toZonedInput } from "../../lib/zone";

/** Whom a campaign is for. "filter" and "failed" (those whose message of another campaign failed) come from elsewhere and are only kept. */
export type AudienceKind = "all" | "tags" | "segment" | "import" | "filter" | "failed";

export interface Draft {
  name: string;
  connection_id: string | null;
  kind: "template" | "text";
  template_name: string;
  language: string;
  parameters: string[];
  text: string;
  audience: AudienceKind;
  tag_ids: string[];
  segment_id: string | null;
  import_id: string | null;
  filter: string;
  failed_of: string;
  failed_codes: number[];
  when: "now" | "at";
  /** values of <input type="datetime-local">, in the company's zone */
  starts_at: string;
  expires_at: string;
}

export const emptyDraft: Draft = {
  name: "", connection_id: null, kind: "template", template_name: "", language: "", parameters: [],
  text: "", audience: "all", tag_ids: [], segment_id: null, import_id: null, filter: "", failed_of: "", failed_codes: [], when: "now", starts_at: "", expires_at: "",
};

function kindOf(a: Campaign["audience"]): AudienceKind {
  if (a.segment_id !== undefined) return "segment";
  if (a.import_id !== undefined) return "import";
  if (a.failed_of !== undefined) return "failed";
  if (a.filter !== undefined) return "filter";
  return a.all === true ? "all" : "tags";
}

export function toDraft(c: Campaign, zone: string): Draft {
  return {
    name: c.name,
    connection_id: c.connection_id,
    kind: c.content.kind,
    template_name: c.content.template?.name ?? "",
    language: c.content.template?.language ?? "",
    parameters: c.content.template?.parameters ?? [],
    text: c.content.text ?? "",
    audience: kindOf(c.audience),
    tag_ids: c.audience.tag_ids ?? [],
    segment_id: c.audience.segment_id ?? null,
    import_id: c.audience.import_id ?? null,
    filter: c.audience.filter ?? "",
    failed_of: c.audience.failed_of ?? "",
    failed_codes: c.audience.failed_codes ?? [],
    when: c.starts_at == null ? "now" : "at",
    starts_at: toZonedInput(c.starts_at, zone),
    expires_at: toZonedInput(c.expires_at, zone),
  };
}

function toAudience(d: Draft): CampaignInput["audience"] {
  switch (d.audience) {
    case "all": return { all: true };
    case "tags": return { tag_ids: d.tag_ids };
    case "segment": return { segment_id: d.segment_id ?? "" };
    case "import": return { import_id: d.import_id ?? "" };
    case "filter": return { filter: d.filter };
    case "failed": return { failed_of: d.failed_of, failed_codes: d.failed_codes };
  }
}

function toContent(d: Draft): CampaignInput["content"] {
  if (d.kind === "text") return { kind: "text", text: d.text };
  if (d.template_name.trim() === "") return { kind: "template" };
  return { kind: "template", template: { name: d.template_name.trim(), language: d.language.trim(), parameters: d.parameters } };
}

const startOf = (d: Draft, zone: string) => (d.when === "at" ? (fromZonedInput(d.starts_at, zone)?.at ?? undefined) : undefined);
const endOf = (d: Draft, zone: string) => fromZonedInput(d.expires_at, zone)?.at ?? undefined;

export function toInput(d: Draft, zone: string): CampaignInput {
  return {
    name: d.name.trim(),
    connection_id: d.connection_id ?? "",
    content: toContent(d),
    audience: toAudience(d),
    starts_at: startOf(d, zone),
    expires_at: endOf(d, zone),
  };
}

/** What can be checked of a draft that is being written; null while nobody is chosen or nothing to send from. */
export function toCheck(d: Draft, zone: string): DraftInput | null {
  const nobody = missingAudience(d) !== null;
  if (d.connection_id === null || nobody) return null;
  return { connection_id: d.connection_id, content: toContent(d), audience: toAudience(d), starts_at: startOf(d, zone), expires_at: endOf(d, zone) };
}

export function missingAudience(d: Draft): "tag_ids" | "segment_id" | "import_id" | "filter" | null {
  if (d.audience === "tags" && d.tag_ids.length === 0) return "tag_ids";
  if (d.audience === "segment" && d.segment_id === null) return "segment_id";
  if (d.audience === "import" && d.import_id === null) return "import_id";
  if (d.audience === "filter" && d.filter.trim() === "") return "filter";
  return null;
}

const sameName = new Set(["name", "connection_id", "starts_at", "expires_at"]);

/** The form's field of a path in the API's body, null when there is none. */
export function draftField(path: string): string | null {
  if (sameName.has(path)) return path;
  if (path === "content.text") return "text";
  if (path === "content.template.name" || path === "content.template" || path === "content.template.language") return "template_name";
  const parameter = /^content\.template\.parameters(?:\.(\d+))?/.exec(path);
  if (parameter !== null) return `parameters.${parameter[1] ?? "0"}`;
  const audience = /^audience\.(segment_id|import_id|filter)/.exec(path);
  if (audience?.[1] !== undefined) return audience[1];
  if (path.startsWith("audience")) return "tag_ids";
  return null;
}

export type DraftComplaints = Partial<Record<string, "missing" | "past" | "beforeStart" | "chooseTemplate">>;

/** What can be said before the server is asked. */
export function complaints(d: Draft, now: Date, zone: string): DraftComplaints {
  const found: DraftComplaints = {};
  if (d.name.trim() === "") found.name = "missing";
  if (d.connection_id === null) found.connection_id = "missing";
  if (d.kind === "template" && d.template_name.trim() === "") found.template_name = "chooseTemplate";
  if (d.kind === "text" && d.text.trim() === "") found.text = "missing";
  if (d.kind === "template") d.parameters.forEach((value, n) => { if (value.trim() === "") found[`parameters.${n}`] = "missing"; });
  const audience = missingAudience(d);
  if (audience !== null) found[audience] = "missing";
  const starts = startOf(d, zone);
  if (d.when === "at" && starts === undefined) found.starts_at = "missing";
  else if (starts !== undefined && new Date(starts) <= now) found.starts_at = "past";
  const expires = endOf(d, zone);
  if (expires !== undefined && new Date(expires) <= now) found.expires_at = "past";
  else if (expires !== undefined && starts !== undefined && expires <= starts) found.expires_at = "beforeStart";
  return found;
}

/** Whether two drafts would be kept alike: what is hidden in the form, such as the text of a template's campaign, makes no difference. */
export const sameDraft = (a: Draft, b: Draft, zone: string) => JSON.stringify(toInput(a, zone)) === JSON.stringify(toInput(b, zone));

/** The fields in which two drafts differ, in the order of the form. */
export function differences(a: Draft, b: Draft): (keyof Draft)[] {
  return (Object.keys(emptyDraft) as (keyof Draft)[]).filter((field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]));
}
