import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Health } from "../../api/types";
import { Time, useNow } from "../../components/small";
import { Dot } from "../../components/state";
import { formatInstant, formatSpan } from "../../lib/format";
import { Release } from "./release";

type State = Health["connections"][number]["state"];

const colors: Record<State, string> = { good: "var(--mantine-color-teal-6)", warn: "var(--state-uncertain)", bad: "var(--state-failed)", off: "var(--state-ended)" };

/** What can be done about a part, beside it. */
const asides: Partial<Record<Health["parts"][number]["name"], (detail: string, t: TFunction) => ReactNode>> = {
  restore: (detail) => <Release detail={detail} />,
  webhooks: (_, t) => <Link className="plain under" to="/events" search={{}}>{t("health.events")}</Link>,
};

export function Parts({ parts }: { parts: Health["parts"] }) {
  const { t } = useTranslation();
  return (
    <div className="health">
      {parts.map((p) => (
        <Line key={p.name} state={p.state} name={t(`health.part.${p.name}`)} detail={p.detail} remedy={p.remedy} aside={asides[p.name]?.(p.detail, t)} />
      ))}
    </div>
  );
}

export function Connections({ connections }: { connections: Health["connections"] }) {
  const { t } = useTranslation();
  const now = useNow(30_000);
  if (connections.length === 0) return <div className="widget-none">{t("health.noConnection")}</div>;
  return (
    <div className="health">
      {connections.map((c) => (
        <Line
          key={c.id} state={c.state} remedy={c.remedy}
          name={<Link className="plain under" to="/connections/$id" params={{ id: c.id }}>{c.name}</Link>}
          detail={c.until == null ? c.detail : `${c.detail} ${t("health.until", { at: formatInstant(c.until, now) })}`}
          aside={c.sent_at == null ? t("health.notSent") : <>{t("health.sent")} <Time at={c.sent_at} /></>}
        />
      ))}
    </div>
  );
}

export function Queues({ queues }: { queues: NonNullable<Health["queues"]> }) {
  const { t } = useTranslation();
  const now = useNow(5_000);
  return (
    <div className="health">
      {queues.map((q) => (
        <Line
          key={q.name} state={q.workers.length === 0 ? "bad" : "good"} name={<span className="mono">{q.name}</span>}
          detail={q.workers.length === 0 ? t("health.noWorker") : q.workers.map((w) => `${w.identity}, ${t("health.seen", { span: formatSpan(now.getTime() - new Date(w.seen_at).getTime()) })}`).join(" · ")}
        />
      ))}
    </div>
  );
}

function Line({ state, name, detail, remedy, aside }: { state: State; name: ReactNode; detail: string; remedy?: string; aside?: ReactNode }) {
  const { t } = useTranslation();
  return (
    <div className="health-line">
      <span className="health-name"><Dot color={colors[state]} hollow={state === "off"} /><span className="clip">{name}</span><span className="sr">{t(`health.state.${state}`)}</span></span>
      <span className="health-words">
        <span className={state === "good" ? "quiet" : undefined}>{detail}</span>
        {remedy != null && remedy !== "" && <span className="health-remedy">{remedy}</span>}
      </span>
      <span className="health-aside quiet num">{aside}</span>
    </div>
  );
}
