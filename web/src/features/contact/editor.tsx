import { Alert, Button, Group } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/problem";
import type { Contact } from "../../api/types";
import { toastDone } from "../../components/errors";
import { ContactForm, type ContactValues, toAttributes } from "./form";
import { changeContact, contactQuery, createContact } from "./queries";

/** The form of a contact with its saving: a new one, or one that somebody else may be changing at the same time. */
export function ContactEditor({ contact, knownTags, onDone }: { contact: Contact | undefined; knownTags: string[]; onDone: (saved?: Contact) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [seen, setSeen] = useState(contact?.version);
  const [last, setLast] = useState<ContactValues | null>(null);
  const save = useMutation({
    mutationFn: ({ values: v, version }: { values: ContactValues; version: string | undefined }) => {
      const shared = { name: v.name.trim(), tags: v.tags, attributes: toAttributes(v.attributes) };
      const zone = v.zone.trim();
      return contact === undefined
        ? createContact({ ...shared, phone: v.phone.trim(), ...(zone === "" ? {} : { zone }) })
        : changeContact(contact.id, { ...shared, zone: zone === "" ? null : zone, opted_out: v.opted_out, version });
    },
    onSuccess: (saved) => {
      toastDone(contact === undefined ? t("contact.didAdd") : t("contact.didSave"));
      void queries.invalidateQueries({ queryKey: ["contacts"] });
      void queries.invalidateQueries({ queryKey: ["tags"] });
      onDone(saved);
    },
  });
  const stale = contact !== undefined && save.error instanceof ApiError && save.error.status === 409;
  const overwrite = async () => {
    if (contact === undefined || last === null) return;
    const { version } = await queries.fetchQuery({ ...contactQuery(contact.id), staleTime: 0 });
    setSeen(version);
    save.mutate({ values: last, version });
  };
  return (
    <>
      {stale && (
        <Alert color="yellow" variant="light" role="alert" mb="sm" title={t("contact.staleTitle")}>
          {t("contact.stale")}
          <Group gap="xs" mt="xs">
            <Button size="xs" variant="default" onClick={() => { void queries.invalidateQueries({ queryKey: ["contacts"] }); onDone(); }}>{t("contact.takeTheirs")}</Button>
            <Button size="xs" variant="default" onClick={() => void overwrite()}>{t("contact.keepMine")}</Button>
          </Group>
        </Alert>
      )}
      <ContactForm contact={contact} knownTags={knownTags} saving={save.isPending} error={stale ? null : save.error} onSave={(values) => { setLast(values); save.mutate({ values, version: seen }); }} />
    </>
  );
}
