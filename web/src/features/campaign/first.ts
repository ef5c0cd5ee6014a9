// A company's first campaign, filled in from what the first steps have brought.
import type { Connection, SyncedTemplate } from "../../api/types";
import { type Draft, emptyDraft } from "./draft";

interface Given {
  connections: Connection[];
  templates: SyncedTemplate[];
  /** the newest import that brought contacts */
  importId: string | undefined;
  name: string;
}

/** The template with the fewest parameters, but one to greet by name if there is such; English before other languages. */
function easiest(templates: SyncedTemplate[]): SyncedTemplate | undefined {
  const rank = (one: SyncedTemplate) => (one.parameters === 0 ? 100 : one.parameters * 10) + (one.language.startsWith("en") ? 0 : 1);
  return templates.filter((one) => one.unfit === "").sort((a, b) => rank(a) - rank(b))[0];
}

/** What can't be guessed stays empty, and the check names it. */
export function firstDraft({ connections, templates, importId, name }: Given): Draft {
  const works = connections.filter((one) => one.disabled_at == null);
  const connection = works.find((one) => one.state === "connected") ?? works[0];
  const template = easiest(templates.filter((one) => one.connection_id === connection?.id));
  return {
    ...emptyDraft,
    name,
    connection_id: connection?.id ?? null,
    ...(importId === undefined ? {} : { audience: "import" as const, import_id: importId }),
    ...(template === undefined ? {} : {
      template_name: template.name, language: template.language,
      parameters: Array.from({ length: template.parameters }, (_, n) => (n === 0 ? "{{first_name|friend}}" : "")),
    }),
  };
}
