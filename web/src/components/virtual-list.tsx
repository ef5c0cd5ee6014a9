import { Loader } from "@mantine/core";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

export interface Column<Item> {
  key: string;
  header: ReactNode;
  /** a CSS grid track, such as "2fr" or "120px" */
  width: string;
  /** its track below 720 px, when it is another */
  phone?: string;
  align?: "end";
  /** left out below 720 px */
  wide?: boolean;
  cell: (item: Item) => ReactNode;
}

interface Props<Item> {
  label: string;
  items: Item[];
  columns: Column<Item>[];
  keyOf: (item: Item) => string;
  onOpen: (item: Item) => void;
  /** rows that are marked as selected */
  isSelected?: (item: Item) => boolean;
  /** a key pressed on a row; true when something was done */
  onKey?: (item: Item, key: string) => boolean;
  /** the item that is shown beside the list */
  isActive?: (item: Item) => boolean;
  /** px, fixed: rows of one height never make the list jump */
  rowHeight?: number;
  phoneHeight?: number;
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

/** A table of any length that scrolls with the window and asks for more near its end. Arrows, j and k move, Enter opens. */
export function VirtualList<Item>(props: Props<Item>) {
  const { items, columns, hasMore, loadingMore, loadMore } = props;
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const top = useOffsetTop(box);
  const phone = usePhone();
  const height = phone ? (props.phoneHeight ?? 60) : (props.rowHeight ?? 42);
  const virtualizer = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: top,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : props.keyOf(item);
    },
  });
  useEffect(() => virtualizer.measure(), [virtualizer, height]);

  const rows = virtualizer.getVirtualItems();
  const last = rows.at(-1)?.index ?? -1;
  useEffect(() => {
    if (hasMore && !loadingMore && last >= items.length - 15) loadMore();
  }, [hasMore, loadingMore, last, items.length, loadMore]);

  const tracks = {
    "--cols": columns.map((c) => c.width).join(" "),
    "--cols-phone": columns.filter((c) => c.wide !== true).map((c) => c.phone ?? c.width).join(" "),
  } as CSSProperties;

  return (
    <div className="list" role="table" aria-label={props.label} aria-rowcount={hasMore ? -1 : items.length + 1} style={tracks}>
      <div className="cols" role="row" aria-rowindex={1}>
        {columns.map((c) => (
          <span key={c.key} role="columnheader" className={cellClass(c)}>{c.header}</span>
        ))}
      </div>
      <div ref={box} role="rowgroup" style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
        {rows.map((row) => {
          const item = items[row.index];
          if (item === undefined) return null;
          return (
            <div
              key={row.key}
              className={["row", props.isActive?.(item) === true ? "active" : "", props.isSelected?.(item) === true ? "selected" : ""].join(" ").trimEnd()}
              role="row"
              aria-rowindex={row.index + 2}
              data-index={row.index}
              tabIndex={0}
              style={{ height, transform: `translateY(${row.start - top}px)` }}
              onClick={(event) => { if (!hitsControl(event.target, event.currentTarget)) props.onOpen(item); }}
              onKeyDown={(event) => {
                if (event.target === event.currentTarget && !event.ctrlKey && !event.metaKey && props.onKey?.(item, event.key) === true) event.preventDefault();
                else onRowKey(event, () => props.onOpen(item));
              }}
            >
              {columns.map((c) => (
                <div key={c.key} role="cell" className={cellClass(c)}>{c.cell(item)}</div>
              ))}
            </div>
          );
        })}
      </div>
      {loadingMore && (
        <div style={{ padding: 14, textAlign: "center" }} role="status" aria-label={t("common.loading")}>
          <Loader size="xs" color="gray" />
        </div>
      )}
    </div>
  );
}

function cellClass(column: { align?: "end"; wide?: boolean }): string {
  return [column.align === "end" ? "end" : "", column.wide === true ? "wide" : ""].join(" ").trim();
}

/** Whether a click was meant for a link or button inside the row. */
function hitsControl(target: EventTarget, row: Element): boolean {
  if (!(target instanceof Element)) return false;
  const control = target.closest("a,button,label,input");
  return control !== null && row.contains(control);
}

function onRowKey(event: KeyboardEvent<HTMLDivElement>, open: () => void) {
  if (event.target !== event.currentTarget) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    open();
    return;
  }
  const step = event.key === "ArrowDown" || event.key === "j" ? 1 : event.key === "ArrowUp" || event.key === "k" ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const next = Number(event.currentTarget.dataset.index) + step;
  const row = event.currentTarget.parentElement?.querySelector<HTMLElement>(`[data-index="${next}"]`);
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

/** Distance of an element from the top of the document; follows what grows or shrinks above it. */
function useOffsetTop(ref: React.RefObject<HTMLElement | null>): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      if (ref.current !== null) setTop(Math.round(ref.current.getBoundingClientRect().top + window.scrollY));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [ref]);
  return top;
}

function usePhone(): boolean {
  const query = "(max-width: 720px)";
  const [phone, setPhone] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const media = window.matchMedia(query);
    const follow = () => setPhone(media.matches);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, []);
  return phone;
}
