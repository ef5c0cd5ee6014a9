import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/problem";
import { Failed, PageHead, Waiting } from "../components/page";
import { campaignLiveQuery, campaignQuery } from "../features/campaign/queries";
import { LiveWords } from "../features/campaign/run";
import { canCancel } from "../features/campaign/states";
import { RunView } from "../features/run/view";
import { NotFound } from "./fallback";

const route = getRouteApi("/signed-in/shell/in-company/campaigns/$id/run");

export default function CampaignRunPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const { run } = route.useSearch();
  const { me } = route.useRouteContext();
  const campaign = useQuery(campaignQuery(id));
  const active = campaign.data !== undefined && canCancel(campaign.data);
  const live = useQuery({ ...campaignLiveQuery(id), enabled: active, refetchInterval: 2_000 });
  if (campaign.isPending) return <Waiting />;
  if (campaign.data === undefined) {
    if (campaign.error instanceof ApiError && (campaign.error.status === 404 || campaign.error.status === 422)) return <NotFound />;
    return <Failed error={campaign.error} retry={() => void campaign.refetch()} />;
  }
  return (
    <>
      <PageHead title={t("run.title")} crumb={<Link className="crumb clip way" to="/campaigns/$id" params={{ id }}>{campaign.data.name}</Link>} />
      <RunView owner="campaigns" id={id} run={run} temporal={me.temporal_ui} now={active ? <LiveWords live={live.data} /> : <span>{t("run.campaignOver")}</span>} />
    </>
  );
}
