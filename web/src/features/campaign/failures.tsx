import { Button } from "@mantine/core";
import { IconRepeat } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Campaign } from "../../api/types";
import { formatCount } from "../../lib/format";
import { failuresQuery } from "./queries";

/** What went wrong, by the provider's code: how often, what it means, what to do. */
export function Failures({ campaign, selected, onAgain }: { campaign: Campaign; selected: number | undefined; onAgain?: () => void }) {
  const { t } = useTranslation();
  const failures = useQuery({ ...failuresQuery(campaign.id, campaign.counts.failed), enabled: campaign.counts.failed > 0 });
  if (campaign.counts.failed === 0 || failures.data === undefined || failures.data.items.length === 0) return null;
  return (
    <section className="results" aria-labelledby="failures-title">
      <div className="results-head">
        <h2 id="failures-title">{t("results.failures")}</h2>
        <span className="quiet num">{t("results.failedCount", { n: formatCount(campaign.counts.failed) })}</span>
        <span className="spacer" />
        {onAgain !== undefined && <Button variant="default" size="compact-sm" leftSection={<IconRepeat size={14} />} onClick={onAgain}>{t("again.button")}</Button>}
      </div>
      <ul className="failures">
        {failures.data.items.map((f) => {
          const active = f.code === selected;
          return (
            <li key={f.code}>
              <Link
                className={active ? "failure active" : "failure"}
                to="/campaigns/$id"
                params={{ id: campaign.id }}
                search={active ? {} : { state: "failed", code: f.code }}
                resetScroll={false}
                activeProps={{}}
                aria-current={active ? "true" : undefined}
                data-code={f.code}
              >
                <span className="num n">{formatCount(f.count)}</span>
                <span className="mono quiet code">{f.code === 0 ? t("results.noCode") : f.code}</span>
                <span className="says"><span>{f.meaning}</span> <span className="quiet">{f.remedy}</span></span>
                {f.again && <span className="badge calm">{t("results.mayWork")}</span>}
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** What uncertain means, where there are some. */
export function UncertainNotice({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const n = campaign.counts.uncertain;
  if (n === 0) return null;
  return (
    <div className="notice-line">
      <span className="dot" style={{ background: "var(--state-uncertain)" }} aria-hidden="true" />
      <span>
        <Link className="text" to="/campaigns/$id" params={{ id: campaign.id }} search={{ state: "uncertain" }} resetScroll={false}>{t("results.uncertain", { count: n, n: formatCount(n) })}</Link>
        {" "}<span className="quiet">{t("results.uncertainMeans")}</span>
      </span>
    </div>
  );
}
