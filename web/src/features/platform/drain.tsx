import { Button } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Platform } from "../../api/types";
import { toastError } from "../../components/errors";
import { ConfirmButton, Time } from "../../components/small";
import { Dot } from "../../components/state";
import { formatCount } from "../../lib/format";
import { drain, resume } from "./queries";

/** Stops claims everywhere before an upgrade, shows what is still on its way, and lets all go on afterwards. */
export function Drain({ platform, companies }: { platform: Platform; companies: Map<string, string> }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const settle = { onError: (error: Error) => toastError(error, t), onSettled: () => void queries.invalidateQueries({ queryKey: ["platform"] }) };
  const stop = useMutation({ mutationFn: drain, ...settle });
  const go = useMutation({ mutationFn: resume, ...settle });
  const drained = platform.drained;
  const flying = platform.flights.reduce((sum, flight) => sum + flight.messages, 0);
  const n = formatCount(flying);
  return (
    <section className="widget" aria-labelledby="drain">
      <header><h2 id="drain">{t("platform.sending")}</h2></header>
      <div className="drain" role="status">
        <Dot color={drained == null ? "var(--mantine-color-teal-6)" : "var(--state-uncertain)"} />
        <span>
          {drained == null ? t("platform.goesOn", { count: flying, n }) : flying > 0 ? t("platform.draining", { count: flying, n }) : t("platform.safe")}
          {drained != null && <span className="quiet"> {t("platform.since")} <Time at={drained.at} />{drained.by !== "" && `, ${t("platform.by", { name: drained.by })}`}</span>}
        </span>
        {drained == null
          ? <ConfirmButton label={t("platform.drain")} icon={<IconPlayerPause size={15} />} question={t("platform.drainAsk")} confirm={t("platform.drainConfirm")} loading={stop.isPending} onConfirm={() => stop.mutate()} />
          : <Button leftSection={<IconPlayerPlay size={15} />} loading={go.isPending} onClick={() => go.mutate()}>{t("platform.resume")}</Button>}
      </div>
      {platform.flights.length > 0 && (
        <table className="plain-table">
          <thead><tr><th>{t("platform.company")}</th><th>{t("platform.connection")}</th><th className="end">{t("platform.inFlight")}</th><th className="end wide">{t("platform.oldest")}</th></tr></thead>
          <tbody>
            {platform.flights.map((f) => (
              <tr key={f.connection_id}><td>{companies.get(f.company_id) ?? f.company_id}</td><td>{f.connection}</td><td className="end num">{formatCount(f.messages)}</td><td className="end wide"><Time at={f.oldest_at} /></td></tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
