import { Button, SegmentedControl, Select, TextInput } from "@mantine/core";
import { IconDeviceMobileMessage } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Connection } from "../../api/types";
import { toastError } from "../../components/errors";
import { ConnectionForm } from "./form";
import { connectionQuery, createConnection, simulateConnection } from "./queries";

interface Props {
  sandbox: boolean;
  /** one of them may have it for itself; none: nothing to choose */
  departments?: { id: string; name: string }[];
  onAdded: (connection: Connection) => void;
  onLeave?: () => void;
}

/** Adds a connection: a number of the sandbox at a click, where there is one, or Meta's. */
export function AddConnection({ sandbox, departments = [], onAdded, onLeave }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [kind, setKind] = useState<"simulated" | "meta">(sandbox ? "simulated" : "meta");
  const added = (connection: Connection) => {
    queries.setQueryData(connectionQuery(connection.id).queryKey, connection);
    void queries.invalidateQueries({ queryKey: ["connections", "list"] });
    void queries.invalidateQueries({ queryKey: ["setup"] });
    onAdded(connection);
  };
  const [department, setDepartment] = useState("");
  const given = department === "" ? {} : { department_id: department };
  const create = useMutation({ mutationFn: createConnection, onSuccess: added });
  return (
    <>
      {sandbox && (
        <SegmentedControl
          aria-label={t("connection.channelHead")} mb="md" value={kind} onChange={(value) => setKind(value === "meta" ? "meta" : "simulated")}
          data={[{ value: "simulated", label: t("connect.simulated") }, { value: "meta", label: t("connection.channel") }]}
        />
      )}
      {departments.length > 0 && (
        <Select
          label={t("department.one")} description={t("department.addHint")} mb="sm" maw={560} allowDeselect={false} value={department} onChange={(value) => setDepartment(value ?? "")}
          data={[{ value: "", label: t("department.everyone") }, ...departments.map((d) => ({ value: d.id, label: d.name }))]}
        />
      )}
      {kind === "simulated" ? <Simulated given={given} onAdded={added} /> : (
        <>
          <p className="quiet" style={{ marginTop: 0, maxWidth: 560 }}>{t("connection.addHint")}</p>
          <ConnectionForm sandbox={sandbox} saving={create.isPending} error={create.error} onSave={(input) => create.mutate({ ...input, ...given })} onLeave={onLeave} />
        </>
      )}
    </>
  );
}

function Simulated({ given, onAdded }: { given: { department_id?: string }; onAdded: (connection: Connection) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState(t("connect.simulatedName"));
  const add = useMutation({ mutationFn: () => simulateConnection({ name: name.trim(), ...given }), onSuccess: onAdded, onError: (error) => toastError(error, t) });
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
