import { Button, Group, Modal, Text } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Connection, Usage } from "../../api/types";
import { describeError, toastDone, toastError } from "../../components/errors";
import { ConfirmButton } from "../../components/small";
import { formatCount } from "../../lib/format";
import { connectionUsageQuery, deleteConnection, disableConnection, enableConnection } from "./queries";

/** Switches a connection off and on, and deletes it once nothing is open on it. */
export function Danger({ connection, onChanged, onDeleted }: { connection: Connection; onChanged: (connection: Connection) => void; onDeleted: () => void }) {
  const { t } = useTranslation();
  const [deleting, setDeleting] = useState(false);
  const disabled = connection.disabled_at != null;
  const turn = useMutation({
    mutationFn: () => (disabled ? enableConnection(connection.id) : disableConnection(connection.id)),
    onSuccess: (changed) => {
      onChanged(changed);
      toastDone(t(changed.disabled_at == null ? "connect.didEnable" : "connect.didDisable"));
    },
    onError: (error) => toastError(error, t),
  });
  return (
    <fieldset className="section">
      <legend>{t("connect.danger")}</legend>
      <p className="quiet" style={{ margin: "0 0 10px" }}>{t(disabled ? "connect.enableHint" : "connect.disableHint")}</p>
      <Group gap="xs">
        {disabled
          ? <Button variant="default" leftSection={<IconPlayerPlay size={15} />} loading={turn.isPending} onClick={() => turn.mutate()}>{t("connect.enable")}</Button>
          : <ConfirmButton label={t("connect.disable")} question={t("connect.disableQuestion")} confirm={t("connect.disable")} icon={<IconPlayerPause size={15} />} loading={turn.isPending} onConfirm={() => turn.mutate()} />}
        <Button variant="default" leftSection={<IconTrash size={15} />} onClick={() => setDeleting(true)}>{t("common.delete")}</Button>
      </Group>
      <Modal opened={deleting} onClose={() => setDeleting(false)} title={<Text fw={600}>{t("connect.deleteTitle", { name: connection.name })}</Text>} size="md">
        <Deletion connection={connection} onLeave={() => setDeleting(false)} onDeleted={onDeleted} />
      </Modal>
    </fieldset>
  );
}

function Deletion({ connection, onLeave, onDeleted }: { connection: Connection; onLeave: () => void; onDeleted: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const usage = useQuery(connectionUsageQuery(connection.id));
  const remove = useMutation({
    mutationFn: () => deleteConnection(connection.id),
    onSuccess: () => { toastDone(t("connect.didDelete")); onDeleted(); },
    onError: (error) => {
      void queries.invalidateQueries({ queryKey: connectionUsageQuery(connection.id).queryKey });
      toastError(error, t);
    },
  });
  if (usage.isError) return <Text>{describeError(usage.error, t)}</Text>;
  if (usage.data === undefined) return <Text className="quiet">{t("common.loading")}</Text>;
  const open = isOpen(usage.data);
  return (
    <>
      <Text>{t(open ? "connect.inUse" : "connect.deleteQuestion")}</Text>
      {open && <OpenWork usage={usage.data} />}
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" data-autofocus onClick={onLeave}>{t("common.keep")}</Button>
        {!open && <Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>{t("connect.deleteConfirm")}</Button>}
      </Group>
    </>
  );
}

const isOpen = (usage: Usage) => usage.queued + usage.sending + usage.uncertain + usage.campaigns.length > 0;

function OpenWork({ usage }: { usage: Usage }) {
  const { t } = useTranslation();
  return (
    <ul style={{ margin: "10px 0 0", paddingLeft: 18 }}>
      {(["queued", "sending", "uncertain"] as const).filter((state) => usage[state] > 0).map((state) => (
        <li key={state}>
          {state === "uncertain"
            ? <Link className="text" to="/uncertain" search={{}}><span className="num">{formatCount(usage[state])}</span> {t(`connect.open.${state}`, { count: usage[state] })}</Link>
            : <><span className="num">{formatCount(usage[state])}</span> {t(`connect.open.${state}`, { count: usage[state] })}</>}
        </li>
      ))}
      {usage.campaigns.map((campaign) => (
        <li key={campaign.id}><Link className="text" to="/campaigns/$id" params={{ id: campaign.id }}>{campaign.name}</Link> <span className="quiet">{t(`campaign.state.${campaign.state}`)}</span></li>
      ))}
    </ul>
  );
}
