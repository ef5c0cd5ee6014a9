import type { AuditLine } from "../../api/types";

/** The page about what a line is about; undefined when there is none. */
export function subjectPage({ kind, subject_id: id, subjects }: Pick<AuditLine, "kind" | "subject_id" | "subjects">): string | undefined {
  if (kind === "uncertain" || kind === "company") return { uncertain: "/uncertain", company: "/settings" }[kind];
  if (id === undefined || subjects === 0) return undefined;
  switch (kind) {
    case "campaigns": return `/campaigns/${id}`;
    case "contacts": return `/contacts/${id}`;
    case "connections": return `/connections/${id}`;
    case "imports": return `/contacts/imports/${id}`;
    case "segments": return `/contacts/segments?id=${id}`;
    default: return undefined;
  }
}
