import { Button, Select, TextInput } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "../../api/client";
import { fieldComplaints } from "../../api/problem";
import type { Connection, SyncedTemplate } from "../../api/types";
import { describeError } from "../../components/errors";
import { MessageStateLabel } from "../../components/state";

interface Props {
  connections: Connection[];
  templates: SyncedTemplate[];
  /** where the simulated phones are, or undefined */
  phones: string | undefined;
}

/** Sends an approved template to one phone and follows it to its last tick. */
export function TestMessage({ connections, templates, phones }: Props) {
  const { t } = useTranslation();
  const usable = connections.filter((c) => c.disabled_at == null);
  const [connection, setConnection] = useState(usable[0]?.id ?? "");
  const fit = templates.filter((one) => one.connection_id === connection && one.unfit === "" && one.parameters === 0);
  const [chosen, setChosen] = useState<string | null>(null);
  const template = fit.find((one) => keyOf(one) === chosen) ?? fit.find((one) => one.language.startsWith("en")) ?? fit[0];
  const [phone, setPhone] = useState("");
  const [missing, setMissing] = useState(false);
  const send = useMutation({
    mutationFn: (wanted: SyncedTemplate) => unwrap(api.POST("/api/v1/connections/{id}/test", {
      params: { path: { id: connection } }, body: { phone: phone.trim(), template: { name: wanted.name, language: wanted.language } },
    })),
  });
  const complaint = fieldComplaints(send.error).find((one) => one.field === "phone")?.message;
  function submit(event: FormEvent) {
    event.preventDefault();
    setMissing(phone.trim() === "");
    if (phone.trim() !== "" && template !== undefined) send.mutate(template);
  }
  return (
    <form noValidate onSubmit={submit} style={{ maxWidth: 480, display: "grid", gap: 12 }}>
      {usable.length > 1 && <Select label={t("connection.one")} allowDeselect={false} data={usable.map((c) => ({ value: c.id, label: c.name }))} value={connection} onChange={(value) => setConnection(value ?? connection)} />}
      <Select label={t("form.template")} allowDeselect={false} disabled={fit.length === 0} error={fit.length === 0 ? t("setup.noTemplate") : undefined}
        data={fit.map((one) => ({ value: keyOf(one), label: `${one.name} · ${one.language}` }))} value={template === undefined ? null : keyOf(template)} onChange={setChosen} />
      {template !== undefined && <div className="bubble">{template.body}</div>}
      <TextInput label={t("setup.phone")} description={t("contact.phoneHint")} type="tel" placeholder="+55 11 98765-4321" value={phone} onChange={(e) => setPhone(e.currentTarget.value)}
        error={missing ? t("form.missing") : complaint ?? (send.error !== null ? describeError(send.error, t) : undefined)} />
      <div><Button type="submit" size="sm" loading={send.isPending} disabled={template === undefined} leftSection={<IconSend size={15} />}>{t("setup.sendTest")}</Button></div>
      {send.data !== undefined && <Ticks key={send.data.message_id} message={send.data.message_id} phones={phones} />}
    </form>
  );
}

const keyOf = (template: SyncedTemplate) => `${template.name} ${template.language}`;
const last = new Set(["read", "failed", "expired", "suppressed", "canceled"]);

function Ticks({ message, phones }: { message: string; phones: string | undefined }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const row = useQuery({
    queryKey: ["messages", "one", message],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/messages/{id}", { params: { path: { id: message } }, signal })),
    refetchInterval: ({ state }) => (state.data !== undefined && last.has(state.data.state) ? false : 1_000),
  });
  const state = row.data?.state;
  useEffect(() => {
    if (state === "sent" || state === "delivered" || state === "read") void queries.invalidateQueries({ queryKey: ["setup"] });
  }, [state, queries]);
  if (row.data === undefined) return null;
  return (
    <div className="panel" role="status" data-test-state={row.data.state}>
      <MessageStateLabel state={row.data.state} /> <span className="quiet">{t(`message.meaning.${row.data.state}`)}</span>
      {row.data.error_detail != null && <div>{row.data.error_detail}</div>}
      {phones !== undefined && <div style={{ marginTop: 4 }}><a className="text" href={phones} target="_blank" rel="noreferrer">{t("setup.seePhone")}</a></div>}
    </div>
  );
}
