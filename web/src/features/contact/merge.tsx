import { Button, Group, Modal, Text } from "@mantine/core";
import { IconArrowMerge } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "../../api/client";
import type { Contact } from "../../api/types";
import { describeError, toastDone, toastError } from "../../components/errors";
import { Copyable, Time } from "../../components/small";
import { ContactPicker, titleOf } from "./picker";

const identitiesQuery = (id: string) => ({
  queryKey: ["contacts", "identities", id],
  queryFn: ({ signal }: { signal: AbortSignal }) => unwrap(api.GET("/api/v1/contacts/{id}/identities", { params: { path: { id } }, signal })),
});

function useRefresh() {
  const queries = useQueryClient();
  return () => Promise.all([queries.invalidateQueries({ queryKey: ["contacts"] }), queries.invalidateQueries({ queryKey: ["conversations"] })]);
}

/** The ways to reach a contact, and the merges that can be undone. */
export function Identities({ contact, runs }: { contact: Contact; runs: boolean }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const found = useQuery(identitiesQuery(contact.id)).data;
  const undo = useMutation({
    mutationFn: (merge: string) => unwrap(api.POST("/api/v1/merges/{id}/undo", { params: { path: { id: merge } } })),
    onSuccess: () => { toastDone(t("unite.undone")); return refresh(); },
    onError: (error) => toastError(error, t),
  });
  const others = found?.identities.filter((one) => one.value !== contact.phone) ?? [];
  return (
    <>
      {others.map((one) => <div key={one.value} style={{ display: "contents" }}><dt>{t(`identity.${one.kind}`)}</dt><dd><Copyable plain value={one.value} /></dd></div>)}
      {found?.merges.map((one, n) => (
        <div key={one.id} style={{ display: "contents" }}>
          <dt>{t("unite.with")}</dt>
          <dd><span className="wrap">{one.loser_name || t("contact.noName")}</span>, <Time at={one.at} /> {runs && n === 0 && <button type="button" className="link" disabled={undo.isPending} onClick={() => undo.mutate(one.id)}>{t("unite.undo")}</button>}</dd>
        </div>
      ))}
    </>
  );
}

/** Says that another contact is the same person. */
export function MergeButton({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const [opened, setOpened] = useState(false);
  const [other, setOther] = useState<Contact>();
  const close = () => { setOpened(false); setOther(undefined); };
  const merge = useMutation({
    mutationFn: (loser: string) => unwrap(api.POST("/api/v1/contacts/{id}/merge", { params: { path: { id: contact.id } }, body: { contact_id: loser } })),
    onSuccess: () => { toastDone(t("unite.done")); close(); return refresh(); },
  });
  return (
    <>
      <Button className="tight" variant="default" leftSection={<IconArrowMerge size={15} />} onClick={() => setOpened(true)}>{t("unite.title")}</Button>
      <Modal opened={opened} onClose={close} title={<Text fw={600}>{t("unite.title")}</Text>} size="md">
        {other === undefined ? <ContactPicker label={t("unite.whom", { name: titleOf(contact, t("contact.noName")) })} without={contact.id} onChoose={setOther} /> : (
          <>
            <div className="merge-pair"><One contact={contact} title={t("unite.stays")} /><One contact={other} title={t("unite.goes")} /></div>
            <p>{t("unite.what")}</p>
            {(contact.opted_out_at == null) !== (other.opted_out_at == null) && <p><strong>{t("unite.strictest")}</strong></p>}
            {merge.isError && <div className="mistake" role="alert">{describeError(merge.error, t)}</div>}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={() => setOther(undefined)}>{t("start.another")}</Button>
              <Button loading={merge.isPending} onClick={() => merge.mutate(other.id)}>{t("unite.confirm")}</Button>
            </Group>
          </>
        )}
      </Modal>
    </>
  );
}

function One({ contact, title }: { contact: Contact; title: string }) {
  const { t } = useTranslation();
  return (
    <div>
      <div className="quiet">{title}</div>
      <div className="wrap"><strong>{titleOf(contact, t("contact.noName"))}</strong></div>
      <div className="num">{contact.phone ?? t("contact.noPhone")}</div>
      <div className="quiet wrap">{[...contact.tags.map((tag) => tag.name), ...Object.values(contact.attributes)].join(" · ")}</div>
    </div>
  );
}
