import { Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Campaign } from "../../api/types";
import { CampaignStateLabel, StateBar } from "../../components/state";
import { Time } from "../../components/small";
import { type Column, VirtualList } from "../../components/virtual-list";
import { formatCount, formatRate } from "../../lib/format";
import { percentDone, total } from "../../lib/segments";

interface Props {
  campaigns: Campaign[];
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

export function CampaignList({ campaigns, ...more }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const columns: Column<Campaign>[] = [
    { key: "name", header: t("campaign.name"), width: "minmax(0, 2.4fr)", cell: (c) => <Name campaign={c} /> },
    { key: "state", header: t("campaign.stateHead"), width: "104px", cell: (c) => <CampaignStateLabel state={c.state} /> },
    { key: "progress", header: t("campaign.progress"), width: "minmax(140px, 1.4fr)", wide: true, cell: (c) => <Progress campaign={c} /> },
    { key: "recipients", header: t("campaign.recipients"), width: "84px", align: "end", wide: true, cell: (c) => <Count n={c.recipients} /> },
    { key: "failed", header: t("message.state.failed"), width: "64px", align: "end", wide: true, cell: (c) => <Failures campaign={c} /> },
    { key: "rate", header: t("campaign.rate"), width: "64px", align: "end", wide: true, cell: (c) => <span className="num quiet">{formatRate(c.rate_per_s) || "–"}</span> },
    { key: "start", header: t("campaign.start"), width: "124px", align: "end", wide: true, cell: (c) => <Time at={c.started_at ?? c.starts_at} /> },
    { key: "finish", header: t("campaign.finish"), width: "124px", align: "end", wide: true, cell: (c) => <Time at={c.finished_at ?? c.finish_at} /> },
  ];
  return (
    <VirtualList
      label={t("campaign.title")}
      items={campaigns}
      columns={columns}
      keyOf={(c) => c.id}
      onOpen={(c) => void navigate({ to: "/campaigns/$id", params: { id: c.id }, search: {} })}
      rowHeight={46}
      phoneHeight={62}
      {...more}
    />
  );
}

function Name({ campaign }: { campaign: Campaign }) {
  return (
    <>
      <div className="clip">
        <Link className="plain" to="/campaigns/$id" params={{ id: campaign.id }} search={{}} tabIndex={-1} style={{ fontWeight: 500 }}>{campaign.name}</Link>
        <span className="quiet wide" style={{ marginLeft: 8 }}>{campaign.connection_name}</span>
      </div>
      <div className="only-phone" style={{ fontSize: 12, marginTop: 2 }}>
        {total(campaign.counts) === 0 ? <span className="quiet">{campaign.connection_name}</span> : <Progress campaign={campaign} />}
      </div>
    </>
  );
}

function Progress({ campaign }: { campaign: Campaign }) {
  if (total(campaign.counts) === 0) return <span className="quiet wide">–</span>;
  return (
    <div style={{ display: "flex", alignItems: "center", gap: 10 }}>
      <div style={{ flex: 1 }}><StateBar counts={campaign.counts} thin /></div>
      <span className="num quiet" style={{ width: 34, textAlign: "right" }}>{percentDone(campaign.counts)}%</span>
    </div>
  );
}

function Count({ n }: { n: number }) {
  return <span className={n === 0 ? "num quiet" : "num"}>{n === 0 ? "–" : formatCount(n)}</span>;
}

function Failures({ campaign }: { campaign: Campaign }) {
  const { failed } = campaign.counts;
  if (failed === 0) return <Count n={0} />;
  return (
    <Link className="plain under num" style={{ color: "var(--mantine-color-error)" }} to="/campaigns/$id" params={{ id: campaign.id }} search={{ state: "failed" }}>
      {formatCount(failed)}
    </Link>
  );
}
