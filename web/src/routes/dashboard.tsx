import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import { PageHead } from "../components/page";
import { Chart } from "../features/dashboard/chart";
import { Concerns } from "../features/dashboard/concerns";
import { campaignSharesQuery, connectionSharesQuery, trafficQuery } from "../features/dashboard/queries";
import { DemoBadge } from "../features/demo/remove";
import { RangeChips } from "../features/dashboard/range";
import { Running } from "../features/dashboard/running";
import { Shares } from "../features/dashboard/shares";
import { type Metric, type Span, spanOf } from "../features/dashboard/span";
import { Stats } from "../features/dashboard/stats";
import { Loaded, Widget } from "../features/dashboard/widget";

const route = getRouteApi("/signed-in/shell/in-company/");

export default function DashboardPage() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const { me } = route.useRouteContext();
  const span = spanOf(search);
  const metric = search.show ?? "sent";
  const today = new Date().toLocaleDateString("en-CA", { timeZone: me.company?.zone });
  return (
    <>
      <PageHead title={t("dashboard.title")} beside={<span className="quiet wide">{me.company?.zone}</span>}><RangeChips search={search} today={today} /></PageHead>
      <div className="only-phone"><DemoBadge me={me} className="demo-line" /></div>
      <div className="dashboard">
        <div>
          <Widget title={t("dashboard.traffic")} place={1} height={264}><TrafficPart span={span} search={search} metric={metric} /></Widget>
          <Widget title={t("dashboard.byCampaign")} place={4} height={66}><CampaignPart span={span} metric={metric} /></Widget>
        </div>
        <div>
          <Widget title={t("dashboard.concerns")} place={2} height={44}><Concerns /></Widget>
          <Widget title={t("dashboard.running")} place={3} height={72}><Running /></Widget>
          <Widget title={t("dashboard.byConnection")} place={5} height={66}><ConnectionPart span={span} metric={metric} /></Widget>
        </div>
      </div>
    </>
  );
}

const moving = 10_000;

function TrafficPart({ span, search, metric }: { span: Span; search: ReturnType<typeof route.useSearch>; metric: Metric }) {
  const traffic = useQuery({ ...trafficQuery(span), refetchInterval: usePolling(moving) });
  return (
    <Loaded query={traffic} rows={6}>
      {(data) => <div style={traffic.isPlaceholderData ? { opacity: 0.6 } : undefined}><Stats traffic={data} search={search} /><Chart traffic={data} metric={metric} /></div>}
    </Loaded>
  );
}

function CampaignPart({ span, metric }: { span: Span; metric: Metric }) {
  const shares = useQuery({ ...campaignSharesQuery(span), refetchInterval: usePolling(moving) });
  return <Shares of="campaigns" query={shares} metric={metric} />;
}

function ConnectionPart({ span, metric }: { span: Span; metric: Metric }) {
  const shares = useQuery({ ...connectionSharesQuery(span), refetchInterval: usePolling(moving) });
  return <Shares of="connections" query={shares} metric={metric} />;
}
