// Templates as people think of them: one name, several languages.
import type { SyncedTemplate, TemplateSync } from "../../api/types";

export interface TemplateGroup {
  key: string;
  /** one through which it can be sent */
  connection_id: string;
  /** all of them: numbers of one account have the same templates */
  connection_ids: string[];
  name: string;
  category: string;
  languages: SyncedTemplate[];
}

/** The languages of each name and account together, in the order given; accountOf tells a connection's account. */
export function groupTemplates(items: SyncedTemplate[], accountOf: (connection: string) => string): TemplateGroup[] {
  const groups = new Map<string, TemplateGroup>();
  for (const item of items) {
    const key = `${accountOf(item.connection_id)} ${item.name}`;
    const group = groups.get(key) ?? { key, connection_id: item.connection_id, connection_ids: [], name: item.name, category: item.category, languages: [] };
    if (!group.connection_ids.includes(item.connection_id)) group.connection_ids.push(item.connection_id);
    if (!group.languages.some((one) => one.language === item.language)) group.languages.push(item);
    groups.set(key, group);
  }
  return [...groups.values()];
}

export const canSend = (t: SyncedTemplate) => t.unfit === "";

/** The filters of the page, by what one does about them. */
export const standings = ["ready", "waiting", "trouble"] as const;
export type Standing = (typeof standings)[number];

const waiting = new Set(["PENDING", "IN_APPEAL"]);

export function standingOf(t: SyncedTemplate): Standing {
  if (canSend(t)) return "ready";
  return waiting.has(t.status) ? "waiting" : "trouble";
}

/** The connections that were never asked for their templates. */
export const neverSynced = (syncs: TemplateSync[]) => syncs.filter((s) => s.synced_at == null && s.problem === "").map((s) => s.connection_id);

/** The oldest sync of those given, or null when one was never synced. */
export function oldestSync(syncs: TemplateSync[]): string | null {
  const instants = syncs.map((s) => s.synced_at ?? null);
  return instants.length === 0 || instants.includes(null) ? null : (instants as string[]).reduce((a, b) => (a < b ? a : b));
}
