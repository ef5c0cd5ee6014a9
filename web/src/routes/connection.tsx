import { ActionIcon, Button, Group, Select, TextInput, Tooltip } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconHelpCircle, IconKey, IconMessages, IconPencil, IconPlayerPause, IconRefresh, IconTrash, IconWebhook } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/problem";
import { usePolling } from "../api/realtime";
import type { Connection, ConnectionLive } from "../api/types";
import { describeError, toastDone, toastError } from "../components/errors";
import { Crumb, Failed, PageHead, Waiting } from "../components/page";
import { Copyable, Time, useNow } from "../components/small";
import { ConnectionStateLabel, standingOf } from "../components/state";
import { useRunsCompany } from "../features/account/role";
import { Checklist } from "../features/connection/checklist";
import { Danger } from "../features/connection/danger";
import { ConnectionForm } from "../features/connection/form";
import { Hold } from "../features/connection/hold";
import { ConnectionLimits } from "../features/connection/limits";
import { changeConnection, checkConnection, connectionLiveQuery, connectionQuery, pointWebhook, type ConnectionInput } from "../features/connection/queries";
import { departmentsQuery } from "../features/people/queries";
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
      <PageHead title={connection.data.name} crumb={<Crumb to="/connections" label={t("connection.title")} />} beside={<ConnectionStateLabel state={standingOf(connection.data)} />}>
        {connection.data.deleted_at == null && <Button component={Link} to={`/connections/${id}/messages`} variant="default" leftSection={<IconMessages size={15} />}>{t("connection.messages")}</Button>}
        {connection.data.simulated && <span className="badge calm">{t("connect.simulated")}</span>}
      </PageHead>
      {connection.data.deleted_at != null ? <Deleted at={connection.data.deleted_at} /> : <Details connection={connection.data} />}
    </>
  );
}

function Deleted({ at }: { at: string }) {
  const { t } = useTranslation();
  return (
    <div className="page narrow">
      <div className="panel notice"><IconTrash size={18} color="var(--quiet)" aria-hidden="true" /><div>{t("connect.deleted")} <span className="quiet"><Time at={at} /></span></div></div>
    </div>
  );
}

const tone = {
  connected: ["var(--good)", IconCircleCheck], failing: ["var(--mantine-color-error)", IconAlertTriangle], unchecked: ["var(--quiet)", IconHelpCircle],
  disabled: ["var(--warn)", IconPlayerPause], deleted: ["var(--quiet)", IconTrash],
} as const;

function Details({ connection }: { connection: Connection }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const runs = useRunsCompany();
  const keep = (changed: Connection) => {
    queries.setQueryData(connectionQuery(connection.id).queryKey, changed);
    void queries.invalidateQueries({ queryKey: ["connections", "list"] });
  };
  return (
    <div className="page narrow connection">
      {runs && <Held connection={connection} keep={keep} />}
      <Standing connection={connection} keep={keep} />
      <Sending connection={connection} />
      {runs && <ConnectionLimits id={connection.id} />}
      <Name key={connection.name} connection={connection} keep={keep} />
      {runs && !connection.simulated && <Webhook connection={connection} />}
      {runs && <Credentials connection={connection} keep={keep} />}
      {runs && <Danger connection={connection} onChanged={keep} onDeleted={() => {
        queries.removeQueries({ queryKey: connectionQuery(connection.id).queryKey });
        void queries.invalidateQueries({ queryKey: ["connections", "list"] });
        void navigate({ to: "/connections" });
      }} />}
    </div>
  );
}

/** What is right and wrong with it, line by line, and what mends it. */
function Standing({ connection, keep }: { connection: Connection; keep: (changed: Connection) => void }) {
  const { t } = useTranslation();
  const check = useMutation({ mutationFn: () => checkConnection(connection.id), onSuccess: keep, onError: (error) => toastError(error, t) });
  const point = useMutation({
    mutationFn: () => pointWebhook(connection.id),
    onSuccess: (changed) => { keep(changed); toastDone(t("connect.didPoint")); },
    onError: (error) => toastError(error, t),
  });
  const runs = useRunsCompany();
  const standing = standingOf(connection);
  const [color, Icon] = tone[standing];
  const deaf = !connection.simulated && connection.checks.some((line) => line.subject === "webhook" && line.verdict === "poor");
  return (
    <div className="panel notice">
      <Icon size={18} color={color} aria-hidden="true" />
      <div style={{ flex: 1, minWidth: 0 }}>
        <strong>{t(standing === "disabled" ? "connect.disabled" : connection.simulated ? `connect.words.${connection.state}` : `connection.words.${connection.state}`)}</strong>
        {standing === "disabled" && <div>{t("connect.disabledHint")} <span className="quiet"><Time at={connection.disabled_at} /></span></div>}
        {connection.checks.length === 0 && connection.state_detail !== "" && <div>{connection.state_detail}</div>}
        {connection.silent_since != null && <div className="warned">{t("connection.silent")} <Time at={connection.silent_since} /></div>}
        {connection.alert !== "" && <div className="warned">{connection.alert}</div>}
        <Checklist lines={connection.checks} busy={check.isPending} />
        <Group gap="sm" mt={10}>
          {runs && <Button variant="default" leftSection={<IconRefresh size={15} />} loading={check.isPending} onClick={() => check.mutate()}>{t("connection.recheck")}</Button>}
          {runs && deaf && <Button leftSection={<IconWebhook size={15} />} loading={point.isPending} onClick={() => point.mutate()}>{t("connect.point")}</Button>}
          {connection.checked_at != null && <span className="quiet">{t("connection.checked")} <Time at={connection.checked_at} /></span>}
        </Group>
      </div>
    </div>
  );
}

function Name({ connection, keep }: { connection: Connection; keep: (changed: Connection) => void }) {
  const { t } = useTranslation();
  const runs = useRunsCompany();
  const [name, setName] = useState<string | null>(null);
  const rename = useMutation({
    mutationFn: (wanted: string) => changeConnection(connection.id, { name: wanted }),
    onSuccess: (changed) => { keep(changed); setName(null); },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    if (name !== null && name.trim() !== "") rename.mutate(name.trim());
  }
  return (
    <fieldset className="section">
      <legend>{t("connection.one")}</legend>
      {name === null ? (
        <dl className="facts">
          <dt>{t("connection.name")}</dt>
          <dd>{connection.name} {runs && <Tooltip label={t("connect.rename")}><ActionIcon size="sm" aria-label={t("connect.rename")} onClick={() => setName(connection.name)}><IconPencil size={14} /></ActionIcon></Tooltip>}</dd>
          <dt>{t("connection.number")}</dt><dd className="num">{connection.number === "" ? "–" : connection.number}</dd>
          {runs && <><dt id="department">{t("department.one")}</dt><dd><DepartmentOf connection={connection} keep={keep} /></dd></>}
        </dl>
      ) : (
        <form onSubmit={submit}>
          <TextInput label={t("connection.name")} value={name} maxLength={100} autoFocus onChange={(e) => setName(e.currentTarget.value)}
            error={name.trim() === "" ? t("form.missing") : rename.error === null ? undefined : describeError(rename.error, t)} />
          <Group gap="xs" mt="sm">
            <Button type="submit" loading={rename.isPending}>{t("common.save")}</Button>
            <Button variant="subtle" color="gray" onClick={() => { setName(null); rename.reset(); }}>{t("common.back")}</Button>
          </Group>
        </form>
      )}
    </fieldset>
  );
}

/** Whose users see it. It is saved as it is chosen. */
function DepartmentOf({ connection, keep }: { connection: Connection; keep: (changed: Connection) => void }) {
  const { t } = useTranslation();
  const departments = useQuery(departmentsQuery);
  const give = useMutation({
    mutationFn: (to: string | null) => changeConnection(connection.id, { department_id: to }),
    onSuccess: (changed) => { keep(changed); toastDone(t("department.given")); },
    onError: (error) => { toastError(error, t); void departments.refetch(); },
  });
  if (departments.data === undefined) return <span className="quiet">–</span>;
  if (departments.data.items.length === 0) return <><span className="quiet">{t("department.everyone")}</span> <Link className="text" to="/settings/departments">{t("department.make")}</Link></>;
  return (
    <Select size="xs" maw={280} aria-labelledby="department" value={connection.department_id ?? ""} allowDeselect={false} disabled={give.isPending}
      data={[{ value: "", label: t("department.everyone") }, ...departments.data.items.map((d) => ({ value: d.id, label: d.name }))]}
      onChange={(to) => give.mutate(to === "" ? null : to)} />
  );
}

function Webhook({ connection }: { connection: Connection }) {
  const { t } = useTranslation();
  return (
    <fieldset className="section">
      <legend>{t("connection.webhook")}</legend>
      <p className="quiet" style={{ margin: "0 0 10px" }}>{t("connection.webhookHint")}</p>
      <dl className="facts">
        <dt>{t("connection.webhook_url")}</dt><dd><Copyable value={connection.webhook_url} /></dd>
        <dt>{t("connection.verify_token")}</dt><dd><Copyable value={connection.verify_token} /></dd>
      </dl>
    </fieldset>
  );
}

function Credentials({ connection, keep }: { connection: Connection; keep: (changed: Connection) => void }) {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const [changing, setChanging] = useState(false);
  const change = useMutation({
    mutationFn: (input: ConnectionInput & { past_secret_hours?: number }) => changeConnection(connection.id, input),
    onSuccess: (changed) => { keep(changed); setChanging(false); },
  });
  const forget = useMutation({
    mutationFn: () => changeConnection(connection.id, { past_secret_hours: 0 }),
    onSuccess: (changed) => { keep(changed); toastDone(t("connection.past.ended")); },
    onError: (error) => toastError(error, t),
  });
  if (connection.simulated) return null;
  return (
    <fieldset className="section">
      <legend>{t("connection.data")}</legend>
      {changing ? (
        <ConnectionForm connection={connection} sandbox={me.build.sandbox} saving={change.isPending} error={change.error} onSave={change.mutate} onLeave={() => { setChanging(false); change.reset(); }} />
      ) : (
        <>
          <dl className="facts">
            <dt>{t("connection.number_id")}</dt><dd className="mono">{connection.number_id}</dd>
            <dt>{t("connection.account_id")}</dt><dd className="mono">{connection.account_id}</dd>
            <dt>{t("connection.app_id")}</dt><dd className="mono">{connection.app_id}</dd>
            <dt>{t("connection.secrets")}</dt><dd className="quiet">{t("connection.sealed")}</dd>
            {connection.past_secret_until != null && (
              <>
                <dt>{t("connection.past.name")}</dt>
                <dd>{t("connection.past.until")} <Time at={connection.past_secret_until} /> <Button variant="subtle" loading={forget.isPending} onClick={() => forget.mutate()}>{t("connection.past.end")}</Button></dd>
              </>
            )}
            {connection.token_ends_at != null && <><dt>{t("connect.tokenEnds")}</dt><dd><Time at={connection.token_ends_at} /></dd></>}
          </dl>
          <Button mt="md" variant="default" leftSection={<IconKey size={15} />} onClick={() => setChanging(true)}>{t("connection.change")}</Button>
        </>
      )}
    </fieldset>
  );
}

const useLive = (id: string) => useQuery({ ...connectionLiveQuery(id), refetchInterval: usePolling(5_000) }).data;

const isHeld = (live: ConnectionLive, connection: Connection) => live.held_reason !== "" && connection.disabled_at == null;

/** Why nothing is sent, first of all, and what lets it go on. */
function Held({ connection, keep }: { connection: Connection; keep: (changed: Connection) => void }) {
  const live = useLive(connection.id);
  return live !== undefined && isHeld(live, connection) ? <Hold id={connection.id} live={live} onResumed={keep} /> : null;
}

/** What this connection's sender does now. */
function Sending({ connection }: { connection: Connection }) {
  const { id } = connection;
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const runs = useRunsCompany();
  const live = useLive(id);
  const now = useNow();
  if (live === undefined) return <div style={{ height: 20 + 36 }} />;
  const { state, detail, until, workflow_url } = live;
  const held = isHeld(live, connection);
  return (
    <div style={{ margin: "16px 0 20px", minHeight: 20 }} role="status">
      <span className="quiet">{t("connection.sender")}</span> {t(`connection.live.${state}`)}
      {detail !== "" && !held && <span className="quiet"> · {detail}</span>}
      {until != null && !held && new Date(until) > now && <span className="quiet"> · {t("connection.until", { at: formatInstant(until, now) })}</span>}
      {held && !runs && <span> · {live.held_reason}</span>}
      {runs && <>{" · "}<Link className="text" to="/connections/$id/run" params={{ id }}>{t("run.open")}</Link></>}
      {me.temporal_ui && workflow_url != null && workflow_url !== "" && <> · <a className="text" href={workflow_url} target="_blank" rel="noreferrer">{t("campaign.openTemporal")}</a></>}
    </div>
  );
}
