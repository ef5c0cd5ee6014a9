import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, Navigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/problem";
import type { Campaign } from "../api/types";
import { Crumb, Failed, PageHead, Waiting } from "../components/page";
import { toDraft } from "../features/campaign/draft";
import type { CampaignParts } from "../features/campaign/form";
import { campaignQuery } from "../features/campaign/queries";
import { CampaignEditor } from "./campaign-editor";
import { useCampaignParts } from "./campaign-parts";
import { NotFound } from "./fallback";

const route = getRouteApi("/signed-in/shell/in-company/campaigns/$id/edit");

export default function EditCampaignPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const { parts, pending, error: partsError } = useCampaignParts();
  const campaign = useQuery(campaignQuery(id));
  if (campaign.error instanceof ApiError && campaign.error.status === 404) return <NotFound />;
  const error = campaign.data === undefined ? (campaign.error ?? partsError) : partsError;
  const ready = error === null && campaign.data !== undefined && !pending;
  return (
    <>
      <PageHead
        title={t("campaign.edit")}
        crumb={<><Crumb to="/campaigns" label={t("campaign.title")} /><span className="quiet wide" aria-hidden="true">/</span><Link className="crumb clip wide" to="/campaigns/$id" params={{ id }} search={{}}>{campaign.data?.name ?? ""}</Link></>}
      />
      {error !== null && <Failed error={error} retry={() => void campaign.refetch()} />}
      {error === null && !ready && <Waiting />}
      {ready && <Opened key={id} campaign={campaign.data} parts={parts} />}
    </>
  );
}

/** The editor of a draft as it was when the page was opened; later versions are the editor's business. */
function Opened({ campaign, parts }: { campaign: Campaign; parts: CampaignParts }) {
  const { me } = route.useRouteContext();
  const [first] = useState(campaign);
  const zone = me.company?.zone ?? "UTC";
  if (first.state !== "draft") return <Navigate to="/campaigns/$id" params={{ id: first.id }} search={{}} replace />;
  return <CampaignEditor campaign={first} initial={toDraft(first, zone)} parts={parts} zone={zone} />;
}
