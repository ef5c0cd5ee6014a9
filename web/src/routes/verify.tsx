import { useDocumentTitle } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { toastDone } from "../components/errors";
import { Waiting } from "../components/page";
import { LoginForm } from "../features/account/login";
import { meQuery } from "../features/account/queries";
import { VerifyCard } from "../features/account/verify";
import { useLeave } from "./leave";
import { useRenewed } from "./signed";

/** Whoever opens the link signs in first: an address is confirmed by its mailbox and its password together. */
export default function VerifyPage() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const me = useQuery(meQuery);
  const leave = useLeave();
  const renewed = useRenewed();
  const [signedHere, setSignedHere] = useState(false);
  useDocumentTitle(`${t("verify.title")} · OmniDesk`);
  return (
    <main className="bare">
      {me.isPending && <Waiting />}
      {me.isSuccess && me.data === null && <LoginForm why={t("verify.signIn")} onDone={(signed) => { setSignedHere(true); queries.setQueryData(meQuery.queryKey, signed); }} />}
      {me.data != null && <VerifyCard me={me.data} atOnce={signedHere} onLeave={leave} onDone={() => { toastDone(t("verify.did")); renewed("/"); }} />}
    </main>
  );
}
