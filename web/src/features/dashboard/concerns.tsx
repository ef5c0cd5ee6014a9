import { IconAlertTriangle, IconDatabaseExclamation, IconChevronRight, IconCircleCheck, IconEarOff, IconHelpCircle, IconHourglass, IconInbox, IconPlayerPause, IconPlugConnectedX, IconTemplate } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { usePolling } from "../../api/realtime";
import type { Concern } from "../../api/types";
import { useNow } from "../../components/small";
import { formatCount, formatInstant } from "../../lib/format";
import { concernsQuery } from "./queries";
import { Loaded } from "./widget";

const looks = {
  restore: { icon: IconDatabaseExclamation, color: "var(--mantine-color-error)" },
  drained: { icon: IconPlayerPause, color: "var(--warn)" },
  temporal: { icon: IconPlugConnectedX, color: "var(--mantine-color-error)" },
  workers: { icon: IconPlugConnectedX, color: "var(--mantine-color-error)" },
  failing: { icon: IconAlertTriangle, color: "var(--mantine-color-error)" },
  held: { icon: IconHourglass, color: "var(--warn)" },
  unchecked: { icon: IconHelpCircle, color: "var(--quiet)" },
  uncertain: { icon: IconHelpCircle, color: "var(--warn)" },
  paused: { icon: IconPlayerPause, color: "var(--warn)" },
  warned: { icon: IconAlertTriangle, color: "var(--warn)" },
  silent: { icon: IconEarOff, color: "var(--warn)" },
  parked: { icon: IconInbox, color: "var(--warn)" },
  template: { icon: IconTemplate, color: "var(--quiet)" },
} as const;

/** What waits for a person, one sentence and one link each. */
export function Concerns() {
  const { t } = useTranslation();
  const polling = usePolling(15_000);
  const concerns = useQuery({ ...concernsQuery, refetchInterval: polling });
  return (
    <Loaded query={concerns} rows={2}>
      {({ items }) => items.length === 0
        ? <div className="widget-none quiet-line"><IconCircleCheck size={16} color="var(--good)" aria-hidden="true" /><span>{t("dashboard.allQuiet")}</span></div>
        : <>{items.map((c) => <Line key={`${c.kind}/${c.id}`} concern={c} />)}</>}
    </Loaded>
  );
}

function Line({ concern }: { concern: Concern }) {
  const { t } = useTranslation();
  const now = useNow(30_000);
  const { icon: Icon, color } = looks[concern.kind];
  const kind = concern.kind === "uncertain" && concern.id === "" ? "uncertainAlone" : concern.kind === "held" && concern.until == null ? "heldOpen" : concern.kind === "paused" && concern.until != null ? "pausedUntil" : concern.kind;
  const words = t(`dashboard.concern.${kind}`, { count: concern.count ?? 0, n: formatCount(concern.count ?? 0), at: concern.until == null ? (concern.since == null ? "" : formatInstant(concern.since, now)) : formatInstant(concern.until, now) });
  const general = concern.kind === "restore" || concern.kind === "drained" || concern.kind === "temporal" || concern.kind === "workers";
  const inside = (
    <>
      <Icon size={16} color={color} aria-hidden="true" />
      <span className="concern-words"><strong>{concern.name === "" ? t(general ? "dashboard.everything" : concern.kind === "parked" ? "dashboard.webhooks" : "dashboard.outside") : concern.name}</strong> <span>{words}</span>{concern.detail != null && concern.detail !== "" && <span className="quiet"> {concern.detail}</span>}</span>
      <IconChevronRight size={14} className="quiet" aria-hidden="true" />
    </>
  );
  if (concern.kind === "parked") return <Link className="concern" to="/events" search={{}}>{inside}</Link>;
  if (general) return <Link className="concern" to="/health">{inside}</Link>;
  if (concern.kind === "uncertain") return <Link className="concern" to="/uncertain" search={{ campaign: concern.id === "" ? undefined : concern.id }}>{inside}</Link>;
  if (concern.kind === "paused") return <Link className="concern" to="/campaigns/$id" params={{ id: concern.id }}>{inside}</Link>;
  if (concern.kind === "template") return <Link className="concern" to="/templates" search={{ connection: concern.id, standing: "trouble" }}>{inside}</Link>;
  return <Link className="concern" to="/connections/$id" params={{ id: concern.id }}>{inside}</Link>;
}
