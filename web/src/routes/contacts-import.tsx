import { Button, Group } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useBlocker } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { uploadContacts } from "../api/client";
import { Crumb, PageHead } from "../components/page";
import { type ImportChoice, ImportForm, ImportReport } from "../features/contact/import";

export default function ImportPage() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [progress, setProgress] = useState<number | null>(null);
  const stop = useRef<AbortController | null>(null);
  const upload = useMutation({
    mutationFn: ({ file, tag, region }: ImportChoice) => {
      stop.current = new AbortController();
      setProgress(0);
      return uploadContacts({ file, tag, region, onProgress: setProgress, signal: stop.current.signal });
    },
    onSettled: () => {
      setProgress(null);
      void queries.invalidateQueries({ queryKey: ["contacts"] });
      void queries.invalidateQueries({ queryKey: ["tags"] });
    },
  });
  useBlocker({
    shouldBlockFn: () => {
      if (!upload.isPending) return false;
      if (!window.confirm(t("import.leave"))) return true;
      stop.current?.abort();
      return false;
    },
    enableBeforeUnload: () => upload.isPending,
  });
  const stopped = upload.error instanceof DOMException;
  return (
    <>
      <PageHead title={t("import.title")} crumb={<Crumb to="/contacts" label={t("contact.title")} />} />
      <div className="page narrow">
        {upload.data === undefined ? (
          <ImportForm progress={progress} error={stopped ? null : upload.error} onImport={upload.mutate} onStop={() => stop.current?.abort()} />
        ) : (
          <>
            <ImportReport result={upload.data} />
            <Group gap="xs" mt="lg">
              <Button component={Link} to="/contacts" size="sm">{t("import.toContacts")}</Button>
              <Button variant="default" size="sm" onClick={() => upload.reset()}>{t("import.again")}</Button>
            </Group>
          </>
        )}
      </div>
    </>
  );
}
