import { Button, Drawer, Group, Text } from "@mantine/core";
import { IconAddressBook, IconFileImport, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import type { Contact } from "../api/types";
import { toastDone } from "../components/errors";
import { Empty, Failed, PageHead, Waiting } from "../components/page";
import { ContactForm, type ContactValues, toAttributes } from "../features/contact/form";
import { ContactList } from "../features/contact/list";
import { changeContact, contactCountQuery, contactsQuery, createContact, tagsQuery } from "../features/contact/queries";
import { ContactTabs } from "../features/contact/tabs";
import { formatCount } from "../lib/format";

const route = getRouteApi("/signed-in/shell/in-company/contacts");

export default function ContactsPage() {
  const { t } = useTranslation();
  const { tag } = route.useSearch();
  const [open, setOpen] = useState<Contact | "new" | null>(null);
  const polling = usePolling();
  const list = useInfiniteQuery({ ...contactsQuery(tag), refetchInterval: polling });
  const count = useQuery(contactCountQuery);
  const tags = useQuery(tagsQuery);
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const contacts = list.data?.pages.flatMap((page) => page.items) ?? [];
  const importButton = <Button component={Link} to="/contacts/imports/new" variant={contacts.length === 0 ? "filled" : "default"} leftSection={<IconFileImport size={15} />}>{t("contact.import")}</Button>;

  return (
    <>
      <PageHead title={t("contact.title")} beside={count.data !== undefined && <span className="num quiet">{formatCount(count.data.count)}</span>}>
        <Group gap={6} wrap="nowrap">
          {importButton}
          <Button variant={contacts.length === 0 ? "default" : "filled"} leftSection={<IconPlus size={15} />} onClick={() => setOpen("new")}>{t("contact.addShort")}</Button>
        </Group>
      </PageHead>
      <ContactTabs />
      {tags.data !== undefined && tags.data.items.length > 0 && (
        <div className="filters" role="group" aria-label={t("contact.filter")}>
          <Link className={tag === undefined ? "chip active" : "chip"} to="/contacts" search={{}}>{t("common.all")}</Link>
          {tags.data.items.map((known) => (
            <Link key={known.id} className={tag === known.id ? "chip active" : "chip"} to="/contacts" search={{ tag: known.id }}>
              {known.name} <span className="num quiet" style={{ fontWeight: 400 }}>{formatCount(known.contacts)}</span>
            </Link>
          ))}
        </div>
      )}
      {list.isPending && <Waiting />}
      {list.isError && contacts.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && contacts.length === 0 && (
        <Empty icon={<IconAddressBook size={32} stroke={1.4} />} action={tag === undefined ? importButton : <Button component={Link} to="/contacts" variant="default">{t("contact.showAll")}</Button>}>
          {tag === undefined ? t("contact.empty") : t("contact.emptyTag")}
        </Empty>
      )}
      {contacts.length > 0 && <ContactList contacts={contacts} onOpen={setOpen} hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />}
      <Drawer opened={open !== null} onClose={() => setOpen(null)} size={420} title={<Text fw={600} fz="md">{open === "new" ? t("contact.add") : open?.name || t("contact.noName")}</Text>}>
        {open !== null && <Editor key={open === "new" ? "new" : open.id} contact={open === "new" ? undefined : open} knownTags={tags.data?.items.map((known) => known.name) ?? []} onDone={() => setOpen(null)} />}
      </Drawer>
    </>
  );
}

function Editor({ contact, knownTags, onDone }: { contact: Contact | undefined; knownTags: string[]; onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (v: ContactValues) => {
      const shared = { name: v.name.trim(), tags: v.tags, attributes: toAttributes(v.attributes) };
      const zone = v.zone.trim();
      return contact === undefined
        ? createContact({ ...shared, phone: v.phone.trim(), ...(zone === "" ? {} : { zone }) })
        : changeContact(contact.id, { ...shared, zone: zone === "" ? null : zone, opted_out: v.opted_out });
    },
    onSuccess: () => {
      toastDone(contact === undefined ? t("contact.didAdd") : t("contact.didSave"));
      void queries.invalidateQueries({ queryKey: ["contacts"] });
      void queries.invalidateQueries({ queryKey: ["tags"] });
      onDone();
    },
  });
  return <ContactForm contact={contact} knownTags={knownTags} saving={save.isPending} error={save.error} onSave={save.mutate} />;
}
