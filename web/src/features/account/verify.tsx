import { Button, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Me } from "../../api/types";
import { toastDone } from "../../components/errors";
import { Card, LooseError, Mailbox, useLinkSecret } from "./card";
import { askVerify, changeEmail, verifyEmail } from "./queries";

/** Confirms the address of whoever is signed in, or says where the link is. */
export function VerifyCard({ me, atOnce, onDone, onLeave }: {
  me: Me;
  /** they have just signed in for this link: no second press */
  atOnce: boolean;
  onDone: () => void; onLeave: () => void;
}) {
  const { t } = useTranslation();
  const secret = useLinkSecret();
  const confirm = useMutation({ mutationFn: () => verifyEmail(secret), onSuccess: onDone });
  const again = useMutation({ mutationFn: askVerify, onSuccess: () => toastDone(t("verify.sentAgain")) });
  const failed = confirm.error !== null;
  const { mutate } = confirm;
  const begun = useRef(false);
  useEffect(() => {
    if (!atOnce || secret === "" || begun.current) return;
    begun.current = true; // a link works once
    mutate();
  }, [atOnce, secret, mutate]);
  return (
    <Card title={t("verify.title")} onSubmit={() => { if (secret !== "") confirm.mutate(); }}>
      <Text>{secret === "" || failed ? t("verify.lookInMail", { email: me.user.email }) : t("verify.confirmThis", { email: me.user.email })}</Text>
      {(secret === "" || failed) && <Mailbox to={me.user.email} />}
      <LooseError error={confirm.error ?? again.error} />
      {secret !== "" && !failed && <Button type="submit" size="sm" mt={4} loading={confirm.isPending}>{t("verify.confirm")}</Button>}
      {(secret === "" || failed) && <Button size="sm" mt={4} loading={again.isPending} onClick={() => again.mutate()}>{t("verify.again")}</Button>}
      <Button variant="subtle" color="gray" onClick={onLeave}>{t("account.logout")}</Button>
    </Card>
  );
}

/** Makes the address that a link was sent to the own one. */
export function ChangeEmailCard({ me, onDone }: { me: Me; onDone: () => void }) {
  const { t } = useTranslation();
  const secret = useLinkSecret();
  const change = useMutation({ mutationFn: () => changeEmail(secret), onSuccess: onDone });
  return (
    <Card title={t("email.title")} onSubmit={() => change.mutate()}>
      <Text>{t("email.confirmThis", { email: me.user.email })}</Text>
      <LooseError error={change.error} />
      <Button type="submit" size="sm" mt={4} loading={change.isPending}>{t("email.confirm")}</Button>
    </Card>
  );
}
