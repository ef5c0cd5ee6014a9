import { Alert, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconUserShield } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints, toFormErrors } from "../../api/problem";
import { describeError, toastError } from "../../components/errors";
import { ConfirmButton, Copyable, Time } from "../../components/small";
import { addSuperadmin, removeSuperadmin, superadminsQuery } from "./queries";

/** Who runs the platform. The last one stays. */
export function Superadmins() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const list = useQuery(superadminsQuery);
  const [adding, setAdding] = useState(false);
  const remove = useMutation({ mutationFn: removeSuperadmin, onError: (error) => toastError(error, t), onSettled: () => void queries.invalidateQueries({ queryKey: superadminsQuery.queryKey }) });
  const items = list.data?.items ?? [];
  return (
    <section className="widget" aria-labelledby="superadmins">
      <header><h2 id="superadmins">{t("platform.superadmins")}</h2><span className="spacer" /><Button variant="subtle" size="compact-xs" leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>{t("platform.add")}</Button></header>
      {list.isError && <div className="widget-none" role="alert">{describeError(list.error, t)}</div>}
      <ul className="rows inside">
        {items.map((one) => (
          <li key={one.id}>
            <IconUserShield size={18} stroke={1.6} aria-hidden="true" />
            <div className="what">
              <div>{one.name}{one.you && <span className="badge calm" style={{ marginLeft: 8 }}>{t("platform.you")}</span>}</div>
              <div className="quiet">{one.email} · {one.new ? t("platform.isNew") : <>{t("platform.lastSeen")} <Time at={one.last_seen_at} /></>}</div>
            </div>
            {!one.you && <ConfirmButton label={t("platform.remove")} question={t("platform.removeAsk", { name: one.name })} confirm={t("platform.remove")} loading={remove.isPending && remove.variables === one.id} onConfirm={() => remove.mutate(one.id)} />}
          </li>
        ))}
      </ul>
      <Add opened={adding} onClose={() => setAdding(false)} />
    </section>
  );
}

function Add({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [draft, setDraft] = useState({ name: "", email: "" });
  const add = useMutation({ mutationFn: () => addSuperadmin(draft), onSuccess: () => void queries.invalidateQueries({ queryKey: superadminsQuery.queryKey }) });
  const said = toFormErrors(fieldComplaints(add.error), (path) => (path === "name" || path === "email" ? path : null));
  const placed = Object.keys(said.fields).length > 0 && said.rest.length === 0;
  const submit = (event: FormEvent) => { event.preventDefault(); add.mutate(); };
  const close = () => { onClose(); add.reset(); setDraft({ name: "", email: "" }); };
  return (
    <Modal opened={opened} onClose={close} title={<Text fw={600}>{t(add.data === undefined ? "platform.addTitle" : "platform.added")}</Text>} closeOnClickOutside={add.data === undefined}>
      {add.data === undefined ? (
        <form noValidate onSubmit={submit}>
          <Stack gap="sm">
            {add.error !== null && !placed && <Alert color="red" variant="light" role="alert">{describeError(add.error, t)}</Alert>}
            <TextInput label={t("you.name")} maxLength={100} data-autofocus value={draft.name} error={said.fields.name} onChange={(e) => { const name = e.currentTarget.value; setDraft((old) => ({ ...old, name })); }} />
            <TextInput label={t("account.email")} description={t("settings.adminEmailHint")} type="email" value={draft.email} error={said.fields.email} onChange={(e) => { const email = e.currentTarget.value; setDraft((old) => ({ ...old, email })); }} />
            <Group mt={4}><Button type="submit" size="sm" loading={add.isPending}>{t("platform.addConfirm")}</Button></Group>
          </Stack>
        </form>
      ) : (
        <Stack gap="sm">
          <Text>{t("platform.oneTime")}</Text>
          <dl className="facts">
            <dt>{t("account.email")}</dt><dd><Copyable value={add.data.email} /></dd>
            <dt>{t("account.oneTime")}</dt><dd data-one-time><Copyable value={add.data.password} /></dd>
          </dl>
          <Group mt={4}><Button size="sm" onClick={close}>{t("settings.noted")}</Button></Group>
        </Stack>
      )}
    </Modal>
  );
}
