import { useQuery } from "@tanstack/react-query";
import { builtinFields } from "../lib/merge";
import { connectionsQuery } from "../features/connection/queries";
import { contactCountQuery, contactSampleQuery, tagsQuery } from "../features/contact/queries";

/** What the campaign's form needs of the other nouns. */
export function useCampaignParts() {
  const connections = useQuery(connectionsQuery);
  const tags = useQuery(tagsQuery);
  const count = useQuery(contactCountQuery);
  const sample = useQuery(contactSampleQuery);
  const attributes = new Set(sample.data?.items.flatMap((contact) => Object.keys(contact.attributes)) ?? []);
  return {
    pending: connections.isPending || tags.isPending || sample.isPending,
    error: connections.error ?? tags.error,
    connections: connections.data?.items ?? [],
    tags: tags.data?.items ?? [],
    contactCount: count.data?.count,
    fields: [...builtinFields, ...[...attributes].filter((name) => !builtinFields.some((known) => known === name)).sort()],
  };
}
