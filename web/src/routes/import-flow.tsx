import { Alert, Button, Group } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useBlocker } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { uploadImport } from "../api/client";
import { ApiError, fieldComplaints } from "../api/problem";
import { usePolling } from "../api/realtime";
import type { Import, ImportMapping } from "../api/types";
import { describeError, toastDone, toastError } from "../components/errors";
import { ConfirmButton } from "../components/small";
import { tagsQuery } from "../features/contact/queries";
import { ImportColumns } from "../features/import/columns";
import { ImportDrop } from "../features/import/drop";
import { ImportOptionsForm } from "../features/import/options";
import { ImportPreviewPanel } from "../features/import/preview";
import { discardImport, importQuery, isMoving, mapImport, mappingOf, startImport, stopImport, undoImport } from "../features/import/queries";
import { ImportProgress, ImportResult } from "../features/import/result";
import { formatCount } from "../lib/format";

const shell = getRouteApi("/signed-in/shell");
const largest = 200 * 1024 * 1024;

/** The upload of a file, with its progress. Leaving while it runs is asked about. */
export function ImportUpload({ sample, onMade }: { sample?: () => File; onMade: (made: Import) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [progress, setProgress] = useState<number | null>(null);
  const [name, setName] = useState("");
  const stop = useRef<AbortController | null>(null);
  const done = useRef(false);
  const upload = useMutation({
    mutationFn: (file: File) => {
      setName(file.name);
      if (file.size > largest) throw new ApiError(413, { detail: t("import.tooLarge") });
      stop.current = new AbortController();
      setProgress(0);
      return uploadImport({ file, onProgress: setProgress, signal: stop.current.signal });
    },
    onSettled: () => setProgress(null),
    onSuccess: (made) => {
      done.current = true;
      queries.setQueryData(importQuery(made.id).queryKey, made);
      void queries.invalidateQueries({ queryKey: ["imports", "list"] });
      onMade(made);
    },
  });
  useBlocker({
    shouldBlockFn: () => {
      if (!upload.isPending || done.current) return false;
      if (!window.confirm(t("import.leave"))) return true;
      stop.current?.abort();
      return false;
    },
    enableBeforeUnload: () => upload.isPending && !done.current,
  });
  return (
    <>
      <ImportDrop progress={progress} fileName={name} error={upload.error instanceof DOMException ? null : upload.error} onFile={upload.mutate} onStop={() => stop.current?.abort()} />
      {sample !== undefined && progress === null && (
        <p className="quiet" style={{ margin: "14px 0 0" }}>{t("import.noFile")} <button type="button" className="link" onClick={() => upload.mutate(sample())}>{t("import.sample")}</button></p>
      )}
    </>
  );
}

/** One import, asked for again while it moves by itself. */
export function useImport(id: string) {
  const polling = usePolling(10_000);
  return useQuery({ ...importQuery(id), refetchInterval: ({ state }) => (state.data !== undefined && isMoving(state.data.state) ? 1_500 : polling) });
}

interface FlowProps {
  of: Import;
  onDiscarded: () => void;
  /** another file instead of going to the page for it */
  onAnother?: () => void;
}

/** An import from its columns to its result, wherever it stands. */
export function ImportFlow({ of, onDiscarded, onAnother }: FlowProps) {
  if (of.state === "uploading" || of.state === "uploaded" || of.state === "ready") return <Choose of={of} onDiscarded={onDiscarded} />;
  return <Run of={of} onAnother={onAnother} />;
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

function Run({ of, onAnother }: Pick<FlowProps, "of" | "onAnother">) {
  const stop = useCommand(of.id, () => stopImport(of.id));
  const undo = useCommand(of.id, () => undoImport(of.id));
  return (
    <div className="page narrow">
      {of.state === "running" || of.state === "undoing"
        ? <ImportProgress of={of} stopping={stop.isPending} onStop={() => stop.mutate(undefined)} />
        : (
          <>
            {of.state === "stopped" && of.state_detail !== "" && <p className="quiet" style={{ margin: "0 0 12px" }}>{of.state_detail.charAt(0).toUpperCase() + of.state_detail.slice(1)}.</p>}
            <ImportResult of={of} undoing={undo.isPending} onUndo={() => undo.mutate(undefined)} onAnother={onAnother} />
          </>
        )}
    </div>
  );
}

/** Columns and options on the left, what they lead to on the right. Each change is kept at once and the file read anew. */
function Choose({ of, onDiscarded }: Pick<FlowProps, "of" | "onDiscarded">) {
  const { t } = useTranslation();
  const { me } = shell.useRouteContext();
  const tags = useQuery(tagsQuery);
  const { draft, error, saving, change } = useMapping(of);
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
        <Foot of={of} blocked={error !== null} saving={saving} onDiscarded={onDiscarded} />
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
  return { draft, error: save.error, saving: unsaved !== null && save.isPending, change };
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

/** Starts what the preview shows: not while a later choice is on its way, which the file is to be read with first. */
function Foot({ of, blocked, saving, onDiscarded }: Pick<FlowProps, "of" | "onDiscarded"> & { blocked: boolean; saving: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const start = useCommand(of.id, () => startImport(of.id, of.version));
  const discard = useMutation({
    mutationFn: () => discardImport(of.id),
    onSuccess: () => {
      toastDone(t("import.didDiscard"));
      void queries.invalidateQueries({ queryKey: ["imports", "list"] });
      onDiscarded();
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
        <Button size="sm" disabled={of.state !== "ready" || blocked || added + known === 0} loading={saving || start.isPending} onClick={() => start.mutate(undefined)}>{label}</Button>
        <ConfirmButton label={t("import.discard")} question={t("import.discardAsk")} confirm={t("import.discard")} loading={discard.isPending} onConfirm={() => discard.mutate()} />
      </Group>
    </div>
  );
}
