import { Alert, Loader } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconClock, IconInfoCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Check } from "../../api/types";
import { describeError } from "../../components/errors";
import { useNow } from "../../components/small";
import { formatCount, formatInstant } from "../../lib/format";
import { zoneCity } from "../../lib/zone";
import type { DraftCheck } from "./live";

/** Whom a start would reach, who is left out and why, what is wrong and what to know. */
export function CheckPanel({ live, filter, zone }: { live: DraftCheck; filter: string | null; zone: string }) {
  const { t } = useTranslation();
  return (
    <section className="panel" aria-label={t("check.title")} aria-live="polite">
      {live.incomplete && <div className="quiet">{t("check.incomplete")}</div>}
      {!live.incomplete && live.error !== null && <Alert color="red" variant="light">{describeError(live.error, t)}</Alert>}
      {!live.incomplete && live.error === null && live.check === undefined && <div className="state quiet"><Loader size={14} color="gray" />{t("check.checking")}</div>}
      {!live.incomplete && live.error === null && live.check !== undefined && <div className={live.stale ? "stale" : undefined}><Result check={live.check} filter={filter} zone={zone} /></div>}
    </section>
  );
}

/** filter describes the audience for links, null when none can; zone is the company's. */
function Result({ check, filter, zone }: { check: Check; filter: string | null; zone: string }) {
  const { t } = useTranslation();
  const { skipped } = check;
  return (
    <>
      <div style={{ display: "flex", alignItems: "baseline", gap: 6 }}>
        <span className="num" style={{ fontSize: 22, fontWeight: 600 }} data-recipients={check.recipients}>{formatCount(check.recipients)}</span>
        <span className="quiet">{t("check.recipients", { count: check.recipients })}</span>
        <span className="spacer" />
        {check.problems.length === 0 && <span className="state"><IconCircleCheck size={16} color="var(--good)" />{t("check.good")}</span>}
      </div>
      <div className="quiet" style={{ marginTop: 4 }}>
        {skipped.opted_out > 0 && <Left n={skipped.opted_out} what="opted_out" filter={filter === null ? "" : `${filter}opted_out`} />}
        {skipped.no_phone > 0 && <Left n={skipped.no_phone} what="no_phone" filter={filter === null ? "" : `${filter}not has phone`} />}
        {skipped.window_shut > 0 && <Left n={skipped.window_shut} what="window_shut" filter="" />}
      </div>
      <Hours check={check} zone={zone} />
      {check.problems.map((problem, index) => (
        <Line key={index} icon={<IconAlertTriangle size={16} color="var(--mantine-color-error)" />}>{problem.message}</Line>
      ))}
      {check.warnings.map((warning, index) => (
        <Line key={index} icon={<IconInfoCircle size={16} color="var(--warn)" />}>
          <ContactLink filter={warning.filter}>{t("check.contacts", { count: warning.count, n: formatCount(warning.count) })}</ContactLink>: {warning.message}
        </Line>
      ))}
    </>
  );
}

/** When the first message goes, if that is not at once, and for how many it is later still. */
function Hours({ check, zone }: { check: Check; zone: string }) {
  const { t } = useTranslation();
  const now = useNow(30_000);
  if (check.first_at === undefined) return null;
  const waits = new Date(check.first_at).getTime() - now.getTime() > 60_000;
  if (!waits && check.asleep === 0) return null;
  return (
    <Line icon={<IconClock size={16} color="var(--quiet)" />}>
      {waits && t("check.firstAt", { at: formatInstant(check.first_at, now, zone), city: zoneCity(zone) })} {check.asleep > 0 && t("check.asleep", { count: check.asleep, n: formatCount(check.asleep) })}
    </Line>
  );
}

function Left({ n, what, filter }: { n: number; what: "opted_out" | "no_phone" | "window_shut"; filter: string }) {
  const { t } = useTranslation();
  return <div><ContactLink filter={filter}>{t(`campaign.skipped.${what}`, { n: formatCount(n) })}</ContactLink></div>;
}

function Line({ icon, children }: { icon: React.ReactNode; children: React.ReactNode }) {
  return <div className="check-line">{icon}<span>{children}</span></div>;
}

/** Leads to the contacts meant, in a tab of its own: what is being written stays. */
function ContactLink({ filter, children }: { filter: string; children: React.ReactNode }) {
  if (filter === "") return <>{children}</>;
  return <a className="text" href={`/contacts?filter=${encodeURIComponent(JSON.stringify(filter))}`} target="_blank" rel="noreferrer">{children}</a>;
}
