import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useBlocker, useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { uploadImport } from "../api/client";
import { ApiError } from "../api/problem";
import { Crumb, PageHead } from "../components/page";
import { ImportDrop } from "../features/import/drop";
import { importQuery } from "../features/import/queries";

const largest = 200 * 1024 * 1024;

export default function NewImportPage() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const navigate = useNavigate();
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
      void navigate({ to: "/contacts/imports/$id", params: { id: made.id }, replace: true });
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
      <PageHead title={t("import.newTitle")} crumb={<Crumb to="/contacts/imports" label={t("import.listTitle")} />} />
      <div className="page narrow">
        <ImportDrop progress={progress} fileName={name} error={upload.error instanceof DOMException ? null : upload.error} onFile={upload.mutate} onStop={() => stop.current?.abort()} />
      </div>
    </>
  );
}
