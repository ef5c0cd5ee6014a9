import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { LooseError, unfit } from "./card";
import { askEmail } from "./queries";

const fields = ["email", "current_password"];

/** Asks for another address; a mail to it leads on. */
export function ChangeEmail() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const ask = useMutation({ mutationFn: () => askEmail(email.trim(), password) });
  const said = unfit(ask.error, fields).fields;
  function submit(event: FormEvent) {
    event.preventDefault();
    ask.mutate();
  }
  function close() {
    setOpen(false);
    setPassword("");
    ask.reset();
  }
  return (
    <>
      <button type="button" className="link" style={{ marginLeft: 8 }} onClick={() => setOpen(true)}>{t("email.change")}</button>
      <Modal opened={open} onClose={close} title={<Text fw={600}>{t("email.change")}</Text>} size="sm">
        {ask.isSuccess ? (
          <Stack gap="sm">
            <Text role="status">{t("email.sent", { email: email.trim() })}</Text>
            <Group justify="flex-end"><Button variant="default" onClick={close}>{t("email.close")}</Button></Group>
          </Stack>
        ) : (
          <form noValidate onSubmit={submit}>
            <Stack gap="sm">
              <LooseError error={ask.error} fields={fields} />
              <TextInput label={t("email.new")} type="email" autoComplete="email" data-autofocus value={email} error={said.email} onChange={(e) => setEmail(e.currentTarget.value)} />
              <PasswordInput label={t("account.password")} autoComplete="current-password" value={password} error={said.current_password} onChange={(e) => setPassword(e.currentTarget.value)} />
              <Group justify="flex-end"><Button type="submit" loading={ask.isPending}>{t("email.send")}</Button></Group>
            </Stack>
          </form>
        )}
      </Modal>
    </>
  );
}
