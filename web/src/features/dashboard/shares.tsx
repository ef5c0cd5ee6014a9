import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { MessageState, TrafficShare } from "../../api/types";
import { formatCount } from "../../lib/format";
import { type Metric, metrics } from "./span";
import { Loaded } from "./widget";

/** Who is behind the numbers of a span: campaigns or connections, by the number that the chart shows. */
export function Shares({ of, query, metric }: { of: "campaigns" | "connections"; query: UseQueryResult<{ items: TrafficShare[] }>; metric: Metric }) {
  const { t } = useTranslation();
  const least = metric === "delivered" ? "read" : "delivered"; // there is not room for all everywhere
  const shown = of === "campaigns" ? metrics : metrics.filter((m) => m !== least);
  const look = (m: Metric) => (m === metric ? "num on" : m === least ? "num wide" : "num");
  return (
    <Loaded query={query} rows={4}>
      {({ items }) => {
        if (items.length === 0) return <div className="widget-none">{t("dashboard.nothingSent")}</div>;
        const sorted = items.toSorted((a, b) => b[metric] - a[metric]);
        return (
          <table className={of === "campaigns" ? "shares" : "shares slim"}>
            <thead>
              <tr>
                <th>{t(of === "campaigns" ? "campaign.name" : "dashboard.connection")}</th>
                {shown.map((m) => <th key={m} className={look(m)}>{t(`dashboard.metric.${m}`)}</th>)}
              </tr>
            </thead>
            <tbody>
              {sorted.map((item) => (
                <tr key={item.id}>
                  <td className="clip"><Name of={of} item={item} /></td>
                  {shown.map((m) => (
                    <td key={m} className={look(m)}><Amount of={of} item={item} metric={m} /></td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        );
      }}
    </Loaded>
  );
}

function Name({ of, item }: { of: "campaigns" | "connections"; item: TrafficShare }) {
  if (of === "campaigns") return <Link className="plain under" to="/campaigns/$id" params={{ id: item.id }} search={{}}>{item.name}</Link>;
  return <Link className="plain under" to="/connections/$id" params={{ id: item.id }}>{item.name}</Link>;
}

const stateOf: Partial<Record<Metric, MessageState>> = { delivered: "delivered", read: "read", failed: "failed" };

function Amount({ of, item, metric }: { of: "campaigns" | "connections"; item: TrafficShare; metric: Metric }) {
  const n = item[metric];
  if (n === 0) return <span className="quiet">–</span>;
  const bad = metric === "failed" ? { color: "var(--mantine-color-error)" } : undefined;
  if (of === "connections" && metric === "replies") return <Link className="plain under" to="/inbox" search={{}}>{formatCount(n)}</Link>;
  if (of === "connections") return <Link className="plain under" style={bad} to="/connections/$id/messages" params={{ id: item.id }}>{formatCount(n)}</Link>;
  return <Link className="plain under" style={bad} to="/campaigns/$id" params={{ id: item.id }} search={metric === "replies" ? { replied: true } : { state: stateOf[metric] }}>{formatCount(n)}</Link>;
}
