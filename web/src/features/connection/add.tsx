import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { IconDeviceMobileMessage } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Connection } from "../../api/types";
import { toastError } from "../../components/errors";
import { ConnectionForm } from "./form";
import { connectionQuery, createConnection, simulateConnection } from "./queries";

/** Adds a connection: a number of the sandbox at a click, where there is one, or Meta's. */
export function AddConnection({ sandbox, onAdded, onLeave }: { sandbox: boolean; onAdded: (connection: Connection) => void; onLeave?: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [kind, setKind] = useState<"simulated" | "meta">(sandbox ? "simulated" : "meta");
  const added = (connection: Connection) => {
    queries.setQueryData(connectionQuery(connection.id).queryKey, connection);
    void queries.invalidateQueries({ queryKey: ["connections", "list"] });
    void queries.invalidateQueries({ queryKey: ["setup"] });
    onAdded(connection);
  };
  const create = useMutation({ mutationFn: createConnection, onSuccess: added });
  return (
    <>
      {sandbox && (
        <SegmentedControl
          aria-label={t("connection.channelHead")} mb="md" value={kind} onChange={(value) => setKind(value === "meta" ? "meta" : "simulated")}
          data={[{ value: "simulated", label: t("connect.simulated") }, { value: "meta", label: t("connection.channel") }]}
        />
      )}
      {kind === "simulated" ? <Simulated onAdded={added} /> : (
        <>
          <p className="quiet" style={{ marginTop: 0, maxWidth: 560 }}>{t("connection.addHint")}</p>
          <ConnectionForm sandbox={sandbox} saving={create.isPending} error={create.error} onSave={create.mutate} onLeave={onLeave} />
        </>
      )}
    </>
  );
}

function Simulated({ onAdded }: { onAdded: (connection: Connection) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState(t("connect.simulatedName"));
  const add = useMutation({ mutationFn: () => simulateConnection(name.trim()), onSuccess: onAdded, onError: (error) => toastError(error, t) });
  const [missing, setMissing] = useState(false);
  function submit(event: FormEvent) {
    event.preventDefault();
    setMissing(name.trim() === "");
    if (name.trim() !== "") add.mutate();
  }
  return (
    <form onSubmit={submit} style={{ maxWidth: 560 }}>
      <p className="quiet" style={{ marginTop: 0 }}>{t("connect.simulatedHint")}</p>
      <TextInput label={t("connection.name")} value={name} maxLength={100} error={missing ? t("form.missing") : undefined} onChange={(e) => setName(e.currentTarget.value)} />
      <Button type="submit" size="sm" mt="md" loading={add.isPending} leftSection={<IconDeviceMobileMessage size={15} />}>{t("connect.simulate")}</Button>
    </form>
  );
}
