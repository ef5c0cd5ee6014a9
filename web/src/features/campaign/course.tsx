// What happened over time, as bars and as a table. The drawing is small enough to be our own.
import { UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../../api/realtime";
import type { Campaign, Course } from "../../api/types";
import { Time } from "../../components/small";
import { formatCount, formatInstant, formatSpan } from "../../lib/format";
import { courseQuery } from "./queries";
import { isMoving } from "./states";
import { niceTop } from "./scale";

const series = ["sent", "delivered", "read", "failed"] as const;
const width = 960; // of the drawing's own units; it is stretched to the page
const height = 132;

export function CourseChart({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const polling = usePolling(isMoving(campaign) ? 10_000 : false);
  const course = useQuery({ ...courseQuery(campaign.id), refetchInterval: polling });
  const [table, setTable] = useState(false);
  if (course.data === undefined || course.data.buckets.length < 2) return null; // a single bar says nothing that the counts do not
  const each = t("results.perBucket", { span: formatSpan(course.data.seconds * 1000) });
  return (
    <section className="results" aria-labelledby="course-title">
      <div className="results-head">
        <h2 id="course-title">{t("results.course")}</h2>
        <span className="quiet">{each}</span>
        <span className="spacer" />
        <UnstyledButton className="chip" aria-pressed={table} onClick={() => setTable(!table)}>{t(table ? "results.asChart" : "results.asTable")}</UnstyledButton>
      </div>
      {table ? <CourseTable course={course.data} label={each} /> : <Drawing course={course.data} />}
    </section>
  );
}

function Drawing({ course }: { course: Course }) {
  const { t } = useTranslation();
  const [at, setAt] = useState<number | null>(null);
  const { buckets } = course;
  const top = niceTop(Math.max(...buckets.flatMap((b) => series.map((s) => b[s]))));
  const step = width / buckets.length;
  const y = (value: number) => height - (Math.max(0, value) / top) * height;
  const line = (of: "delivered" | "read") => buckets.map((b, n) => `${n === 0 ? "M" : "L"}${((n + 0.5) * step).toFixed(1)} ${y(b[of]).toFixed(1)}`).join("");
  const shown = at === null ? undefined : buckets[at];
  const words = (b: Course["buckets"][number]) => series.map((s) => `${formatCount(b[s])} ${t(`results.series.${s}`).toLowerCase()}`).join(", ");
  const total = series.map((s) => `${formatCount(buckets.reduce((sum, b) => sum + b[s], 0))} ${t(`results.series.${s}`).toLowerCase()}`).join(", ");

  const onKey = (event: KeyboardEvent) => {
    const last = buckets.length - 1;
    const next = { ArrowRight: (at ?? -1) + 1, ArrowLeft: (at ?? last + 1) - 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") setAt(null);
    if (next === undefined) return;
    event.preventDefault();
    setAt(Math.min(last, Math.max(0, next)));
  };
  const onMove = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setAt(Math.min(buckets.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * buckets.length))));
  };
  return (
    <>
      <div className="legend" aria-hidden="true">
        {series.map((s) => <span key={s}><i style={{ background: `var(--state-${s})` }} />{t(`results.series.${s}`)}{shown !== undefined && <b className="num">{formatCount(shown[s])}</b>}</span>)}
        <span className="quiet num">{shown === undefined ? "" : formatInstant(shown.at, new Date())}</span>
      </div>
      <div
        className="course"
        role="slider"
        tabIndex={0}
        aria-label={t("results.chartLabel", { total })}
        aria-valuemin={0}
        aria-valuemax={buckets.length - 1}
        aria-valuenow={at ?? 0}
        aria-valuetext={shown === undefined ? t("results.chartHint") : `${formatInstant(shown.at, new Date())}: ${words(shown)}`}
        onKeyDown={onKey}
        onPointerMove={onMove}
        onPointerLeave={() => setAt(null)}
        onBlur={() => setAt(null)}
      >
        <span className="axis num" style={{ top: 0 }}>{formatCount(top)}</span>
        <span className="axis num" style={{ top: "50%" }}>{formatCount(top / 2)}</span>
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
          <path d={`M0 0.5H${width}M0 ${height / 2}H${width}`} className="grid" />
          {shown !== undefined && at !== null && <rect x={at * step} y={0} width={step} height={height} className="cursor" />}
          {buckets.map((b, n) => (
            <g key={b.at}>
              <rect x={n * step + step * 0.12} width={step * 0.76} y={y(b.sent)} height={height - y(b.sent)} fill="var(--state-sent)" />
              {b.failed > 0 && <rect x={n * step + step * 0.12} width={step * 0.76} y={y(b.failed)} height={height - y(b.failed)} fill="var(--state-failed)" />}
            </g>
          ))}
          <path d={line("delivered")} className="line" stroke="var(--state-delivered)" />
          <path d={line("read")} className="line" stroke="var(--state-read)" />
        </svg>
      </div>
      <div className="ends quiet"><Time at={buckets[0]?.at} /><Time at={buckets.at(-1)?.at} /></div>
    </>
  );
}

function CourseTable({ course, label }: { course: Course; label: string }) {
  const { t } = useTranslation();
  return (
    <div className="table-box" tabIndex={0} role="region" aria-label={t("results.course")}>
      <table className="table">
        <caption className="sr">{label}</caption>
        <thead><tr><th scope="col">{t("results.from")}</th>{series.map((s) => <th key={s} scope="col" className="end">{t(`results.series.${s}`)}</th>)}</tr></thead>
        <tbody>
          {course.buckets.map((b) => (
            <tr key={b.at}><th scope="row"><Time at={b.at} /></th>{series.map((s) => <td key={s} className="end num">{formatCount(b[s])}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
