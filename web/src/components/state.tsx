import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";
import type { CampaignState, Connection, Counts, MessageState } from "../api/types";
import { formatCount } from "../lib/format";
import { percentDone, toSegments } from "../lib/segments";

const messageColor: Record<MessageState, string> = {
  planned: "var(--state-planned)",
  queued: "var(--state-queued)",
  sending: "var(--state-sending)",
  sent: "var(--state-sent)",
  delivered: "var(--state-delivered)",
  read: "var(--state-read)",
  failed: "var(--state-failed)",
  uncertain: "var(--state-uncertain)",
  canceled: "var(--state-ended)",
  expired: "var(--state-ended)",
  suppressed: "var(--state-ended)",
};

const campaignColor: Record<CampaignState, string> = {
  draft: "var(--state-ended)",
  starting: "var(--state-sending)",
  scheduled: "var(--state-delivered)",
  running: "var(--state-read)",
  paused: "var(--state-uncertain)",
  finished: "var(--mantine-color-teal-6)",
  canceled: "var(--state-ended)",
};

/** How a connection stands: what people did to it counts before what its last check said. */
export type ConnectionStanding = Connection["state"] | "disabled" | "deleted";

export function standingOf(connection: Pick<Connection, "state" | "disabled_at" | "deleted_at">): ConnectionStanding {
  if (connection.deleted_at != null) return "deleted";
  return connection.disabled_at != null ? "disabled" : connection.state;
}

const connectionColor: Record<ConnectionStanding, string> = {
  disabled: "var(--state-uncertain)",
  deleted: "var(--state-ended)",
  unchecked: "var(--state-ended)",
  connected: "var(--mantine-color-teal-6)",
  failing: "var(--state-failed)",
};

export function Dot({ color, hollow = false }: { color: string; hollow?: boolean }) {
  return <span className={hollow ? "dot hollow" : "dot"} style={{ "--dot": color } as CSSProperties} aria-hidden="true" />;
}

export function MessageDot({ state }: { state: MessageState }) {
  return <Dot color={messageColor[state]} />;
}

export function MessageStateLabel({ state }: { state: MessageState }) {
  const { t } = useTranslation();
  return <span className="state"><MessageDot state={state} />{t(`message.state.${state}`)}</span>;
}

export function CampaignStateLabel({ state }: { state: CampaignState }) {
  const { t } = useTranslation();
  return <span className="state"><Dot color={campaignColor[state]} hollow={state === "draft" || state === "scheduled"} />{t(`campaign.state.${state}`)}</span>;
}

export function ConnectionStateLabel({ state }: { state: ConnectionStanding }) {
  const { t } = useTranslation();
  return <span className="state"><Dot color={connectionColor[state]} hollow={state === "unchecked" || state === "deleted"} />{t(`connection.state.${state}`)}</span>;
}

/** The stacked bar: one segment per ledger state, each as wide as its share of the recipients. */
export function StateBar({ counts, thin = false }: { counts: Counts; thin?: boolean }) {
  const { t } = useTranslation();
  const segments = toSegments(counts);
  const words = segments.map((s) => `${formatCount(s.count)} ${t(`message.state.${s.state}`)}`).join(", ");
  return (
    <div
      className={thin ? "stack thin" : "stack"}
      role="progressbar"
      aria-label={t("campaign.progress")}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percentDone(counts)}
      aria-valuetext={words}
      title={words}
    >
      {segments.map((s) => (
        <span key={s.state} style={{ flex: `0 1 ${s.share}%`, background: messageColor[s.state] }} />
      ))}
    </div>
  );
}
