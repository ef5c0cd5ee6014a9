import { ActionIcon, Button, Checkbox, CloseButton, Menu, Popover, Select, Stack, TagsInput, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconColumns3, IconDeviceFloppy, IconFileImport, IconFilter, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Segment, TagCount } from "../../api/types";
import { useKeys } from "../../components/small";
import { formatCount } from "../../lib/format";
import { importQuery } from "../import/queries";
import type { Choice, Outcome } from "./choice";

interface Props {
  choice: Choice;
  tags: TagCount[];
  segments: Segment[];
  attributes: string[];
  columns: string[];
  /** a filter can be saved as a segment */
  keeps: boolean;
  onChoose: (choice: Choice) => void;
  onColumns: (columns: string[]) => void;
}

/** Search, tag, segment and columns of the list. "/" goes to the search. */
export function ContactToolbar({ choice, tags, segments, attributes, columns, keeps, onChoose, onColumns }: Props) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(choice.q ?? "");
  // When the address changes by other means than typing, such as "back", the field follows.
  const [known, setKnown] = useState(choice.q);
  if (known !== choice.q) {
    setKnown(choice.q);
    if ((choice.q ?? "") !== typed.trim()) setTyped(choice.q ?? "");
  }
  const search = useDebouncedCallback((text: string) => onChoose({ ...choice, q: text.trim() === "" ? undefined : text.trim() }), 200);
  useKeys({ "/": () => input.current?.focus() });
  const change = (text: string) => { setTyped(text); search(text); };
  return (
    <div className="filters tools" role="search">
      <TextInput
        ref={input} className="grow" size="xs" type="search" value={typed} onChange={(e) => change(e.currentTarget.value)} leftSection={<IconSearch size={14} />}
        aria-label={t("contact.search")} placeholder={t("contact.search")}
        rightSection={typed === "" ? <kbd className="wide">/</kbd> : <CloseButton size="xs" aria-label={t("contact.clearSearch")} onClick={() => change("")} />}
        onKeyDown={(e) => { if (e.key === "Escape") { change(""); e.currentTarget.blur(); } }}
      />
      {tags.length > 0 && (
        <Select size="xs" className="pick" aria-label={t("contact.filter")} placeholder={t("contact.anyTag")} searchable clearable limit={200} value={choice.tag ?? null}
          data={tags.map((tag) => ({ value: tag.id, label: `${tag.name} (${formatCount(tag.contacts)})` }))} onChange={(tag) => onChoose({ ...choice, tag: tag ?? undefined })} />
      )}
      {segments.length > 0 && (
        <Select size="xs" className="pick" aria-label={t("segment.filter")} placeholder={t("segment.any")} searchable clearable limit={200} value={choice.segment ?? null}
          data={segments.map((segment) => ({ value: segment.id, label: segment.name }))} onChange={(segment) => onChoose({ ...choice, segment: segment ?? undefined, filter: undefined })} />
      )}
      {attributes.length > 0 && (
        <Menu position="bottom-end" closeOnItemClick={false}>
          <Menu.Target>
            <Tooltip label={t("contact.columns")}><ActionIcon className="wide" size={28} variant="default" aria-label={t("contact.columns")}><IconColumns3 size={15} /></ActionIcon></Tooltip>
          </Menu.Target>
          <Menu.Dropdown style={{ maxHeight: 360, overflowY: "auto" }}>
            <Menu.Label>{t("contact.attributes")}</Menu.Label>
            {attributes.map((name) => (
              <Menu.Item key={name} role="menuitemcheckbox" aria-checked={columns.includes(name)} leftSection={<Checkbox size="xs" checked={columns.includes(name)} readOnly tabIndex={-1} aria-hidden="true" />}
                onClick={() => onColumns(columns.includes(name) ? columns.filter((c) => c !== name) : [...columns, name])}>{name}</Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      {choice.import !== undefined && <ImportChip of={choice.import} outcome={choice.outcome} onClear={() => onChoose({ ...choice, import: undefined, outcome: undefined })} />}
      {choice.filter !== undefined && <FilterChip filter={choice.filter} keeps={keeps} onClear={() => onChoose({ ...choice, filter: undefined })} />}
    </div>
  );
}

/** The filter that led here, with a way to keep it. */
function FilterChip({ filter, keeps, onClear }: { filter: string; keeps: boolean; onClear: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="filter-chip" role="group" aria-label={t("segment.filterOf")}>
      <IconFilter size={14} className="quiet" aria-hidden="true" />
      <span className="code clip" title={filter}>{filter}</span>
      {keeps && <Button size="compact-xs" variant="subtle" leftSection={<IconDeviceFloppy size={14} />} renderRoot={(props) => <Link {...props} to="/contacts/segments" search={{ id: "new", filter }} />}>{t("segment.keep")}</Button>}
      <CloseButton size="xs" aria-label={t("segment.clearFilter")} onClick={onClear} />
    </div>
  );
}

/** The import whose contacts are shown, with the way back to it. */
function ImportChip({ of, outcome, onClear }: { of: string; outcome: Outcome | undefined; onClear: () => void }) {
  const { t } = useTranslation();
  const name = useQuery(importQuery(of)).data?.file_name ?? "";
  return (
    <div className="filter-chip" role="group" aria-label={t("import.chip.label")}>
      <IconFileImport size={14} className="quiet" aria-hidden="true" />
      <span className="clip">{t(`import.chip.${outcome ?? "any"}`)} <Link className="text" to="/contacts/imports/$id" params={{ id: of }}>{name === "" ? t("import.chip.gone") : name}</Link></span>
      <CloseButton size="xs" aria-label={t("segment.clearFilter")} onClick={onClear} />
    </div>
  );
}

interface SelectionProps {
  /** how many are selected; null: everybody that is chosen */
  count: number | null;
  /** how many are chosen, as words */
  all: string;
  canTakeAll: boolean;
  knownTags: string[];
  working: boolean;
  onTakeAll: () => void;
  onClear: () => void;
  onTag: (tags: { add: string[] } | { remove: string[] }) => void;
}

/** What can be done with the selected contacts. */
export function SelectionBar({ count, all, canTakeAll, knownTags, working, onTakeAll, onClear, onTag }: SelectionProps) {
  const { t } = useTranslation();
  return (
    <div className="filters tools selection" role="region" aria-label={t("contact.selection")}>
      <strong className="num" role="status">{count === null ? t("contact.allSelected", { n: all }) : t("contact.selected", { n: formatCount(count), count })}</strong>
      {count !== null && canTakeAll && <Button size="compact-xs" variant="subtle" onClick={onTakeAll}>{t("contact.takeAll", { n: all })}</Button>}
      <span className="spacer" />
      <TagPopover label={t("contact.addTags")} confirm={t("contact.addTagsDo")} known={knownTags} working={working} onTags={(add) => onTag({ add })} />
      <TagPopover label={t("contact.removeTags")} confirm={t("contact.removeTagsDo")} known={knownTags} working={working} onTags={(remove) => onTag({ remove })} />
      <Button size="xs" variant="subtle" color="gray" onClick={onClear}>{t("contact.clearSelection")}</Button>
    </div>
  );
}

function TagPopover({ label, confirm, known, working, onTags }: { label: string; confirm: string; known: string[]; working: boolean; onTags: (tags: string[]) => void }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [tags, setTags] = useState<string[]>([]);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" width={300} trapFocus withinPortal>
      <Popover.Target><Button size="xs" variant="default" loading={working} onClick={() => setOpen(!open)}>{label}</Button></Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <TagsInput data-autofocus aria-label={t("contact.tags")} placeholder={tags.length === 0 ? t("contact.tagsHint") : undefined} data={known} value={tags} onChange={setTags} comboboxProps={{ withinPortal: false }} />
          <Button size="xs" disabled={tags.length === 0} onClick={() => { setOpen(false); onTags(tags); setTags([]); }}>{confirm}</Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
