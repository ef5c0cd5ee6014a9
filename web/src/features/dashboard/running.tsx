import { Button } from "@mantine/core";
import { IconHourglass } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { usePolling } from "../../api/realtime";
import type { Campaign } from "../../api/types";
import { useNow } from "../../components/small";
import { CampaignStateLabel, StateBar } from "../../components/state";
import { formatCount, formatForecast, formatInstant, formatRate } from "../../lib/format";
import { WaitWords } from "../campaign/run";
import { done, percentDone, total } from "../../lib/segments";
import { fewCampaignsQuery } from "./queries";
import { Loaded } from "./widget";

/** Campaigns that send now, with the instant they finish, and those that come next. */
export function Running() {
  const { t } = useTranslation();
  const polling = usePolling(10_000); // beside the socket: rate and finish time need a second look
  const running = useQuery({ ...fewCampaignsQuery("running"), refetchInterval: polling });
  const scheduled = useQuery({ ...fewCampaignsQuery("scheduled"), refetchInterval: polling });
  return (
    <Loaded query={running} rows={3}>
      {({ items }) => {
        const next = scheduled.data?.items ?? [];
        if (items.length + next.length === 0) {
          return (
            <div className="widget-none">
              <span>{t("dashboard.noneRunning")}</span>
              <Button component={Link} to="/campaigns/new" variant="default">{t("campaign.new")}</Button>
            </div>
          );
        }
        return (
          <>
            {items.map((c) => <Row key={c.id} campaign={c} />)}
            {next.map((c) => <Next key={c.id} campaign={c} />)}
          </>
        );
      }}
    </Loaded>
  );
}

function Row({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const now = useNow();
  const rate = formatRate(campaign.rate_per_s);
  const wait = campaign.waits[0];
  return (
    <Link className="dash-line" to="/campaigns/$id" params={{ id: campaign.id }} search={{}}>
      <span className="dash-line-top"><span className="clip">{campaign.name}</span><span className="spacer" /><span className="num quiet">{percentDone(campaign.counts)}%</span></span>
      <StateBar counts={campaign.counts} thin />
      <span className="dash-line-foot num">
        <span>{t("campaign.doneOf", { done: formatCount(done(campaign.counts)), all: formatCount(total(campaign.counts)) })}</span>
        {rate !== "" && <span>{rate}</span>}
        <span className="spacer" />
        {campaign.finish_at != null && <span>{t("campaign.finishes", { at: formatForecast(campaign.finish_at, now) })}</span>}
      </span>
      {wait !== undefined && (
        <span className="dash-line-wait">
          <IconHourglass size={13} aria-hidden="true" />
          <span>{wait.count > 0 && <>{t("campaign.waiting", { count: wait.count, n: formatCount(wait.count) })} </>}<WaitWords wait={wait} /></span>
        </span>
      )}
    </Link>
  );
}

function Next({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  return (
    <Link className="dash-line" to="/campaigns/$id" params={{ id: campaign.id }} search={{}}>
      <span className="dash-line-top">
        <span className="clip">{campaign.name}</span><span className="spacer" />
        {campaign.starts_at == null ? <CampaignStateLabel state={campaign.state} /> : <span className="num quiet">{t("campaign.startsAt", { at: formatInstant(campaign.starts_at, now) })}</span>}
      </span>
    </Link>
  );
}
