// The parts of a campaign's page: its words, its progress, its tiles, its facts.
import { IconAlertTriangle, IconHourglass, IconInfoCircle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Campaign, CampaignLive, Waiting } from "../../api/types";
import { MergeText } from "../../components/merge-text";
import { Time, useNow } from "../../components/small";
import { MessageDot, StateBar } from "../../components/state";
import { formatCount, formatFinish, formatForecast, formatInstant, formatRate, formatSpan } from "../../lib/format";
import { done, messageStates, percentDone, total } from "../../lib/segments";

const shortWait = 60_000; // ms; a nearer instant is only its next look

/** What the campaign is doing now and until when, from the running workflow. */
export function LiveWords({ live }: { live: CampaignLive | undefined }) {
  const { t } = useTranslation();
  const now = useNow();
  if (live === undefined || live.detail === "") return null;
  // what names its own instant needs no other: the next look may come before it
  const until = live.until == null || /\buntil\b/.test(live.detail) || new Date(live.until).getTime() - now.getTime() < shortWait ? "" : ` (${t("campaign.until", { at: formatInstant(live.until, now), left: formatSpan(new Date(live.until).getTime() - now.getTime()) })})`;
  return (
    <div className="quiet" role="status">
      {live.state === "unavailable" ? t("campaign.liveUnavailable", { detail: live.detail }) : <>{t("campaign.now")} {live.detail}{until}</>}
    </div>
  );
}

const grave: Waiting["kind"][] = ["temporal", "workers", "restore", "connection"];

/** What keeps messages waiting, one line for each reason, with when it ends. */
export function Waits({ waits }: { waits: Waiting[] }) {
  const { t } = useTranslation();
  if (waits.length === 0) return null;
  return (
    <div role="status"><ul className="waits" aria-label={t("campaign.waits")}>
      {waits.map((wait) => (
        <li key={`${wait.kind} ${wait.until ?? ""}`}>
          {grave.includes(wait.kind) ? <IconAlertTriangle size={15} color="var(--warn)" aria-hidden="true" /> : <IconHourglass size={15} color="var(--quiet)" aria-hidden="true" />}
          <span>{wait.count > 0 && <strong className="num">{t("campaign.waiting", { count: wait.count, n: formatCount(wait.count) })} </strong>}<WaitWords wait={wait} /></span>
        </li>
      ))}
    </ul></div>
  );
}

/** One reason, and until when. */
export function WaitWords({ wait }: { wait: Waiting }) {
  const { t } = useTranslation();
  const now = useNow();
  const left = wait.until == null ? 0 : new Date(wait.until).getTime() - now.getTime();
  const words = wait.kind === "connection" || wait.kind === "retry" ? "nextTry" : "goesOn";
  const until = wait.until == null ? "" : left > 0 ? t(`campaign.${words}`, { at: formatInstant(wait.until, now), left: formatSpan(left) }) : t(`campaign.${words}Now`);
  return <>{wait.words}{until !== "" && <> <span className="quiet num">{until}</span></>}</>;
}

export function RunProgress({ campaign, live }: { campaign: Campaign; live: CampaignLive | undefined }) {
  const { t } = useTranslation();
  const { counts } = campaign;
  return (
    <section className="page" aria-label={t("campaign.progress")} style={{ paddingBottom: 12 }}>
      {campaign.state_detail !== "" && <StateNotice campaign={campaign} />}
      <div style={{ display: "flex", flexWrap: "wrap", alignItems: "baseline", gap: "2px 20px", marginBottom: 10 }}>
        <div>
          <span className="num" style={{ fontSize: 26, fontWeight: 600, letterSpacing: "-0.02em" }}>{percentDone(counts)}%</span>{" "}
          <span className="num quiet">{t("campaign.doneOf", { done: formatCount(done(counts)), all: formatCount(Math.max(campaign.recipients, total(counts))) })}</span>
        </div>
        <span className="spacer" />
        <Pace campaign={campaign} />
      </div>
      <StateBar counts={counts} />
      <div style={{ marginTop: 10, minHeight: 20 }}>
        <Waits waits={campaign.waits} />
        {(campaign.waits.length === 0 || ((campaign.rate_per_s ?? 0) > 0 && !campaign.waits.some((wait) => grave.includes(wait.kind)))) && <LiveWords live={campaign.state === "paused" ? undefined : live} />}
      </div>
    </section>
  );
}

/** Why it is in its state, and what ends a pause. */
function StateNotice({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const now = useNow();
  const paused = campaign.state === "paused";
  const next = !paused || campaign.paused_code == null ? "" : campaign.resumes_at != null ? t("campaign.resumesAt", { at: formatFinish(campaign.resumes_at, now) }) : t("campaign.resumeWhenMended");
  return (
    <div className="panel notice" style={{ padding: "9px 12px", marginBottom: 16 }} role={paused ? "status" : undefined}>
      {paused && campaign.paused_code != null
        ? <IconAlertTriangle size={17} color="var(--warn)" aria-hidden="true" />
        : <IconInfoCircle size={17} color={paused ? "var(--warn)" : "var(--quiet)"} aria-hidden="true" />}
      <span>
        {paused && campaign.paused_code != null && <strong>{t("campaign.pausedByProvider")} </strong>}
        {campaign.state_detail}
        {next !== "" && <> <span className="quiet">{next}</span></>}
        {paused && campaign.paused_code != null && campaign.paused_code !== 0 && <> <span className="quiet num">({t("campaign.providerCode", { code: campaign.paused_code })})</span></>}
      </span>
    </div>
  );
}

/** Rate and finish while it runs; how long it took afterwards. */
function Pace({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const now = useNow();
  const rate = formatRate(campaign.rate_per_s);
  if (campaign.finished_at != null && campaign.started_at != null) {
    const took = new Date(campaign.finished_at).getTime() - new Date(campaign.started_at).getTime();
    const each = took > 0 ? formatRate(done(campaign.counts) / (took / 1000)) : "";
    return <span className="num quiet">{t("campaign.took", { span: formatSpan(took), at: formatInstant(campaign.finished_at, now) })}{each === "" ? "" : ` · ${t("campaign.average", { rate: each })}`}</span>;
  }
  return (
    <span className="num">
      {rate !== "" && <span>{rate}</span>}
      {rate !== "" && campaign.finish_at != null && <span className="quiet"> · </span>}
      {campaign.finish_at != null && <span>{t("campaign.finishes", { at: formatForecast(campaign.finish_at, now) })}</span>}
      {campaign.state === "scheduled" && campaign.starts_at != null && <span>{t("campaign.startsAt", { at: formatFinish(campaign.starts_at, now) })}</span>}
    </span>
  );
}

/** One tile per ledger state; each leads to its messages. */
export function StateTiles({ campaign, selected }: { campaign: Campaign; selected: string | undefined }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t("message.filter")} className="tile-nav">
      <div className="tiles">
        {messageStates.map((state) => {
          const n = campaign.counts[state];
          const active = state === selected;
          return (
            <Link
              key={state}
              className={`tile${active ? " active" : ""}${n === 0 ? " zero" : ""}`}
              to="/campaigns/$id"
              params={{ id: campaign.id }}
              search={active ? {} : { state }}
              resetScroll={false}
              aria-current={active ? "true" : undefined}
              title={t(`message.meaning.${state}`)}
              data-state={state}
            >
              <span className="n"><MessageDot state={state} />{formatCount(n)}</span>
              <span className="l clip">{t(`message.state.${state}`)}</span>
            </Link>
          );
        })}
      </div>
    </nav>
  );
}

export function CampaignFacts({ campaign, tagNames, temporalUrl }: { campaign: Campaign; tagNames: string[]; temporalUrl: string | null }) {
  const { t } = useTranslation();
  const { skipped } = campaign;
  const left = skipped.opted_out + skipped.no_phone + skipped.window_shut;
  return (
    <aside className="side" aria-label={t("campaign.details")}>
      <h2 style={{ fontSize: 13 }}>{t("campaign.details")}</h2>
      <dl className="facts">
        <dt>{t("connection.one")}</dt>
        <dd><Link className="text" to="/connections/$id" params={{ id: campaign.connection_id }}>{campaign.connection_name}</Link></dd>
        <dt>{t("campaign.audience")}</dt>
        <dd><AudienceWords campaign={campaign} tagNames={tagNames} /></dd>
        <dt>{t("campaign.recipients")}</dt>
        <dd className="num">{campaign.recipients === 0 ? 0 : <Link className="text" to="/campaigns/$id" params={{ id: campaign.id }} search={{}} resetScroll={false}>{formatCount(campaign.recipients)}</Link>}</dd>
        {left > 0 && <><dt>{t("campaign.leftOut")}</dt><dd><SkippedWords skipped={skipped} /></dd></>}
        <dt>{t("campaign.created")}</dt>
        <dd><Time at={campaign.created_at} /></dd>
        {campaign.starts_at != null && <><dt>{t("campaign.planned")}</dt><dd><Time at={campaign.starts_at} /></dd></>}
        {campaign.started_at != null && <><dt>{t("campaign.started")}</dt><dd><Time at={campaign.started_at} /></dd></>}
        {campaign.expires_at != null && <><dt>{t("campaign.expires")}</dt><dd><Time at={campaign.expires_at} /></dd></>}
        {campaign.finished_at != null && <><dt>{t("campaign.finished")}</dt><dd><Time at={campaign.finished_at} /></dd></>}
        {campaign.state !== "draft" && <><dt>{t("campaign.run")}</dt><dd><Link className="text" to="/campaigns/$id/run" params={{ id: campaign.id }}>{t("run.open")}</Link></dd></>}
        {temporalUrl !== null && <><dt>Temporal</dt><dd><a className="text" href={temporalUrl} target="_blank" rel="noreferrer">{t("campaign.openTemporal")}</a></dd></>}
      </dl>
      <h2 style={{ fontSize: 13, marginTop: 22 }}>{t("campaign.content")}</h2>
      <ContentWords campaign={campaign} />
    </aside>
  );
}

/** Whom it is for, as people call them, with the way there. */
function AudienceWords({ campaign, tagNames }: { campaign: Campaign; tagNames: string[] }) {
  const { t } = useTranslation();
  const { audience: a, audience_name: name } = campaign;
  if (a.failed_of !== undefined) {
    const codes = (a.failed_codes ?? []).map((code) => (code === 0 ? t("results.noCode") : t("campaign.providerCode", { code }))).join(", ");
    return (
      <>
        <Link className="text" to="/campaigns/$id" params={{ id: a.failed_of }} search={{ state: "failed" }}>{name === "" ? t("again.audience") : t("campaign.who.failedOf", { name })}</Link>
        {codes !== "" && <div className="quiet num">{t("campaign.who.codes", { codes })}</div>}
      </>
    );
  }
  if (a.import_id !== undefined) return name === "" ? <>{t("campaign.who.fileGone")}</> : <Link className="text" to="/contacts/imports/$id" params={{ id: a.import_id }}>{t("campaign.who.file", { name })}</Link>;
  if (a.filter !== undefined && a.filter !== "") {
    return (
      <>
        {a.segment_id !== undefined && <div>{name === "" ? t("campaign.who.segmentGone") : <Link className="text" to="/contacts" search={{ segment: a.segment_id }}>{t("campaign.who.segment", { name })}</Link>}</div>}
        <Link className="plain under mono" style={{ overflowWrap: "anywhere" }} to="/contacts" search={{ filter: a.filter }}>{a.filter}</Link>
      </>
    );
  }
  if (a.segment_id !== undefined) return name === "" ? <>{t("campaign.who.segmentGone")}</> : <Link className="text" to="/contacts" search={{ segment: a.segment_id }}>{t("campaign.who.segment", { name })}</Link>;
  if (a.all === true) return <Link className="text" to="/contacts">{t("campaign.everyone")}</Link>;
  const filter = tagNames.map((tag) => `tag:${JSON.stringify(tag)}`).join(" or ");
  return <Link className="text" to="/contacts" search={{ filter }}>{t("campaign.who.anyTag", { tags: tagNames.join(", ") })}</Link>;
}

export function SkippedWords({ skipped }: { skipped: Campaign["skipped"] }) {
  const { t } = useTranslation();
  const words = [
    skipped.opted_out > 0 ? t("campaign.skipped.opted_out", { n: formatCount(skipped.opted_out) }) : "",
    skipped.no_phone > 0 ? t("campaign.skipped.no_phone", { n: formatCount(skipped.no_phone) }) : "",
    skipped.window_shut > 0 ? t("campaign.skipped.window_shut", { n: formatCount(skipped.window_shut) }) : "",
  ].filter((text) => text !== "");
  return <>{words.map((text) => <div key={text}>{text}</div>)}</>;
}

function ContentWords({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const { content } = campaign;
  if (content.kind === "text") return <div className="bubble"><MergeText text={content.text ?? ""} /></div>;
  const template = content.template;
  return (
    <>
      <div className="mono" style={{ marginBottom: 8 }}>{template?.name} <span className="quiet">{template?.language}</span></div>
      {(template?.parameters ?? []).map((value, index) => (
        <div key={index} style={{ marginBottom: 4 }}><span className="quiet num">{t("campaign.parameterN", { n: index + 1 })}</span> <MergeText text={value} /></div>
      ))}
    </>
  );
}
