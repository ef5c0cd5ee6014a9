import { Checkbox, Drawer, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { UncertainMessage } from "../../api/types";
import { Time } from "../../components/small";
import { type Column, VirtualList } from "../../components/virtual-list";
import { MessageDetails } from "../campaign/messages";

interface Props {
  messages: UncertainMessage[];
  chosen: Set<string>;
  onChoose: (chosen: Set<string>) => void;
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

/** messages that one decision may be about */
const most = 1_000;

/** Messages to choose from; a row opens its story. */
export function UncertainList({ messages, chosen, onChoose, ...more }: Props) {
  const { t } = useTranslation();
  const [openId, setOpenId] = useState<string | null>(null);
  const open = messages.find((m) => m.id === openId);
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChoose(next);
  };
  const shown = messages.every((m) => chosen.has(m.id));
  const columns: Column<UncertainMessage>[] = [
    { key: "choose", header: <Checkbox size="xs" checked={shown} indeterminate={!shown && chosen.size > 0} onChange={() => onChoose(shown ? new Set() : new Set(messages.slice(0, most).map((m) => m.id)))} aria-label={t("uncertain.chooseShown")} />, width: "16px", cell: (m) => <Checkbox size="xs" checked={chosen.has(m.id)} onChange={() => toggle(m.id)} aria-label={t("uncertain.choose", { name: m.contact_name || t("contact.noName") })} /> },
    { key: "contact", header: t("message.contact"), width: "minmax(0, 1.3fr)", cell: (m) => (
      <>
        <div className="clip" style={{ fontWeight: 500 }}>{m.contact_name || t("contact.noName")}</div>
        <div className="only-phone quiet clip" style={{ fontSize: 12 }}>{m.campaign_name || t("uncertain.outside")}</div>
      </>
    ) },
    { key: "phone", header: t("message.phone"), width: "140px", wide: true, cell: (m) => <span className="num quiet">{m.phone ?? "–"}</span> },
    { key: "campaign", header: t("uncertain.campaign"), width: "minmax(0, 1.2fr)", wide: true, cell: (m) => <div className="clip">{m.campaign_name || <span className="quiet">{t("uncertain.outside")}</span>}</div> },
    { key: "why", header: t("message.note"), width: "minmax(0, 2fr)", wide: true, cell: (m) => <div className="clip quiet">{m.error_detail ?? m.text}</div> },
    { key: "time", header: t("uncertain.since"), width: "124px", align: "end", cell: (m) => <Time at={m.ended_at ?? m.claimed_at} /> },
  ];
  return (
    <>
      <VirtualList label={t("uncertain.title")} items={messages} columns={columns} keyOf={(m) => m.id} isActive={(m) => chosen.has(m.id)} onOpen={(m) => setOpenId(m.id)} rowHeight={40} {...more} />
      <Drawer opened={open !== undefined} onClose={() => setOpenId(null)} title={<Text fw={600} fz="md">{open?.contact_name || t("contact.noName")}</Text>} size={420}>
        {open !== undefined && <MessageDetails message={open} />}
      </Drawer>
    </>
  );
}
