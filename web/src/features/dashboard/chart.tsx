import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { DashboardTraffic } from "../../api/types";
import { formatCount } from "../../lib/format";
import { labelled, type Metric, scaleTop } from "./span";

const height = 132;

/** Bars of one number over the span. The one under the pointer, or reached by arrow keys, is told in words. */
export function Chart({ traffic, metric }: { traffic: DashboardTraffic; metric: Metric }) {
  const { t } = useTranslation();
  const [at, setAt] = useState<number | null>(null);
  const { buckets, unit, zone } = traffic;
  const values = buckets.map((b) => Math.max(0, b[metric]));
  const top = scaleTop(Math.max(...values, 1));
  const width = 100 / buckets.length;
  const written = labelled(buckets.length, 8);
  const chosen = at === null ? undefined : buckets[at];
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    setAt(Math.min(buckets.length - 1, Math.max(0, (at ?? (step > 0 ? -1 : buckets.length)) + step)));
  };
  const words = chosen === undefined
    ? t("dashboard.chart", { metric: t(`dashboard.metric.${metric}`), unit: t(`dashboard.unit.${unit}`) })
    : `${when(chosen.at, unit, zone, true)}: ${formatCount(chosen[metric])}`;
  return (
    <div className="dash-chart" role="img" tabIndex={0} aria-label={words} onKeyDown={onKey} onBlur={() => setAt(null)} onPointerLeave={() => setAt(null)}>
      <div className="dash-chart-head"><span className="num" aria-live="polite">{words}</span><span className="spacer" />{values.some((value) => value > 0) && <span className="num quiet">{formatCount(top)}</span>}</div>
      <svg width="100%" height={height} aria-hidden="true">
        {[0, 0.5, 1].map((share) => <line key={share} x1="0" x2="100%" y1={0.5 + share * (height - 1)} y2={0.5 + share * (height - 1)} className="grid" />)}
        {values.map((value, n) => {
          const tall = value === 0 ? 0 : Math.max(2, (value / top) * (height - 1));
          return (
            <g key={buckets[n]?.at} className={n === at ? "chosen" : undefined} onPointerEnter={() => setAt(n)} onPointerDown={() => setAt(n)}>
              <rect x={`${n * width}%`} width={`${width}%`} y={0} height={height} className="hit" />
              <rect x={`${(n + 0.14) * width}%`} width={`${width * 0.72}%`} y={height - tall} height={tall} rx={1.5} className={metric === "failed" ? "mark bad" : "mark"} />
            </g>
          );
        })}
      </svg>
      <div className="dash-chart-foot" aria-hidden="true">
        {buckets.map((b, n) => written(n) && n * width <= 90 && <span key={b.at} style={{ left: `${n * width}%` }}>{when(b.at, unit, zone, false)}</span>)}
      </div>
    </div>
  );
}

/** A bucket's time in the company's zone: short on the axis, whole in words. */
function when(at: string, unit: DashboardTraffic["unit"], zone: string, whole: boolean): string {
  const date = new Date(at);
  const clock = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
  const day = date.toLocaleDateString("en-GB", { weekday: whole && unit === "day" ? "short" : undefined, day: "numeric", month: "short", timeZone: zone }).replace("Sept", "Sep");
  if (unit === "hour") return whole ? `${day}, ${clock}` : clock;
  return day;
}
