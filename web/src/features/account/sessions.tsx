import { Button } from "@mantine/core";
import { IconDeviceDesktop, IconDeviceMobile } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Session } from "../../api/types";
import { toastDone, toastError } from "../../components/errors";
import { Failed, Waiting } from "../../components/page";
import { ConfirmButton, Time } from "../../components/small";
import { endOtherSessions, endSession, sessionsQuery } from "./queries";

/** Where one is signed in, and the way to end it there. */
export function Sessions() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  const settle = { onError: (error: Error) => toastError(error, t), onSettled: () => void queries.invalidateQueries({ queryKey: sessionsQuery.queryKey }) };
  const end = useMutation({ mutationFn: endSession, ...settle, onSuccess: () => toastDone(t("sessions.ended")) });
  const endOthers = useMutation({ mutationFn: endOtherSessions, ...settle, onSuccess: () => toastDone(t("sessions.endedOthers")) });
  if (sessions.isPending) return <Waiting />;
  if (sessions.isError) return <Failed error={sessions.error} retry={() => void sessions.refetch()} />;
  const items = sessions.data.items;
  return (
    <>
      <ul className="rows">
        {items.map((one) => <SessionRow key={one.id} session={one} ending={end.isPending && end.variables === one.id} onEnd={() => end.mutate(one.id)} />)}
      </ul>
      {items.length > 1 && (
        <ConfirmButton label={t("sessions.endOthers")} question={t("sessions.endOthersAsk")} confirm={t("sessions.endOthers")} loading={endOthers.isPending} onConfirm={() => endOthers.mutate()} />
      )}
    </>
  );
}

function SessionRow({ session, ending, onEnd }: { session: Session; ending: boolean; onEnd: () => void }) {
  const { t } = useTranslation();
  const Icon = /iPhone|iPad|Android/.test(session.device) ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <li>
      <Icon size={18} stroke={1.6} aria-hidden="true" />
      <div className="what">
        <div>{session.device}{session.this && <span className="badge calm" style={{ marginLeft: 8 }}>{t("sessions.this")}</span>}</div>
        <div className="quiet">
          {session.this ? t("sessions.now") : <>{t("sessions.lastSeen")} <Time at={session.last_seen_at} /></>}
          {session.network !== undefined && <> · <span className="num">{session.network}</span></>}
          {" · "}{t("sessions.began")} <Time at={session.began_at} />
        </div>
      </div>
      {!session.this && <Button variant="default" size="compact-sm" loading={ending} onClick={onEnd} aria-label={t("sessions.endOn", { device: session.device })}>{t("sessions.end")}</Button>}
    </li>
  );
}
