import { Alert, Button, Group } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints } from "../api/problem";
import { usePolling } from "../api/realtime";
import type { Import, ImportMapping } from "../api/types";
import { describeError, toastDone, toastError } from "../components/errors";
import { Crumb, Failed, PageHead, Waiting } from "../components/page";
import { ConfirmButton } from "../components/small";
import { tagsQuery } from "../features/contact/queries";
import { ImportColumns } from "../features/import/columns";
import { ImportStateLabel } from "../features/import/label";
import { ImportOptionsForm } from "../features/import/options";
import { ImportPreviewPanel } from "../features/import/preview";
import { discardImport, importQuery, isMoving, mapImport, mappingOf, startImport, stopImport, undoImport } from "../features/import/queries";
import { ImportProgress, ImportResult } from "../features/import/result";
import { formatCount } from "../lib/format";

const route = getRouteApi("/signed-in/shell/in-company/contacts/imports/$id");
const shell = getRouteApi("/signed-in/shell");

export default function ImportPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const polling = usePolling(10_000);
  const query = useQuery({ ...importQuery(id), refetchInterval: ({ state }) => (state.data !== undefined && isMoving(state.data.state) ? 1_500 : polling) });
  const of = query.data;
  return (
    <>
      <PageHead title={of?.file_name ?? ""} crumb={<Crumb to="/contacts/imports" label={t("import.listTitle")} />} beside={of !== undefined && <ImportStateLabel state={of.state} />} />
      {of === undefined && (query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : <Waiting />)}
      {of !== undefined && (of.state === "uploading" || of.state === "uploaded" || of.state === "ready" ? <Choose of={of} /> : <Run of={of} />)}
    </>
  );
}

/** Keeps an answer of the server as the import that the page shows. */
function useCommand<T>(id: string, run: (input: T) => Promise<Import>) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: (now) => queries.setQueryData(importQuery(id).queryKey, now),
    onError: (error) => { toastError(error, t); void queries.invalidateQueries({ queryKey: importQuery(id).queryKey }); },
    onSettled: () => void queries.invalidateQueries({ queryKey: ["imports", "list"] }),
  });
}

function Run({ of }: { of: Import }) {
  const stop = useCommand(of.id, () => stopImport(of.id));
  const undo = useCommand(of.id, () => undoImport(of.id));
  return (
    <div className="page narrow">
      {of.state === "running" || of.state === "undoing"
        ? <ImportProgress of={of} stopping={stop.isPending} onStop={() => stop.mutate(undefined)} />
        : (
          <>
            {of.state === "stopped" && of.state_detail !== "" && <p className="quiet" style={{ margin: "0 0 12px" }}>{of.state_detail.charAt(0).toUpperCase() + of.state_detail.slice(1)}.</p>}
            <ImportResult of={of} undoing={undo.isPending} onUndo={() => undo.mutate(undefined)} />
          </>
        )}
    </div>
  );
}

/** Columns and options on the left, what they lead to on the right. Each change is kept at once and the file read anew. */
function Choose({ of }: { of: Import }) {
  const { t } = useTranslation();
  const { me } = shell.useRouteContext();
  const tags = useQuery(tagsQuery);
  const { draft, error, change } = useMapping(of);
  const complaints = sort(error);
  return (
    <div className="page form">
      <div>
        {error !== null && Object.keys(complaints.columns).length === 0 && Object.keys(complaints.options).length === 0 && <Alert color="red" variant="light" role="alert" mb="md">{describeError(error, t)}</Alert>}
        <section className="section" aria-label={t("import.columns")}>
          <h2 style={{ fontSize: 14, margin: "0 0 2px" }}>{t("import.columns")}</h2>
          <p className="quiet" style={{ margin: "0 0 10px" }}>{t("import.columnsHint")}</p>
          <ImportColumns columns={draft.columns} complaints={complaints.columns} onChange={(place, column) => change({ ...draft, columns: draft.columns.map((c, n) => (n === place ? column : c)) })} />
        </section>
        <section className="section" aria-label={t("import.options")}>
          <h2 style={{ fontSize: 14, margin: "0 0 10px" }}>{t("import.options")}</h2>
          <ImportOptionsForm options={draft.options} knownTags={tags.data?.items.map((tag) => tag.name) ?? []} complaints={complaints.options} onChange={(options) => change({ ...draft, options })} />
        </section>
        <Foot of={of} blocked={error !== null} />
      </div>
      <aside className="aside"><ImportPreviewPanel of={of} companyZone={me.company?.zone ?? ""} /></aside>
    </div>
  );
}

type Draft = Pick<Import, "columns" | "options">;

/** What the person has chosen, and its way to the server: one change after the other, each naming the version it has seen. */
function useMapping(of: Import) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const key = importQuery(of.id).queryKey;
  const [unsaved, setUnsaved] = useState<Draft | null>(null);
  const draft = unsaved ?? of;
  const save = useMutation({
    scope: { id: `import-${of.id}` },
    mutationFn: (wanted: Draft) => {
      const version = queries.getQueryData(key)?.version ?? of.version;
      const body: ImportMapping = mappingOf({ ...wanted, version });
      return mapImport(of.id, body);
    },
    onMutate: () => queries.cancelQueries({ queryKey: key }),
    onSuccess: (now, wanted) => {
      queries.setQueryData(key, now);
      setUnsaved((latest) => (latest === wanted ? null : latest));
    },
    onError: (error) => {
      if (fieldComplaints(error).length > 0) return; // shown beside the fields, with what was chosen
      toastError(error, t);
      setUnsaved(null);
      void queries.invalidateQueries({ queryKey: key });
    },
  });
  const change = (wanted: Draft) => {
    setUnsaved(wanted);
    save.mutate(wanted);
  };
  return { draft, error: save.error, change };
}

/** Complaints of the server by column and by option. */
function sort(error: unknown) {
  const columns: Record<number, string> = {};
  const options: Record<string, string> = {};
  for (const { field, message } of fieldComplaints(error)) {
    const [place, at] = field.split(".");
    if (place === "mapping" && at !== undefined) columns[Number(at)] = message;
    if (place === "options" && at !== undefined) options[at] = message;
  }
  return { columns, options };
}

function Foot({ of, blocked }: { of: Import; blocked: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const start = useCommand(of.id, () => startImport(of.id, of.version));
  const discard = useMutation({
    mutationFn: () => discardImport(of.id),
    onSuccess: () => {
      toastDone(t("import.didDiscard"));
      void queries.invalidateQueries({ queryKey: ["imports", "list"] });
      void navigate({ to: "/contacts/imports", replace: true });
    },
    onError: (error) => toastError(error, t),
  });
  const added = of.preview?.new ?? 0;
  const known = of.options.keep_existing ? 0 : (of.preview?.known ?? 0);
  const label = added > 0 && known > 0 ? t("import.startBoth", { added: formatCount(added), known: formatCount(known) })
    : added > 0 ? t("import.startNew", { count: added, n: formatCount(added) })
    : known > 0 ? t("import.startKnown", { count: known, n: formatCount(known) })
    : t(of.preview == null ? "import.reading" : "import.startNothing");
  return (
    <div className="form-foot">
      <Group gap="xs">
        <Button size="sm" disabled={of.state !== "ready" || blocked || added + known === 0} loading={start.isPending} onClick={() => start.mutate(undefined)}>{label}</Button>
        <ConfirmButton label={t("import.discard")} question={t("import.discardAsk")} confirm={t("import.discard")} loading={discard.isPending} onConfirm={() => discard.mutate()} />
      </Group>
    </div>
  );
}
