import { Button } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, Navigate, useBlocker, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, fieldComplaints, fieldPath } from "../api/problem";
import type { Campaign } from "../api/types";
import { toastDone, toastError } from "../components/errors";
import { Crumb, Failed, PageHead, Waiting } from "../components/page";
import { CheckPanel } from "../features/campaign/check";
import { type Draft, toInput } from "../features/campaign/draft";
import { CampaignForm } from "../features/campaign/form";
import { formatCount } from "../lib/format";
import { actOnCampaign, campaignQuery, checkQuery, saveCampaign } from "../features/campaign/queries";
import { useCampaignParts } from "./campaign-parts";
import { NotFound } from "./fallback";

const route = getRouteApi("/signed-in/shell/in-company/campaigns/$id/edit");

export default function EditCampaignPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const parts = useCampaignParts();
  const campaign = useQuery(campaignQuery(id));
  if (campaign.error instanceof ApiError && campaign.error.status === 404) return <NotFound />;
  const error = campaign.error ?? parts.error;
  return (
    <>
      <PageHead
        title={t("campaign.edit")}
        crumb={<><Crumb to="/campaigns" label={t("campaign.title")} /><span className="quiet wide" aria-hidden="true">/</span><Link className="crumb clip wide" to="/campaigns/$id" params={{ id }} search={{}}>{campaign.data?.name ?? ""}</Link></>}
      />
      {error !== null && <Failed error={error} retry={() => void campaign.refetch()} />}
      {error === null && (campaign.isPending || parts.pending) && <Waiting />}
      {error === null && campaign.data !== undefined && !parts.pending && (
        campaign.data.state === "draft" ? <Editor campaign={campaign.data} parts={parts} /> : <Navigate to="/campaigns/$id" params={{ id }} search={{}} replace />
      )}
    </>
  );
}

function Editor({ campaign, parts }: { campaign: Campaign; parts: ReturnType<typeof useCampaignParts> }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [dirty, setDirty] = useState(false);
  const [saved, setSaved] = useState(campaign); // the version this form is based on, whatever is fetched meanwhile
  useBlocker({ shouldBlockFn: () => dirty && !window.confirm(t("form.leave")), enableBeforeUnload: () => dirty });

  const check = useQuery({ ...checkQuery(saved.id, saved.version), enabled: !dirty });
  const save = useMutation({
    mutationFn: (draft: Draft) => saveCampaign(saved.id, saved.version, toInput(draft)),
    onError: (error) => {
      if (error instanceof ApiError && error.status === 409) toastError(new ApiError(409, { detail: t("form.stale") }), t);
      else if (fieldComplaints(error).length === 0) toastError(error, t);
    },
    onSuccess: (changed) => {
      setSaved(changed);
      setDirty(false);
      queries.setQueryData(campaignQuery(changed.id).queryKey, changed);
      void queries.invalidateQueries({ queryKey: ["campaigns", "list"] });
    },
  });
  const start = useMutation({
    mutationFn: () => actOnCampaign(saved.id, "start"),
    onError: (error) => { toastError(error, t); void check.refetch(); },
    onSuccess: async (started) => {
      queries.setQueryData(campaignQuery(started.id).queryKey, started);
      void queries.invalidateQueries({ queryKey: ["campaigns", "list"] });
      toastDone(started.starts_at == null ? t("campaign.did.start") : t("campaign.did.schedule"));
      await navigate({ to: "/campaigns/$id", params: { id: started.id }, search: {} });
    },
  });

  const result = dirty ? undefined : check.data;
  const problems = (result?.problems ?? []).map((p) => ({ field: fieldPath(p.field), message: p.message }));
  const ready = result !== undefined && result.problems.length === 0 && result.recipients > 0 && !save.isPending;
  return (
    <div className="page form">
      <CampaignForm
        {...parts}
        campaign={campaign}
        saving={save.isPending}
        error={save.error}
        problems={problems.filter((p) => p.field !== "")}
        onSave={save.mutate}
        onDirty={setDirty}
        footer={
          <Button size="sm" leftSection={<IconPlayerPlay size={15} />} disabled={!ready} loading={start.isPending} onClick={() => start.mutate()}>
            {saved.starts_at == null ? t("campaign.startNow", { count: result?.recipients ?? 0, n: formatCount(result?.recipients ?? 0) }) : t("campaign.schedule")}
          </Button>
        }
      />
      <CheckPanel phase={dirty ? "unsaved" : check.isError ? "failed" : check.isPending ? "checking" : "done"} check={result} error={check.error} />
    </div>
  );
}
