import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { DashboardTraffic } from "../../api/types";
import { formatCount } from "../../lib/format";
import { change, exactly, type DashboardSearch, type Metric, metrics, share } from "./span";

/** The five numbers of a span. Each leads to its chart and to the campaigns behind it. */
export function Stats({ traffic, search }: { traffic: DashboardTraffic; search: DashboardSearch }) {
  const { t } = useTranslation();
  return (
    <div className="stats">
      {metrics.map((metric) => {
        const n = traffic.total[metric];
        const delta = change(n, traffic.before[metric]);
        const active = (search.show ?? "sent") === metric;
        const rate = rateOf(metric, traffic);
        return (
          <Link
            key={metric} className={active ? "stat active" : "stat"} to="/" resetScroll={false} replace activeOptions={exactly}
            search={{ ...search, show: metric === "sent" ? undefined : metric }} aria-current={active ? "true" : undefined}
          >
            <span className="l">{t(`dashboard.metric.${metric}`)}</span>
            <span className="n">
              {formatCount(n)}
              {delta !== null && <small title={t("dashboard.before", { n: formatCount(traffic.before[metric]) })}>{delta}</small>}
            </span>
            <span className="l">{rate !== null && t(`dashboard.rate.${rate.of}`, { share: rate.share })}</span>
          </Link>
        );
      })}
    </div>
  );
}

function rateOf(metric: Metric, { total }: DashboardTraffic): { of: "delivered" | "read" | "failed"; share: string } | null {
  if (metric !== "delivered" && metric !== "read" && metric !== "failed") return null;
  const whole = { delivered: total.sent, read: total.delivered, failed: total.sent + total.failed }[metric];
  const part = share(total[metric], whole);
  return part === null ? null : { of: metric, share: part };
}
