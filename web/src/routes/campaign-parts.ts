import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { formatCount } from "../lib/format";
import { builtinFields } from "../lib/merge";
import type { CampaignParts } from "../features/campaign/form";
import { connectionsQuery } from "../features/connection/queries";
import { contactSampleQuery, segmentsQuery, tagsQuery, useContactCount } from "../features/contact/queries";
import { importsQuery } from "../features/import/queries";
import { templatesQuery } from "../features/template/queries";

const everybody = {};

/** What the campaign's form needs of the other nouns. */
export function useCampaignParts() {
  const connections = useQuery(connectionsQuery);
  const tags = useQuery(tagsQuery);
  const count = useContactCount(everybody);
  const sample = useQuery(contactSampleQuery);
  const templates = useQuery(templatesQuery);
  const imports = useInfiniteQuery(importsQuery); // the newest: an audience is rarely an old file
  const segments = useQuery(segmentsQuery);
  const attributes = new Set(sample.data?.items.flatMap((contact) => Object.keys(contact.attributes)) ?? []);
  const parts: CampaignParts = {
    connections: connections.data?.items ?? [],
    tags: tags.data?.items ?? [],
    contactCount: count.data?.count,
    segments: (segments.data?.items ?? []).map((one) => ({ id: one.id, label: one.name, filter: one.filter })),
    imports: (imports.data?.pages.flatMap((page) => page.items) ?? []).filter((one) => one.state === "finished" || one.state === "stopped")
      .map((one) => ({ id: one.id, label: `${one.file_name} · ${formatCount(one.counts.added + one.counts.updated + one.counts.unchanged)}` })),
    templates: templates.data ?? { items: [], syncs: [] },
    fields: [...builtinFields, ...[...attributes].filter((name) => !builtinFields.some((known) => known === name)).sort()],
  };
  return {
    pending: connections.isPending || tags.isPending || sample.isPending || templates.isPending || segments.isPending,
    // Of the first time only: a form that is being filled does not go because something could not be read again.
    error: [connections, tags, sample, templates, segments].find((part) => part.isLoadingError)?.error ?? null,
    parts,
  };
}
