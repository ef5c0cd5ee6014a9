import { Button, Group } from "@mantine/core";
import { IconHourglass } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Connection, ConnectionLive } from "../../api/types";
import { toastDone, toastError } from "../../components/errors";
import { useNow } from "../../components/small";
import { formatFinish } from "../../lib/format";
import { connectionLiveQuery, resumeConnection } from "./queries";

/** Why nothing is sent on it now, when that ends, and the button that ends it. */
export function Hold({ id, live, onResumed }: { id: string; live: ConnectionLive; onResumed: (changed: Connection) => void }) {
  const { t } = useTranslation();
  const now = useNow();
  const queries = useQueryClient();
  const resume = useMutation({
    mutationFn: () => resumeConnection(id),
    onSuccess: (changed) => { onResumed(changed); toastDone(t("hold.did")); },
    onError: (error) => toastError(error, t),
    onSettled: () => queries.invalidateQueries({ queryKey: connectionLiveQuery(id).queryKey }),
  });
  return (
    <div className="panel notice" role="status" style={{ marginBottom: 16 }} data-hold>
      <IconHourglass size={18} color="var(--warn)" aria-hidden="true" />
      <div style={{ flex: 1, minWidth: 0 }}>
        <strong>{t("hold.title")}</strong>
        <div>{live.held_reason}</div>
        <Group gap="sm" mt={10}>
          <Button variant="default" loading={resume.isPending} onClick={() => resume.mutate()}>{t(live.held_until == null ? "hold.resume" : "hold.tryNow")}</Button>
          <span className="quiet">{live.held_until == null ? t("hold.open") : t("hold.until", { at: formatFinish(live.held_until, now) })}</span>
        </Group>
      </div>
    </div>
  );
}
