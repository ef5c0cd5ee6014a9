import { Button, Group, Modal, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { IconUserPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { toastDone } from "../../components/errors";
import { LooseError, unfit } from "../account/card";
import { invite } from "./queries";

/** Invites somebody by mail. */
export function Invite() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<"admin" | "user">("user");
  const ask = useMutation({
    mutationFn: () => invite({ email: email.trim(), role }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["people"] });
      toastDone(t("people.invited", { email: email.trim() }));
      close();
    },
  });
  function close() {
    setOpen(false);
    setEmail("");
    ask.reset();
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    ask.mutate();
  }
  return (
    <>
      <Button leftSection={<IconUserPlus size={15} />} onClick={() => setOpen(true)}>{t("people.invite")}</Button>
      <Modal opened={open} onClose={close} title={<Text fw={600}>{t("people.inviteTitle")}</Text>} size="sm">
        <form noValidate onSubmit={submit}>
          <Stack gap="sm">
            <LooseError error={ask.error} fields={["email"]} />
            <TextInput label={t("account.email")} type="email" autoComplete="off" data-autofocus value={email} error={unfit(ask.error, ["email"]).fields.email} onChange={(e) => setEmail(e.currentTarget.value)} />
            <SegmentedControl aria-label={t("you.role")} value={role} onChange={(value) => setRole(value === "admin" ? "admin" : "user")} data={[{ value: "user", label: t("role.user") }, { value: "admin", label: t("role.admin") }]} />
            <Text className="quiet">{t(`people.means.${role}`)}</Text>
            <Group justify="flex-end"><Button type="submit" loading={ask.isPending}>{t("people.send")}</Button></Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
