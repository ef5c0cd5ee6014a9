import { Alert, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints, toFormErrors } from "../../api/problem";
import { describeError } from "../../components/errors";
import { Copyable } from "../../components/small";
import { ZoneSelect } from "../../components/zone-select";
import { createCompany } from "./queries";

/** Makes a company and its first admin, and shows the one-time password once. */
export function NewCompany({ opened, onClose, onEnter }: { opened: boolean; onClose: () => void; onEnter: (id: string) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [draft, setDraft] = useState({ name: "", email: "", zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
  const make = useMutation({
    mutationFn: () => createCompany(draft),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["companies"] }),
  });
  const said = toFormErrors(fieldComplaints(make.error), (path) => (path === "name" || path === "email" || path === "zone" ? path : null));
  const placed = Object.keys(said.fields).length > 0 && said.rest.length === 0;
  function submit(event: FormEvent) {
    event.preventDefault();
    make.mutate();
  }
  function close() {
    onClose();
    make.reset();
    setDraft((old) => ({ ...old, name: "", email: "" }));
  }
  return (
    <Modal opened={opened} onClose={close} title={<Text fw={600}>{t(make.data === undefined ? "settings.newCompany" : "settings.madeCompany")}</Text>} closeOnClickOutside={make.data === undefined}>
      {make.data === undefined ? (
        <form noValidate onSubmit={submit}>
          <Stack gap="sm">
            {make.error !== null && !placed && <Alert color="red" variant="light" role="alert">{describeError(make.error, t)}</Alert>}
            <TextInput label={t("settings.name")} maxLength={100} data-autofocus value={draft.name} error={said.fields.name} onChange={(e) => { const name = e.currentTarget.value; setDraft((old) => ({ ...old, name })); }} />
            <ZoneSelect label={t("settings.zone")} allowDeselect={false} value={draft.zone} error={said.fields.zone} onChange={(zone) => setDraft((old) => ({ ...old, zone: zone ?? old.zone }))} />
            <TextInput label={t("settings.adminEmail")} description={t("settings.adminEmailHint")} type="email" value={draft.email} error={said.fields.email} onChange={(e) => { const email = e.currentTarget.value; setDraft((old) => ({ ...old, email })); }} />
            <Group mt={4}><Button type="submit" size="sm" loading={make.isPending}>{t("settings.make")}</Button></Group>
          </Stack>
        </form>
      ) : (
        <Stack gap="sm">
          <Text>{t("settings.oneTime")}</Text>
          <dl className="facts">
            <dt>{t("account.email")}</dt><dd><Copyable value={make.data.email} /></dd>
            <dt>{t("account.oneTime")}</dt><dd data-one-time><Copyable value={make.data.password} /></dd>
          </dl>
          <Group mt={4} gap="xs">
            <Button size="sm" onClick={() => { onEnter(make.data.company.id); close(); }}>{t("settings.enterIt", { name: make.data.company.name })}</Button>
            <Button size="sm" variant="default" onClick={close}>{t("settings.noted")}</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
