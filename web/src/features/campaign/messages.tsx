import { Drawer, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Message } from "../../api/types";
import { Copyable, Time } from "../../components/small";
import { MessageStateLabel } from "../../components/state";
import { type Column, VirtualList } from "../../components/virtual-list";

interface Props {
  messages: Message[];
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

export function MessageList({ messages, ...more }: Props) {
  const { t } = useTranslation();
  const [openId, setOpenId] = useState<string | null>(null);
  const columns: Column<Message>[] = [
    { key: "contact", header: t("message.contact"), width: "minmax(0, 1.5fr)", cell: (m) => <Who message={m} /> },
    { key: "phone", header: t("message.phone"), width: "140px", wide: true, cell: (m) => <span className="num quiet">{m.phone ?? "–"}</span> },
    { key: "state", header: t("message.stateHead"), width: "104px", cell: (m) => <MessageStateLabel state={m.state} /> },
    { key: "error", header: t("message.note"), width: "minmax(0, 2fr)", wide: true, cell: (m) => <div className="clip quiet">{note(m)}</div> },
    { key: "time", header: t("message.time"), width: "112px", align: "end", wide: true, cell: (m) => <Time at={lastInstant(m)} /> },
  ];
  const open = messages.find((m) => m.id === openId);
  return (
    <>
      <VirtualList label={t("message.title")} items={messages} columns={columns} keyOf={(m) => m.id} onOpen={(m) => setOpenId(m.id)} rowHeight={40} {...more} />
      <Drawer opened={open !== undefined} onClose={() => setOpenId(null)} title={<Text fw={600} fz="md">{open?.contact_name || t("contact.noName")}</Text>} size={420}>
        {open !== undefined && <MessageDetails message={open} />}
      </Drawer>
    </>
  );
}

/** Why a message is where it is, in the provider's and our words; for good messages the text. */
function note(m: Message): string {
  return m.error_detail ?? m.text;
}

/** The instant of a message's last step. */
export function lastInstant(m: Message): string | null {
  return m.read_at ?? m.delivered_at ?? m.ended_at ?? m.sent_at ?? m.claimed_at ?? m.queued_at ?? null;
}

function Who({ message }: { message: Message }) {
  const { t } = useTranslation();
  return (
    <>
      <div className="clip" style={{ fontWeight: 500 }}>{message.contact_name || t("contact.noName")}</div>
      <div className="only-phone quiet clip" style={{ fontSize: 12 }}>{message.error_detail ?? message.phone ?? ""}</div>
    </>
  );
}

function MessageDetails({ message: m }: { message: Message }) {
  const { t } = useTranslation();
  const steps = [
    ["queued_at", m.queued_at],
    ["claimed_at", m.claimed_at],
    ["sent_at", m.sent_at],
    ["delivered_at", m.delivered_at],
    ["read_at", m.read_at],
    ["ended_at", m.ended_at],
    ["retry_at", m.retry_at],
  ] as const;
  return (
    <>
      {m.text !== "" && <div className="bubble" style={{ marginBottom: 16, background: "var(--raised)" }}>{m.text}</div>}
      <dl className="facts">
        <dt>{t("message.stateHead")}</dt>
        <dd><MessageStateLabel state={m.state} /><div className="quiet" style={{ marginTop: 2 }}>{t(`message.meaning.${m.state}`)}</div></dd>
        {m.error_detail != null && m.error_detail !== "" && <><dt>{t("message.reason")}</dt><dd>{m.error_detail}</dd></>}
        {m.error_code != null && m.error_code !== 0 && <><dt>{t("message.code")}</dt><dd className="mono">{m.error_code}</dd></>}
        <dt>{t("message.phone")}</dt>
        <dd className="num">{m.phone ?? "–"}</dd>
        {steps.map(([step, at]) => (at == null ? null : <Step key={step} label={t(`message.step.${step}`)} at={at} />))}
        <dt>{t("message.attempts")}</dt>
        <dd className="num">{m.attempts}</dd>
        {m.provider_id != null && m.provider_id !== "" && <><dt>{t("message.providerId")}</dt><dd><Copyable value={m.provider_id} /></dd></>}
        <dt>{t("message.id")}</dt>
        <dd><Copyable value={m.id} /></dd>
      </dl>
    </>
  );
}

function Step({ label, at }: { label: string; at: string }) {
  return <><dt>{label}</dt><dd><Time at={at} /></dd></>;
}
