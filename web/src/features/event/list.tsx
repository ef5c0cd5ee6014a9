import { Checkbox } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { RawEvent } from "../../api/types";
import { Time } from "../../components/small";
import { type Column, VirtualList } from "../../components/virtual-list";

interface Props {
  events: RawEvent[];
  /** undefined: nothing is chosen here */
  chosen?: Set<string>;
  onChoose: (chosen: Set<string>) => void;
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

/** events that one replay may be about */
export const most = 200;

/** What webhooks said, by kind and reason; what it says itself is shown to nobody. */
export function EventList({ events, chosen, onChoose, ...more }: Props) {
  const { t } = useTranslation();
  const toggle = (id: string) => {
    if (chosen === undefined) return;
    const next = new Set(chosen);
    if (!next.delete(id) && next.size < most) next.add(id);
    onChoose(next);
  };
  const all = chosen !== undefined && events.slice(0, most).every((e) => chosen.has(e.id));
  const choose: Column<RawEvent>[] = chosen === undefined ? [] : [{
    key: "choose", width: "16px",
    header: <Checkbox size="xs" checked={all} indeterminate={!all && chosen.size > 0} onChange={() => onChoose(all ? new Set() : new Set(events.slice(0, most).map((e) => e.id)))} aria-label={t("event.chooseShown")} />,
    cell: (e) => <Checkbox size="xs" checked={chosen.has(e.id)} onChange={() => toggle(e.id)} aria-label={t("event.choose", { kind: e.kind })} />,
  }];
  const why = (e: RawEvent) => (e.reason === "" ? t("event.whole") : `${e.reason.charAt(0).toUpperCase()}${e.reason.slice(1)}.`);
  const columns: Column<RawEvent>[] = [
    ...choose,
    { key: "kind", header: t("event.kind"), width: "minmax(0, 1.1fr)", cell: (e) => (
      <>
        <div className="clip mono">{e.kind}</div>
        <div className="only-phone quiet" style={{ fontSize: 12 }}><div className="clip-2">{why(e)}</div></div>
      </>
    ) },
    { key: "connection", header: t("event.connection"), width: "minmax(0, 1fr)", wide: true, cell: (e) => <div className="clip">{e.stray ? <span className="quiet">{t("event.stray", { name: e.connection_name })}</span> : e.connection_name}</div> },
    { key: "why", header: t("event.reason"), width: "minmax(0, 2.2fr)", wide: true, cell: (e) => <div className={e.reason === "" ? "clip quiet" : "clip"} title={e.reason === "" ? undefined : why(e)}>{why(e)}</div> },
    { key: "at", header: t("event.at"), width: "128px", ...(chosen === undefined ? {} : { phone: "88px" }), align: "end", cell: (e) => <Time at={e.at} /> },
    { key: "until", header: t("event.until"), width: "128px", align: "end", wide: true, cell: (e) => <Time at={e.kept_until} /> },
  ];
  return <VirtualList label={t("event.title")} items={events} columns={columns} keyOf={(e) => e.id} isActive={(e) => chosen?.has(e.id) === true} onOpen={(e) => toggle(e.id)} rowHeight={40} phoneHeight={chosen === undefined ? 64 : 76} {...more} />;
}
