import { Alert, Button, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints, toFormErrors } from "../../api/problem";
import { describeError } from "../../components/errors";
import { changePassword } from "./queries";

const shortest = 12; // characters; the server has the last word

export function PasswordForm({ forced, onDone, onLeave }: { forced: boolean; onDone: () => void; onLeave: () => void }) {
  const { t } = useTranslation();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [own, setOwn] = useState<{ next?: string; again?: string }>({});
  const change = useMutation({ mutationFn: () => changePassword(current, next), onSuccess: onDone });

  function submit(event: FormEvent) {
    event.preventDefault();
    const found = {
      next: next.length < shortest ? t("account.tooShort", { count: shortest }) : undefined,
      again: next === again ? undefined : t("account.notSame"),
    };
    setOwn(found);
    if (found.next === undefined && found.again === undefined) change.mutate();
  }

  const said = toFormErrors(fieldComplaints(change.error), (path) => (path === "current_password" || path === "new_password" ? path : null));
  const placed = Object.keys(said.fields).length > 0 && said.rest.length === 0;
  return (
    <form className="card" onSubmit={submit}>
      <Stack gap="sm">
        <Title order={1} fz={20}>{t("account.changeTitle")}</Title>
        {forced && <Text className="quiet" mb={4}>{t("account.changeWhy")}</Text>}
        {change.error !== null && !placed && <Alert color="red" variant="light" role="alert">{describeError(change.error, t)}</Alert>}
        <PasswordInput label={forced ? t("account.oneTime") : t("account.current")} name="current" autoComplete="current-password" required withAsterisk={false} autoFocus value={current} error={said.fields.current_password} onChange={(e) => setCurrent(e.currentTarget.value)} />
        <PasswordInput label={t("account.next")} description={t("account.nextHint", { count: shortest })} name="next" autoComplete="new-password" required withAsterisk={false} value={next} error={own.next ?? said.fields.new_password} onChange={(e) => setNext(e.currentTarget.value)} />
        <PasswordInput label={t("account.again")} name="again" autoComplete="new-password" required withAsterisk={false} value={again} error={own.again} onChange={(e) => setAgain(e.currentTarget.value)} />
        <Button type="submit" size="sm" mt={4} loading={change.isPending}>{t("account.change")}</Button>
        <Button variant="subtle" color="gray" onClick={onLeave}>{forced ? t("account.logout") : t("common.back")}</Button>
      </Stack>
    </form>
  );
}
