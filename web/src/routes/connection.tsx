import { Button, Group } from "@mantine/core";
import { IconCircleCheck, IconAlertTriangle, IconHelpCircle, IconKey, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/problem";
import { usePolling } from "../api/realtime";
import type { Connection } from "../api/types";
import { toastError } from "../components/errors";
import { Crumb, Failed, PageHead, Waiting } from "../components/page";
import { Copyable, Time, useNow } from "../components/small";
import { ConnectionStateLabel } from "../components/state";
import { ConnectionForm } from "../features/connection/form";
import { changeConnection, checkConnection, connectionLiveQuery, connectionQuery, type ConnectionInput } from "../features/connection/queries";
import { formatInstant } from "../lib/format";
import { NotFound } from "./fallback";

const route = getRouteApi("/signed-in/shell/in-company/connections/$id");

export default function ConnectionPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const connection = useQuery(connectionQuery(id));
  if (connection.isPending) return <Waiting />;
  if (connection.data === undefined) {
    if (connection.error instanceof ApiError && (connection.error.status === 404 || connection.error.status === 422)) return <NotFound />;
    return <Failed error={connection.error} retry={() => void connection.refetch()} />;
  }
  return (
    <>
      <PageHead title={connection.data.name} crumb={<Crumb to="/connections" label={t("connection.title")} />} beside={<ConnectionStateLabel state={connection.data.state} />} />
      <Details connection={connection.data} />
    </>
  );
}

const tone = { connected: ["var(--good)", IconCircleCheck], failing: ["var(--mantine-color-error)", IconAlertTriangle], unchecked: ["var(--quiet)", IconHelpCircle] } as const;

function Details({ connection }: { connection: Connection }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [changing, setChanging] = useState(false);
  const keep = (changed: Connection) => {
    queries.setQueryData(connectionQuery(connection.id).queryKey, changed);
    void queries.invalidateQueries({ queryKey: ["connections", "list"] });
  };
  const check = useMutation({ mutationFn: () => checkConnection(connection.id), onSuccess: keep, onError: (error) => toastError(error, t) });
  const change = useMutation({
    mutationFn: (input: ConnectionInput) => changeConnection(connection.id, input),
    onSuccess: (changed) => { keep(changed); setChanging(false); },
  });
  const [color, Icon] = tone[connection.state];
  return (
    <div className="page narrow">
      <div className="panel notice">
        <Icon size={18} color={color} aria-hidden="true" />
        <div>
        <strong>{t(`connection.words.${connection.state}`)}</strong>
        {connection.state_detail !== "" && <div>{connection.state_detail}</div>}
        <Group gap="sm" mt={8}>
          <Button variant="default" leftSection={<IconRefresh size={15} />} loading={check.isPending} onClick={() => check.mutate()}>{t("connection.recheck")}</Button>
          {connection.checked_at != null && <span className="quiet">{t("connection.checked")} <Time at={connection.checked_at} /></span>}
        </Group>
        </div>
      </div>
      <Sending id={connection.id} />

      <fieldset className="section">
        <legend>{t("connection.webhook")}</legend>
        <p className="quiet" style={{ margin: "0 0 10px" }}>{t("connection.webhookHint")}</p>
        <dl className="facts">
          <dt>{t("connection.webhook_url")}</dt><dd><Copyable value={connection.webhook_url} /></dd>
          <dt>{t("connection.verify_token")}</dt><dd><Copyable value={connection.verify_token} /></dd>
        </dl>
      </fieldset>
      <fieldset className="section">
        <legend>{t("connection.data")}</legend>
        {changing ? (
          <ConnectionForm connection={connection} saving={change.isPending} error={change.error} onSave={change.mutate} onLeave={() => { setChanging(false); change.reset(); }} />
        ) : (
          <>
            <dl className="facts">
              <dt>{t("connection.number")}</dt><dd className="num">{connection.number === "" ? "–" : connection.number}</dd>
              <dt>{t("connection.number_id")}</dt><dd className="mono">{connection.number_id}</dd>
              <dt>{t("connection.account_id")}</dt><dd className="mono">{connection.account_id}</dd>
              <dt>{t("connection.app_id")}</dt><dd className="mono">{connection.app_id}</dd>
              <dt>{t("connection.secrets")}</dt><dd className="quiet">{t("connection.sealed")}</dd>
            </dl>
            <Button mt="md" variant="default" leftSection={<IconKey size={15} />} onClick={() => setChanging(true)}>{t("connection.change")}</Button>
          </>
        )}
      </fieldset>
    </div>
  );
}

/** What this connection's sender does now. */
function Sending({ id }: { id: string }) {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const polling = usePolling(5_000);
  const live = useQuery({ ...connectionLiveQuery(id), refetchInterval: polling });
  const now = useNow();
  if (live.data === undefined) return <div style={{ height: 20 + 36 }} />;
  const { state, detail, until, workflow_url } = live.data;
  return (
    <div style={{ margin: "16px 0 20px", minHeight: 20 }} role="status">
      <span className="quiet">{t("connection.sender")}</span> {t(`connection.live.${state}`)}
      {detail !== "" && <span className="quiet"> · {detail}</span>}
      {until != null && new Date(until) > now && <span className="quiet"> · {t("connection.until", { at: formatInstant(until, now) })}</span>}
      {me.temporal_ui && workflow_url != null && workflow_url !== "" && <> · <a className="text" href={workflow_url} target="_blank" rel="noreferrer">{t("campaign.openTemporal")}</a></>}
    </div>
  );
}
