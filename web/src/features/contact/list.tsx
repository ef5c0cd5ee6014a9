import { Checkbox } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Contact } from "../../api/types";
import { Time } from "../../components/small";
import { type Column, VirtualList } from "../../components/virtual-list";

interface Props {
  contacts: Contact[];
  /** names of attributes to show as columns */
  attributes: string[];
  /** ids; null: everybody that is chosen */
  selected: ReadonlySet<string> | null;
  /** whether something can be done with selected ones */
  selectable: boolean;
  onToggle: (contact: Contact) => void;
  onToggleAll: () => void;
  onOpen: (contact: Contact) => void;
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

export function ContactList({ contacts, attributes, selected, selectable, onToggle, onToggleAll, ...rest }: Props) {
  const { t } = useTranslation();
  const isSelected = (c: Contact) => selected === null || selected.has(c.id);
  const some = selected === null || selected.size > 0;
  const columns: Column<Contact>[] = [
    ...(selectable ? [{
      key: "select", width: "16px",
      header: <Checkbox size="xs" aria-label={t("contact.selectAll")} checked={some && contacts.every(isSelected)} indeterminate={some && !contacts.every(isSelected)} onChange={onToggleAll} />,
      cell: (c: Contact) => <Checkbox size="xs" tabIndex={-1} aria-label={t("contact.select", { name: c.name || c.phone || t("contact.noName") })} checked={isSelected(c)} onChange={() => onToggle(c)} />,
    }] : []),
    { key: "name", header: t("contact.name"), width: "minmax(0, 1.4fr)", cell: (c) => <Who contact={c} /> },
    { key: "phone", header: t("contact.phone"), width: "132px", wide: true, cell: (c) => <span className="num">{c.phone ?? "–"}</span> },
    { key: "tags", header: t("contact.tags"), width: "minmax(0, 1.4fr)", wide: true, cell: (c) => <Tags contact={c} /> },
    ...attributes.map((name): Column<Contact> => ({ key: `@${name}`, header: name, width: "minmax(0, 1fr)", wide: true, cell: (c) => <div className="clip">{c.attributes[name] ?? <span className="quiet">–</span>}</div> })),
    ...(attributes.length < 3 ? [{ key: "zone", header: t("contact.zone"), width: "150px", wide: true, cell: (c: Contact) => <div className="quiet clip">{c.zone ?? "–"}</div> }] : []),
    { key: "opt", header: "", width: "84px", align: "end", cell: (c) => (c.opted_out_at == null ? null : <span className="tag mute">{t("contact.optedOut")}</span>) },
    { key: "added", header: t("contact.added"), width: "128px", align: "end", wide: true, cell: (c) => <Time at={c.created_at} /> },
  ];
  return (
    <VirtualList label={t("contact.title")} items={contacts} columns={columns} keyOf={(c) => c.id} rowHeight={40} {...rest}
      isSelected={isSelected} onKey={(c, key) => { if (key !== "x" || !selectable) return false; onToggle(c); return true; }} />
  );
}

function Who({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  return (
    <>
      <div className={contact.name === "" ? "clip quiet" : "clip"} style={{ fontWeight: 500 }}>{contact.name === "" ? t("contact.noName") : contact.name}</div>
      <div className="only-phone quiet clip num" style={{ fontSize: 12 }}>{[contact.phone ?? "", ...contact.tags.map((tag) => tag.name)].filter((s) => s !== "").join(" · ")}</div>
    </>
  );
}

export function Tags({ contact }: { contact: Contact }) {
  return (
    <div className="clip">
      {contact.tags.map((tag) => <span key={tag.id} className="tag">{tag.name}</span>)}
    </div>
  );
}
