import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { LedgerState } from "../api/types";
import { Failed, Waiting } from "../components/page";
import { ConnectionStateLabel, standingOf } from "../components/state";
import { AddConnection } from "../features/connection/add";
import { connectionsQuery } from "../features/connection/queries";
import { ImportStateLabel } from "../features/import/label";
import { importsQuery } from "../features/import/queries";
import { sampleFile } from "../features/import/sample";
import { SettingsForm } from "../features/settings/form";
import { settingsQuery, setupQuery } from "../features/settings/queries";
import { templatesQuery } from "../features/template/queries";
import { TestMessage } from "../features/trial/form";
import { ImportFlow, ImportUpload, useImport } from "./import-flow";
import { useSaveSettings } from "./settings";

const route = getRouteApi("/signed-in/shell/in-company/welcome");

export interface BodyProps {
  onDone: () => void;
  done: boolean;
}

export function CompanyStep({ onDone }: BodyProps) {
  const { t } = useTranslation();
  const settings = useQuery(settingsQuery);
  const save = useSaveSettings(onDone);
  if (settings.data === undefined) return settings.isError ? <Failed error={settings.error} retry={() => void settings.refetch()} /> : <Waiting />;
  return <SettingsForm settings={settings.data} saving={save.isPending} error={save.error} submit={t("setup.saveAndGoOn")} onSave={save.mutate} />;
}

export function ConnectStep({ onDone, done }: BodyProps) {
  const { me } = route.useRouteContext();
  const connections = useQuery(connectionsQuery);
  if (!done) return <AddConnection sandbox={me.build.sandbox} onAdded={onDone} />;
  return (
    <ul className="plain-list">
      {connections.data?.items.map((c) => (
        <li key={c.id}><Link className="text" to="/connections/$id" params={{ id: c.id }}>{c.name}</Link> <span className="num quiet">{c.number}</span> <ConnectionStateLabel state={standingOf(c)} /></li>
      ))}
    </ul>
  );
}

/** The newest import wherever it stands, else the upload of one. */
export function ImportStep() {
  const { me } = route.useRouteContext();
  const list = useInfiniteQuery(importsQuery);
  const [chosen, setChosen] = useState<string | "another">(); // by hand, before the list knows it
  const newest = list.data?.pages[0]?.items[0];
  const id = chosen ?? (newest === undefined || newest.state === "undone" ? "another" : newest.id);
  if (list.data === undefined) return list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : <Waiting />;
  if (id === "another") return <ImportUpload sample={me.build.sandbox ? sampleFile : undefined} onMade={(made) => setChosen(made.id)} />;
  return <OneImport key={id} id={id} onAnother={() => setChosen("another")} />;
}

function OneImport({ id, onAnother }: { id: string; onAnother: () => void }) {
  const queries = useQueryClient();
  const query = useImport(id);
  const of = query.data;
  useEffect(() => { void queries.invalidateQueries({ queryKey: setupQuery.queryKey }); }, [of?.state, queries]);
  if (of === undefined) return query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : <Waiting />;
  return (
    <>
      <p style={{ margin: "0 0 14px" }}><Link className="text" to="/contacts/imports/$id" params={{ id }}>{of.file_name}</Link> <ImportStateLabel state={of.state} /></p>
      <ImportFlow of={of} onDiscarded={onAnother} onAnother={onAnother} />
    </>
  );
}

export function TestStep() {
  const { me } = route.useRouteContext();
  const queries = useQueryClient();
  const connections = useQuery(connectionsQuery);
  const templates = useQuery(templatesQuery);
  const arrived = useCallback((state: LedgerState) => {
    if (state === "sent" || state === "delivered" || state === "read") void queries.invalidateQueries({ queryKey: setupQuery.queryKey });
  }, [queries]);
  const error = connections.error ?? templates.error;
  if (error !== null) return <Failed error={error} />;
  if (connections.data === undefined || templates.data === undefined) return <Waiting />;
  if (connections.data.items.length === 0) return <ConnectFirst />;
  return <TestMessage connections={connections.data.items} templates={templates.data.items} phones={me.build.sandbox ? me.build.sandbox_url : undefined} onState={arrived} />;
}

export function ConnectFirst() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return <Button size="sm" onClick={() => void navigate({ to: "/welcome", search: { step: "connect" } })}>{t("setup.connectFirst")}</Button>;
}
