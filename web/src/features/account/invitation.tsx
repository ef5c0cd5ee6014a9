import { Alert, Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Me } from "../../api/types";
import { Waiting } from "../../components/page";
import { Card, LooseError, useLinkSecret, unfit } from "./card";
import { acceptInvitation, invitationQuery } from "./queries";

const fields = ["name", "password"];

/** Shows what a link invites to, and joins. */
export function InvitationForm({ me, onDone }: { me: Me | null; onDone: (me: Me) => void }) {
  const { t } = useTranslation();
  const secret = useLinkSecret();
  const invitation = useQuery(invitationQuery(secret));
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const accept = useMutation({ mutationFn: () => acceptInvitation({ token: secret, name, password }), onSuccess: onDone });
  if (invitation.isPending) return <Waiting />;
  if (invitation.isError) {
    return (
      <Card title={t("invitation.noTitle")}>
        <LooseError error={invitation.error} />
        <Text className="quiet">{t("invitation.askAgain")}</Text>
        <Link className="text" to="/login" search={{}}>{t("account.login")}</Link>
      </Card>
    );
  }
  const { company, email, role, by } = invitation.data;
  const said = unfit(accept.error, fields).fields;
  return (
    <Card title={t("invitation.title", { company })} onSubmit={() => accept.mutate()}>
      <Text>{by === undefined ? t("invitation.asNobody", { role: t(`role.${role}`) }) : t("invitation.as", { by, role: t(`role.${role}`) })}</Text>
      {me !== null && <Alert variant="light" color="gray">{t("invitation.signedIn", { email: me.user.email })}</Alert>}
      <LooseError error={accept.error} fields={fields} />
      <TextInput label={t("account.email")} value={email} readOnly autoComplete="username" />
      <TextInput label={t("signup.yourName")} name="name" maxLength={100} autoComplete="name" autoFocus value={name} error={said.name} onChange={(e) => setName(e.currentTarget.value)} />
      <PasswordInput label={t("account.password")} description={t("account.nextHint", { count: 12 })} name="password" autoComplete="new-password" value={password} error={said.password} onChange={(e) => setPassword(e.currentTarget.value)} />
      <Button type="submit" size="sm" mt={4} loading={accept.isPending}>{t("invitation.join")}</Button>
    </Card>
  );
}
