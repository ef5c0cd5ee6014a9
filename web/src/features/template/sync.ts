import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { toastError } from "../../components/errors";
import { neverSynced } from "./group";
import { syncTemplates, templatesQuery, type Templates } from "./queries";

/** Reads templates from the provider; by itself once for connections that were never asked. */
export function useTemplateSync(templates: Templates | undefined) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const begun = useRef(false);
  const sync = useMutation({
    mutationFn: (ids: string[]) => Promise.all(ids.map(syncTemplates)),
    onError: (error) => toastError(error, t),
    onSettled: () => queries.invalidateQueries({ queryKey: templatesQuery.queryKey }),
  });
  const { mutate } = sync;
  useEffect(() => {
    const never = neverSynced(templates?.syncs ?? []);
    if (begun.current || never.length === 0) return;
    begun.current = true;
    mutate(never);
  }, [templates, mutate]);
  return sync;
}
