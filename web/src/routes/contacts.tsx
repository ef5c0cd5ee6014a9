import { Button, Drawer, Group, Menu, Text } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconAddressBook, IconDownload, IconFileImport, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import { toastDone, toastError } from "../components/errors";
import { Empty, Failed, PageHead, WaitingRows } from "../components/page";
import { useRunsCompany } from "../features/account/role";
import { type Choice, exportAddress, isEverybody, toQuery } from "../features/contact/choice";
import { ContactEditor } from "../features/contact/editor";
import { ContactList } from "../features/contact/list";
import { attributesQuery, contactsQuery, segmentsQuery, tagContacts, tagsQuery, useContactCount } from "../features/contact/queries";
import { ContactTabs } from "../features/contact/tabs";
import { ContactToolbar, SelectionBar } from "../features/contact/toolbar";
import { formatCount } from "../lib/format";

const route = getRouteApi("/signed-in/shell/in-company/contacts");

/** ids, or everybody that is chosen */
type Selected = ReadonlySet<string> | "all";
const nobody: Selected = new Set();
/** of one request */
const mostIds = 1_000;

export default function ContactsPage() {
  const { t } = useTranslation();
  const choice = route.useSearch();
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  const [selected, setSelected] = useState(nobody);
  const [columns, setColumns] = useLocalStorage<string[]>({ key: "omnidesk.contact.columns", defaultValue: [], getInitialValueInEffect: false });
  const polling = usePolling();
  const list = useInfiniteQuery({ ...contactsQuery(choice), refetchInterval: polling });
  const size = useContactCount(toQuery(choice));
  const tags = useQuery(tagsQuery);
  const runs = useRunsCompany();
  const segments = useQuery({ ...segmentsQuery, enabled: runs });
  const attributes = useQuery(attributesQuery);
  const tagging = useTagging(() => setSelected(nobody));
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const contacts = list.data?.pages.flatMap((page) => page.items) ?? [];
  const everybody = isEverybody(choice);
  const none = list.isSuccess && contacts.length === 0;
  const total = size.data === undefined ? "" : `${formatCount(size.data.count)}${size.data.atLeast ? "+" : ""}`;
  const choose = (next: Choice) => { setSelected(nobody); void navigate({ to: "/contacts", search: next, replace: true }); };
  const known = attributes.data?.items ?? [];

  const toggle = (id: string) => setSelected((before) => {
    const next = new Set(before === "all" ? contacts.map((c) => c.id) : before);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  const toggleAll = () => setSelected((before) => (before === "all" || before.size > 0 ? nobody : contacts.length > mostIds ? "all" : new Set(contacts.map((c) => c.id))));
  const someSelected = selected === "all" || selected.size > 0;
  const importButton = <Button className={none && everybody ? undefined : "tight"} component={Link} to="/contacts/imports/new" variant={none && everybody ? "filled" : "default"} leftSection={<IconFileImport size={15} />}>{t("contact.import")}</Button>;

  return (
    <>
      <PageHead title={t("contact.title")} beside={<span className="num quiet" role="status">{total}</span>}>
        {runs && <Group gap={6} wrap="nowrap">
          {!none && <ExportMenu choice={choice} />}
          {importButton}
          <Button variant={none && everybody ? "default" : "filled"} leftSection={<IconPlus size={15} />} onClick={() => setAdding(true)}>{t("contact.addShort")}</Button>
        </Group>}
      </PageHead>
      {runs && <ContactTabs />}
      {!(none && everybody) && !someSelected && (
        <ContactToolbar choice={choice} tags={tags.data?.items ?? []} segments={runs ? segments.data?.items ?? [] : []} attributes={known} columns={columns} keeps={runs} onChoose={choose} onColumns={setColumns} />
      )}
      {someSelected && (
        <SelectionBar
          count={selected === "all" ? null : selected.size} all={total} canTakeAll={list.hasNextPage} knownTags={tags.data?.items.map((tag) => tag.name) ?? []} working={tagging.isPending}
          onTakeAll={() => setSelected("all")} onClear={() => setSelected(nobody)}
          onTag={(change) => tagging.mutate({ selection: selected === "all" ? choice : { ids: [...selected] }, change })}
        />
      )}
      {list.isPending && <WaitingRows />}
      {list.isError && contacts.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
      {none && (
        <Empty icon={<IconAddressBook size={32} stroke={1.4} />} action={everybody ? runs && importButton : <Button component={Link} to="/contacts" variant="default">{t("contact.showAll")}</Button>}>
          {everybody ? t(runs ? "contact.empty" : "contact.emptyUser") : t("contact.emptyChoice")}
        </Empty>
      )}
      {contacts.length > 0 && (
        <ContactList
          contacts={contacts} attributes={columns.filter((name) => known.includes(name))} selected={selected === "all" ? null : selected}
          selectable={runs} onToggle={(c) => toggle(c.id)} onToggleAll={toggleAll} onOpen={(c) => void navigate({ to: "/contacts/$id", params: { id: c.id } })}
          hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore}
        />
      )}
      <Drawer opened={adding} onClose={() => setAdding(false)} size={420} title={<Text fw={600} fz="md">{t("contact.add")}</Text>}>
        {adding && <ContactEditor contact={undefined} knownTags={tags.data?.items.map((tag) => tag.name) ?? []} onDone={() => setAdding(false)} />}
      </Drawer>
    </>
  );
}

function useTagging(onDone: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ selection, change }: { selection: Parameters<typeof tagContacts>[0]; change: Parameters<typeof tagContacts>[1] }) => tagContacts(selection, change),
    onSuccess: ({ changed }) => {
      toastDone(t("contact.didTag", { n: formatCount(changed), count: changed }));
      void queries.invalidateQueries({ queryKey: ["contacts"] });
      void queries.invalidateQueries({ queryKey: ["tags"] });
      onDone();
    },
    onError: (error) => toastError(error, t),
  });
}

function ExportMenu({ choice }: { choice: Choice }) {
  const { t } = useTranslation();
  return (
    <Menu position="bottom-end" width={210}>
      <Menu.Target><Button className="tight" variant="default" leftSection={<IconDownload size={15} />}>{t("contact.export")}</Button></Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{isEverybody(choice) ? t("contact.exportAll") : t("contact.exportChosen")}</Menu.Label>
        {(["csv", "xlsx"] as const).map((format) => (
          <Menu.Item key={format} component="a" href={exportAddress(choice, format)} download>{t(`contact.as.${format}`)}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
