// What a workflow does and did, for people who do not know what a workflow is.
import { Button } from "@mantine/core";
import { IconCloudOff, IconExternalLink, IconRoute } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Doing, Moment, RunHead, WorkflowRun } from "../../api/types";
import { Empty, Failed, Waiting } from "../../components/page";
import { Time, useNow } from "../../components/small";
import { Dot } from "../../components/state";
import { formatCount, formatInstant, formatSpan } from "../../lib/format";
import { type Owner, runQuery, runsQuery } from "./queries";

interface Props {
  owner: Owner;
  id: string;
  run: string | undefined;
  /** what it does now, in words */
  now: ReactNode;
  /** whether the link to the Temporal UI may be shown */
  temporal: boolean;
}

export function RunView({ owner, id, run, now, temporal }: Props) {
  const { t } = useTranslation();
  const query = useInfiniteQuery({
    ...runQuery(owner, id, run),
    refetchInterval: (q) => (q.state.data?.pages[0]?.run?.state === "running" || q.state.data?.pages[0]?.state !== "known" ? 2_000 : false),
  });
  if (query.isPending) return <Waiting />;
  const first = query.data?.pages[0];
  if (first === undefined) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (first.run == null) {
    return <Empty icon={first.state === "unavailable" ? <IconCloudOff size={32} stroke={1.4} /> : <IconRoute size={32} stroke={1.4} />}>{first.words}</Empty>;
  }
  const moments = query.data?.pages.flatMap((page) => page.run?.moments ?? []) ?? [];
  const url = temporal ? first.workflow_url : null;
  return (
    <div className="run">
      <div className="page" style={{ minWidth: 0 }}>
        <section className="panel run-now" aria-label={t("run.now")}>
          {run === undefined || first.run.state === "running" ? now : <span>{t(`run.stateWords.${first.run.state}`)}</span>}
          {first.run.doing.map((doing) => <DoingRow key={`${doing.name} ${doing.since}`} doing={doing} />)}
        </section>
        <h2 className="run-title">{t("run.timeline")}</h2>
        <ol className="story run-story">{moments.map((moment) => <MomentRow key={moment.event} moment={moment} />)}</ol>
        {query.hasNextPage && <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{t("run.older")}</Button>}
      </div>
      <aside className="side" aria-label={t("run.facts")}>
        <RunFacts owner={owner} id={id} run={first.run} />
        <Runs owner={owner} id={id} shown={first.run.id} />
        {url != null && <p><a className="text" href={url} target="_blank" rel="noreferrer">{t("campaign.openTemporal")} <IconExternalLink size={13} aria-hidden="true" /></a></p>}
      </aside>
    </div>
  );
}

function DoingRow({ doing }: { doing: Doing }) {
  const { t } = useTranslation();
  const now = useNow();
  const since = formatSpan(now.getTime() - new Date(doing.since).getTime());
  return (
    <div className="doing">
      <Dot color={doing.running ? "var(--state-sending)" : "var(--state-queued)"} hollow={!doing.running} />
      <div>
        <div className="upper">{doing.summary || doing.name}</div>
        <div className="quiet num">
          {doing.running ? t("run.runningFor", { span: since }) : doing.next_at != null ? t("run.nextTry", { at: formatInstant(doing.next_at, now) }) : t("run.waitsForWorker", { span: since })}
          {doing.attempt > 1 && <> · {t("run.attempt", { n: doing.attempt })}</>}
          {doing.progress !== "" && <> · {t("run.soFar", { counts: doing.progress })}</>}
        </div>
        {doing.last_error !== "" && <div className="quiet">{t("run.lastError", { words: doing.last_error })}</div>}
      </div>
    </div>
  );
}

const bad: readonly Moment["outcome"][] = ["failed", "timed out"];

function MomentRow({ moment: m }: { moment: Moment }) {
  const { t } = useTranslation();
  const now = useNow(15_000);
  const length = m.until == null ? 0 : new Date(m.until).getTime() - new Date(m.at).getTime();
  return (
    <li className={m.kind === "look" || m.kind === "woken" || m.kind === "timer" ? "minor" : undefined} data-kind={m.kind}>
      <MomentDot moment={m} />
      <div>
        <div>
          {m.kind === "look" && <span className="quiet">{t("run.looked")} </span>}
          <span className={m.kind === "look" ? undefined : "upper"}>{m.words || m.name}</span>
          {m.count > 1 && <span className="quiet num"> {t("run.times", { n: formatCount(m.count) })}</span>}
          {bad.includes(m.outcome) && <span className="badge" style={{ marginLeft: 8 }}>{t(m.outcome === "failed" ? "run.failed" : "run.timedOut")}</span>}
        </div>
        <div className="quiet num">
          <Time at={m.at} />
          {m.kind === "activity" && m.outcome === "open" && <> · {t("run.underWay")}</>}
          {m.kind === "activity" && m.outcome !== "open" && <> · {t("run.took", { span: length < 1_000 ? t("run.lessThanSecond") : formatSpan(length) })}</>}
          {m.kind === "timer" && m.outcome === "open" && m.until != null && <> · {t("connection.until", { at: formatInstant(m.until, now) })}</>}
          {m.kind === "timer" && m.outcome === "fired" && <> · {t("run.timeUp", { span: formatSpan(length) })}</>}
          {m.kind === "timer" && m.outcome === "woken" && <> · {t("run.wokenAfter", { span: formatSpan(length) })}</>}
          {m.attempt > 1 && <> · {t("run.attempt", { n: m.attempt })}</>}
          {m.detail !== "" && <> · {m.detail}</>}
        </div>
      </div>
    </li>
  );
}

function MomentDot({ moment: m }: { moment: Moment }) {
  if (bad.includes(m.outcome) || m.kind === "trouble") return <Dot color="var(--state-failed)" />;
  if (m.kind === "activity") return <Dot color={m.outcome === "open" ? "var(--state-sending)" : "var(--state-read)"} />;
  if (m.kind === "started" || m.kind === "ended") return <Dot color="var(--mantine-color-text)" />;
  return <Dot color="var(--state-queued)" hollow />;
}

function RunFacts({ owner, id, run }: { owner: Owner; id: string; run: WorkflowRun }) {
  const { t } = useTranslation();
  return (
    <>
      <h2 style={{ fontSize: 13 }}>{t("run.facts")}</h2>
      <dl className="facts">
        <dt>{t("run.state")}</dt><dd>{t(`run.states.${run.state}`)}</dd>
        <dt>{t("campaign.started")}</dt><dd><Time at={run.started_at} /></dd>
        {run.closed_at != null && <><dt>{t("run.ended")}</dt><dd><Time at={run.closed_at} /></dd></>}
        <dt>{t("run.events")}</dt><dd className="num">{formatCount(run.events)}</dd>
        {run.previous !== "" && <><dt>{t("run.goesOnFrom")}</dt><dd><RunLink owner={owner} id={id} run={run.previous}>{t("run.before")}</RunLink></dd></>}
        {run.next !== "" && <><dt>{t("run.wentOnIn")}</dt><dd><RunLink owner={owner} id={id} run={run.next}>{t("run.after")}</RunLink></dd></>}
      </dl>
    </>
  );
}

function RunLink({ owner, id, run, children }: { owner: Owner; id: string; run: string | undefined; children: ReactNode }) {
  return owner === "campaigns"
    ? <Link className="text" to="/campaigns/$id/run" params={{ id }} search={{ run }}>{children}</Link>
    : <Link className="text" to="/connections/$id/run" params={{ id }} search={{ run }}>{children}</Link>;
}

function Runs({ owner, id, shown }: { owner: Owner; id: string; shown: string }) {
  const { t } = useTranslation();
  const runs = useQuery(runsQuery(owner, id));
  const items = runs.data?.items ?? [];
  if (items.length < 2) return null;
  return (
    <>
      <h2 style={{ fontSize: 13, marginTop: 22 }}>{t("run.runs")}</h2>
      <ul className="runs">
        {items.map((head: RunHead) => (
          <li key={head.id} aria-current={head.id === shown ? "true" : undefined}>
            {head.id === shown ? <Time at={head.started_at} /> : <RunLink owner={owner} id={id} run={head.id}><Time at={head.started_at} /></RunLink>}
            <span className="quiet">{t(`run.states.${head.state}`)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
