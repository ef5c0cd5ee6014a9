import { Button, Select, TextInput } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints } from "../../api/problem";
import type { Connection, LedgerState, SyncedTemplate } from "../../api/types";
import { describeError } from "../../components/errors";
import { PhoneBubble } from "../../components/phone";
import { sendTrial } from "./queries";
import { Ticks } from "./ticks";

interface Props {
  connections: Connection[];
  templates: SyncedTemplate[];
  /** where the simulated phones are, or undefined */
  phones: string | undefined;
  onState: (state: LedgerState) => void;
}

/** Sends an approved template to one phone and follows it to its last tick. */
export function TestMessage({ connections, templates, phones, onState }: Props) {
  const { t } = useTranslation();
  const usable = connections.filter((c) => c.disabled_at == null);
  const [connection, setConnection] = useState(usable[0]?.id ?? "");
  const fit = templates.filter((one) => one.connection_id === connection && one.unfit === "" && one.parameters === 0);
  const [chosen, setChosen] = useState<string | null>(null);
  const template = fit.find((one) => keyOf(one) === chosen) ?? fit.find((one) => one.language.startsWith("en")) ?? fit[0];
  const simulated = usable.some((one) => one.id === connection && one.simulated);
  const [phone, setPhone] = useState("");
  const [missing, setMissing] = useState(false);
  const send = useMutation({
    mutationFn: (wanted: SyncedTemplate) => sendTrial({
      connection_id: connection, phone: phone.trim(), content: { kind: "template", template: { name: wanted.name, language: wanted.language } },
    }),
  });
  const complaint = fieldComplaints(send.error).map((one) => one.message).join(" ");
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
      {template !== undefined && <PhoneBubble headerFormat={template.header_format} header={template.header} footer={template.footer} buttons={template.buttons} body={template.body} />}
      <TextInput label={t("setup.phone")} description={t(simulated ? "trial.anyNumber" : "contact.phoneHint")} type="tel" placeholder="+55 11 98765-4321" value={phone} onChange={(e) => setPhone(e.currentTarget.value)}
        error={missing ? t("form.missing") : complaint || (send.error !== null && describeError(send.error, t))} />
      <div><Button type="submit" size="sm" loading={send.isPending} disabled={template === undefined} leftSection={<IconSend size={15} />}>{t("setup.sendTest")}</Button></div>
      {send.data !== undefined && <Ticks key={send.data.message_id} id={send.data.message_id} onState={onState} />}
      {send.data !== undefined && phones !== undefined && <div><a className="text" href={phones} target="_blank" rel="noreferrer">{t("trial.seePhone")}</a></div>}
    </form>
  );
}

const keyOf = (template: SyncedTemplate) => `${template.name} ${template.language}`;
