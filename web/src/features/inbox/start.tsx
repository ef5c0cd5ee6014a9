import { Button, Modal, Select, Text, Textarea, TextInput } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Contact, SyncedTemplate } from "../../api/types";
import { describeError } from "../../components/errors";
import { PhoneBubble } from "../../components/phone";
import { useNow } from "../../components/small";
import { connectionsQuery } from "../connection/queries";
import { ContactPicker, titleOf } from "../contact/picker";
import { canSend } from "../template/group";
import { templatesQuery } from "../template/queries";
import { conversationsOfQuery, startConversation } from "./queries";

/** Whom to write to: a contact, or a number that may be nobody's yet. */
type Who = { contact: Contact } | { phone: string };

/** Writes to somebody first: free text where their 24 hours are open, else a template. on: the connection that is proposed. */
export function StartModal({ opened, to, on, onClose, onStarted }: { opened: boolean; to?: Contact; on?: string; onClose: () => void; onStarted: (conversation: string) => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>{t(on === undefined ? "start.title" : "inbox.toTemplate")}</Text>} size="md">
      {opened && <Start to={to} on={on} onStarted={onStarted} />}
    </Modal>
  );
}

function Start({ to, on, onStarted }: { to?: Contact; on?: string; onStarted: (conversation: string) => void }) {
  const { t } = useTranslation();
  const [who, setWho] = useState<Who | undefined>(to === undefined ? undefined : { contact: to });
  if (who === undefined) {
    return (
      <ContactPicker label={t("start.whom")} onChoose={(contact) => setWho({ contact })}
        other={(typed) => /^[+\d][\d\s().-]{6,}$/.test(typed) && <li><button type="button" onClick={() => setWho({ phone: typed })}>{t("start.number", { number: typed })}</button></li>} />
    );
  }
  return <Message who={who} on={on} change={to === undefined ? () => setWho(undefined) : undefined} onStarted={onStarted} />;
}

const keyOf = (template: SyncedTemplate) => `${template.name} ${template.language}`;

function Message({ who, on, change, onStarted }: { who: Who; on?: string; change?: () => void; onStarted: (conversation: string) => void }) {
  const { t } = useTranslation();
  const now = useNow(30_000);
  const contact = "contact" in who ? who.contact : undefined;
  const usable = (useQuery(connectionsQuery).data?.items ?? []).filter((one) => one.disabled_at == null && one.deleted_at == null);
  const [picked, setConnection] = useState<string>();
  const connection = picked ?? (usable.find((one) => one.id === on) ?? usable[0])?.id;
  const known = useQuery({ ...conversationsOfQuery(contact?.id ?? ""), enabled: contact !== undefined }).data?.items.find((one) => one.connection_id === connection);
  const open = known?.open_until != null && Date.parse(known.open_until) > now.getTime();
  const templates = (useQuery(templatesQuery).data?.items ?? []).filter((one) => one.connection_id === connection && canSend(one));
  const [chosen, setChosen] = useState<string | null>(null);
  const template = templates.find((one) => keyOf(one) === chosen) ?? templates[0];
  const [values, setValues] = useState<string[]>([]);
  const [text, setText] = useState("");
  const [name, setName] = useState("");
  const [key] = useState(() => crypto.randomUUID());
  const parameters = Array.from({ length: template?.parameters ?? 0 }, (_, n) => values[n] ?? "");
  const ready = connection !== undefined && (open ? text.trim() !== "" : template !== undefined && parameters.every((one) => one.trim() !== ""));
  const send = useMutation({
    mutationFn: (on: string) => startConversation({
      key, connection_id: on, ...("contact" in who ? { contact_id: who.contact.id } : { phone: who.phone, name: name.trim() }),
      content: open ? { kind: "text", text } : { kind: "template", template: { name: template?.name ?? "", language: template?.language ?? "", parameters } },
    }),
    onSuccess: (started) => onStarted(started.conversation_id),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !send.isPending) send.mutate(connection);
  };
  return (
    <form noValidate onSubmit={submit} style={{ display: "grid", gap: 12 }}>
      <div className="start-whom"><span className="clip"><strong>{contact === undefined ? "phone" in who && who.phone : titleOf(contact, t("contact.noName"))}</strong> {contact?.name !== "" && <span className="quiet num">{contact?.phone}</span>}</span>{change !== undefined && <button type="button" className="link" onClick={change}>{t("start.another")}</button>}</div>
      {contact === undefined && <TextInput label={t("start.name")} description={t("start.nameHint")} value={name} onChange={(e) => setName(e.currentTarget.value)} />}
      <Select label={t("start.from")} allowDeselect={false} data={usable.map((one) => ({ value: one.id, label: one.name }))} value={connection ?? null} onChange={(value) => { setConnection(value ?? undefined); setChosen(null); }} error={usable.length === 0 ? t("start.noConnection") : undefined} />
      {open ? (
        <Textarea data-autofocus autosize minRows={3} maxLength={4096} label={t("start.text")} value={text} onChange={(e) => setText(e.currentTarget.value)} />
      ) : (
        <>
          <p className="quiet" style={{ margin: 0 }}>{t("start.templatesOnly")}</p>
          <Select label={t("form.template")} allowDeselect={false} searchable data={templates.map((one) => ({ value: keyOf(one), label: `${one.name} · ${one.language}` }))} value={template === undefined ? null : keyOf(template)}
            onChange={(value) => { setChosen(value); setValues([]); }} error={connection !== undefined && templates.length === 0 ? t("start.noTemplate") : undefined} />
          {parameters.map((value, n) => (
            <TextInput key={n} required label={`{{${n + 1}}}`} value={value} onChange={(e) => { const typed = e.currentTarget.value; setValues(parameters.map((one, at) => (at === n ? typed : one))); }} />
          ))}
          {template !== undefined && <PhoneBubble headerFormat={template.header_format} header={template.header} footer={template.footer} buttons={template.buttons} body={filled(template.body, parameters)} />}
        </>
      )}
      {send.isError && <div className="mistake" role="alert">{describeError(send.error, t)}</div>}
      <div><Button type="submit" leftSection={<IconSend size={15} />} loading={send.isPending} disabled={!ready}>{t("inbox.send")}</Button></div>
    </form>
  );
}

const filled = (body: string, parameters: string[]) => body.replace(/\{\{\s*(\d+)\s*\}\}/g, (whole, n: string) => parameters[Number(n) - 1] || whole);
