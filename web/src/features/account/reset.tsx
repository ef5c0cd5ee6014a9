import { Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Me } from "../../api/types";
import { Card, kindOf, LooseError, Mailbox, useLinkSecret, unfit } from "./card";
import { askReset, resetPassword } from "./queries";

/** Has a link for a new password sent. */
export function ForgotForm() {
  const { t } = useTranslation();
  const [email, setEmail] = useState("");
  const ask = useMutation({ mutationFn: () => askReset(email.trim()) });
  if (ask.isSuccess) {
    return (
      <Card title={t("reset.sentTitle")}>
        <Text role="status">{t("reset.sent", { email: email.trim() })}</Text>
        <Mailbox to={email.trim()} />
        <Link className="text" to="/login" search={{}}>{t("account.login")}</Link>
      </Card>
    );
  }
  return (
    <Card title={t("reset.forgotTitle")} onSubmit={() => ask.mutate()}>
      <Text className="quiet">{t("reset.forgotHint")}</Text>
      <LooseError error={ask.error} fields={["email"]} />
      <TextInput label={t("account.email")} name="email" type="email" autoComplete="username" autoFocus value={email} error={unfit(ask.error, ["email"]).fields.email} onChange={(e) => setEmail(e.currentTarget.value)} />
      <Button type="submit" size="sm" mt={4} loading={ask.isPending}>{t("reset.send")}</Button>
      <Link className="text" to="/login" search={{}}>{t("common.back")}</Link>
    </Card>
  );
}

/** Chooses a new password by the link of a mail, and signs in. */
export function ResetForm({ onDone }: { onDone: (me: Me) => void }) {
  const { t } = useTranslation();
  const secret = useLinkSecret();
  const [password, setPassword] = useState("");
  const reset = useMutation({ mutationFn: () => resetPassword(secret, password), onSuccess: onDone });
  const dead = kindOf(reset.error).startsWith("link-");
  return (
    <Card title={t("reset.title")} onSubmit={() => reset.mutate()}>
      <LooseError error={reset.error} fields={["new_password"]} />
      {dead ? <Link className="text" to="/forgot">{t("reset.again")}</Link> : (
        <>
          <PasswordInput label={t("account.next")} description={t("account.nextHint", { count: 12 })} name="password" autoComplete="new-password" autoFocus value={password} error={unfit(reset.error, ["new_password"]).fields.new_password} onChange={(e) => setPassword(e.currentTarget.value)} />
          <Text className="quiet">{t("reset.ends")}</Text>
          <Button type="submit" size="sm" mt={4} loading={reset.isPending}>{t("reset.set")}</Button>
        </>
      )}
    </Card>
  );
}
