import { Loader } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Conversation, Label } from "../../api/types";
import { Time } from "../../components/small";
import { LabelDot, PriorityMark } from "./marks";
import type { Chosen } from "./view";

const rowHeight = 64; // px

interface Props {
  items: Conversation[];
  chosen: Chosen;
  labels: Label[];
  open: string | undefined;
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

/** Conversations in their own column, the newest first. */
export function ConversationList({ items, chosen, labels, open, hasMore, loadingMore, loadMore }: Props) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    getItemKey: (index) => items[index]?.id ?? index,
  });
  const rows = virtualizer.getVirtualItems();
  const last = rows.at(-1)?.index ?? -1;
  useEffect(() => {
    if (hasMore && !loadingMore && last >= items.length - 10) loadMore();
  }, [hasMore, loadingMore, last, items.length, loadMore]);

  return (
    <div ref={box} className="talks" tabIndex={-1}>
      <ul aria-label={t("inbox.list")} style={{ height: virtualizer.getTotalSize() }}>
        {rows.map((row) => {
          const item = items[row.index];
          return item === undefined ? null : (
            <li key={row.key} style={{ transform: `translateY(${row.start}px)`, height: rowHeight }}>
              <Talk item={item} chosen={chosen} labels={labels} active={item.id === open} />
            </li>
          );
        })}
      </ul>
      {loadingMore && <div style={{ padding: 12, textAlign: "center" }} role="status" aria-label={t("common.loading")}><Loader size="xs" color="gray" /></div>}
    </div>
  );
}

function Talk({ item, chosen, labels, active }: { item: Conversation; chosen: Chosen; labels: Label[]; active: boolean }) {
  const { t } = useTranslation();
  return (
    <Link to="/inbox" search={{ ...chosen, open: item.id }} className={["talk", active ? "active" : "", item.unread > 0 ? "unread" : ""].join(" ")} aria-current={active ? "true" : undefined} onKeyDown={move}>
      <span className="talk-line"><span className="talk-name"><PriorityMark priority={item.priority} /><span className="clip">{nameOf(item)}</span>{labels.filter((label) => item.label_ids.includes(label.id)).map((label) => <LabelDot key={label.id} label={label} />)}</span><Time at={item.last_at} /></span>
      <span className="talk-line"><span className="clip quiet">{item.assignee_name !== undefined && <span className="talk-whose">{item.assignee_name} · </span>}{!item.last_inbound && `${t("inbox.you")}: `}{item.last_text}</span>{item.unread > 0 && <span className="count" title={t("inbox.unread", { count: item.unread, n: item.unread })}>{item.unread}</span>}</span>
    </Link>
  );
}

/** A contact without a name is known by the number. */
export const nameOf = (item: Conversation) => (item.contact_name === "" ? item.address : item.contact_name);

function move(event: KeyboardEvent<HTMLAnchorElement>) {
  const step = event.key === "ArrowDown" || event.key === "j" ? "nextElementSibling" : event.key === "ArrowUp" || event.key === "k" ? "previousElementSibling" : undefined;
  if (step === undefined) return;
  event.preventDefault();
  event.currentTarget.closest("li")?.[step]?.querySelector<HTMLElement>("a")?.focus();
}
