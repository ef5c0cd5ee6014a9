import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useBlocker, useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints } from "../api/problem";
import { toastError } from "../components/errors";
import { Crumb, Failed, PageHead, Waiting } from "../components/page";
import { CheckPanel } from "../features/campaign/check";
import { type Draft, toInput } from "../features/campaign/draft";
import { CampaignForm } from "../features/campaign/form";
import { campaignQuery, createCampaign } from "../features/campaign/queries";
import { useCampaignParts } from "./campaign-parts";

export default function NewCampaignPage() {
  const { t } = useTranslation();
  const parts = useCampaignParts();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const dirty = useRef(false);
  useBlocker({ shouldBlockFn: () => dirty.current && !window.confirm(t("form.leave")), enableBeforeUnload: () => dirty.current });
  const create = useMutation({
    mutationFn: (draft: Draft) => createCampaign(toInput(draft)),
    onError: (error) => { if (fieldComplaints(error).length === 0) toastError(error, t); },
    onSuccess: async (campaign) => {
      dirty.current = false;
      queries.setQueryData(campaignQuery(campaign.id).queryKey, campaign);
      void queries.invalidateQueries({ queryKey: ["campaigns", "list"] });
      await navigate({ to: "/campaigns/$id/edit", params: { id: campaign.id }, replace: true });
    },
  });
  return (
    <>
      <PageHead title={t("campaign.new")} crumb={<Crumb to="/campaigns" label={t("campaign.title")} />} />
      {parts.pending && parts.error === null && <Waiting />}
      {parts.error !== null && <Failed error={parts.error} />}
      {!parts.pending && parts.error === null && (
        <div className="page form">
          <CampaignForm {...parts} saving={create.isPending} error={create.error} problems={[]} onSave={create.mutate} onDirty={(is) => { dirty.current = is; }} />
          <CheckPanel phase="unsaved" check={undefined} error={null} />
        </div>
      )}
    </>
  );
}
