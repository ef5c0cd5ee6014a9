import { IconCheck, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { LedgerState } from "../../api/types";
import { Dot } from "../../components/state";
import { formatClock } from "../../lib/format";
import { messageQuery } from "./queries";

const way = ["queued", "sent", "delivered", "read"] as const;
const reached: Partial<Record<LedgerState, number>> = { queued: 0, sending: 0, sent: 1, delivered: 2, read: 3 };

/** The way of one test message, tick by tick, each with its second; of one that went wrong, why. */
export function Ticks({ id, onState }: { id: string; onState?: (state: LedgerState) => void }) {
  const { t } = useTranslation();
  const { data } = useQuery(messageQuery(id));
  const state = data?.state;
  useEffect(() => { if (state !== undefined) onState?.(state); }, [state, onState]);
  if (data === undefined) return null;
  const at = reached[data.state];
  const times = { queued: data.queued_at, sent: data.sent_at, delivered: data.delivered_at, read: data.read_at };
  return (
    <ol className="ticks" role="status" data-test-state={data.state} aria-label={t("trial.way")}>
      {at === undefined ? (
        <li className="behind"><IconX size={15} color="var(--mantine-color-error)" aria-hidden="true" /><span>{t(`message.state.${data.state}`)}: {data.error_detail ?? t(`message.meaning.${data.state}`)}</span></li>
      ) : way.map((step, n) => (
        <li key={step} className={n <= at ? "behind" : undefined}>
          {n <= at ? <IconCheck size={15} color="var(--good)" aria-hidden="true" /> : <Dot color="var(--quiet)" hollow />}
          <span>{t(`trial.step.${step}`)}</span>
          {n <= at && times[step] != null && <time className="num quiet" dateTime={times[step]}>{formatClock(times[step])}</time>}
        </li>
      ))}
    </ol>
  );
}
