import { getRouteApi, Navigate, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Crumb, Failed, PageHead, Waiting } from "../components/page";
import { type Draft, emptyDraft } from "../features/campaign/draft";
import type { CampaignParts } from "../features/campaign/form";
import { CampaignEditor } from "./campaign-editor";
import { useCampaignParts } from "./campaign-parts";

const route = getRouteApi("/signed-in/shell/in-company/campaigns/new");

export default function NewCampaignPage() {
  const { t } = useTranslation();
  const { draft } = route.useSearch();
  const [begun] = useState(draft);
  const { parts, pending, error } = useCampaignParts();
  if (begun !== undefined) return <Navigate to="/campaigns/$id/edit" params={{ id: begun }} replace />;
  return (
    <>
      <PageHead title={t("campaign.new")} crumb={<Crumb to="/campaigns" label={t("campaign.title")} />} />
      {pending && error === null && <Waiting />}
      {error !== null && <Failed error={error} />}
      {!pending && error === null && <Opened parts={parts} />}
    </>
  );
}

function Opened({ parts }: { parts: CampaignParts }) {
  const { me } = route.useRouteContext();
  const search = route.useSearch();
  const navigate = useNavigate();
  const [initial] = useState(() => begin(parts, search));
  // The address names the draft from its first save on, for a reload; the form stays as it is.
  return <CampaignEditor initial={initial} parts={parts} zone={me.company?.zone ?? "UTC"} onMade={(id) => void navigate({ to: "/campaigns/new", search: { draft: id }, replace: true, ignoreBlocker: true })} />;
}

/** A new draft with what there is only one of, and what the link that led here names. */
function begin(parts: CampaignParts, search: { connection?: string; template?: string; language?: string }): Draft {
  const connection = search.connection ?? (parts.connections.length === 1 ? parts.connections[0]?.id : undefined) ?? null;
  const template = parts.templates.items.find((one) => one.connection_id === connection && one.name === search.template && one.language === search.language);
  return {
    ...emptyDraft, connection_id: connection,
    ...(template === undefined ? {} : { template_name: template.name, language: template.language, parameters: Array.from({ length: template.parameters }, () => "") }),
  };
}
