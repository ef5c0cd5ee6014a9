import { Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ZoneSelect } from "../../components/zone-select";
import { Card, LooseError, Mailbox, unfit } from "./card";
import { signUp } from "./queries";

const fields = ["company", "zone", "name", "email", "password"];

/** Makes a company of one's own; a mail leads on. */
export function SignUpForm() {
  const { t } = useTranslation();
  const [draft, setDraft] = useState({ company: "", zone: Intl.DateTimeFormat().resolvedOptions().timeZone, name: "", email: "", password: "" });
  const make = useMutation({ mutationFn: () => signUp({ ...draft, email: draft.email.trim() }) });
  const said = unfit(make.error, fields).fields;
  const input = (field: "company" | "name" | "email" | "password") => ({
    name: field, value: draft[field], error: said[field], onChange: (e: { currentTarget: { value: string } }) => { const value = e.currentTarget.value; setDraft((old) => ({ ...old, [field]: value })); },
  });
  if (make.isSuccess) return <MailSent email={draft.email.trim()} />;
  return (
    <Card title={t("signup.title")} onSubmit={() => make.mutate()}>
      <LooseError error={make.error} fields={fields} />
      <TextInput label={t("settings.name")} maxLength={100} autoComplete="organization" autoFocus {...input("company")} />
      <TextInput label={t("signup.yourName")} maxLength={100} autoComplete="name" {...input("name")} />
      <TextInput label={t("account.email")} type="email" autoComplete="email" {...input("email")} />
      <PasswordInput label={t("account.password")} description={t("account.nextHint", { count: 12 })} autoComplete="new-password" {...input("password")} />
      <ZoneSelect label={t("settings.zone")} allowDeselect={false} value={draft.zone} error={said.zone} onChange={(zone) => setDraft((old) => ({ ...old, zone: zone ?? old.zone }))} />
      <Button type="submit" size="sm" mt={4} loading={make.isPending}>{t("signup.make")}</Button>
      <Text className="quiet">{t("signup.have")} <Link className="text" to="/login" search={{}}>{t("account.login")}</Link></Text>
    </Card>
  );
}

function MailSent({ email }: { email: string }) {
  const { t } = useTranslation();
  return (
    <Card title={t("signup.sentTitle")}>
      <Text role="status">{t("signup.sent", { email })}</Text>
      <Mailbox to={email}><Text className="quiet">{t("signup.notThere")}</Text></Mailbox>
      <Link className="text" to="/login" search={{}}>{t("account.login")}</Link>
    </Card>
  );
}
