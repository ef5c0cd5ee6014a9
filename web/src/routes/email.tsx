import { useDocumentTitle } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { toastDone } from "../components/errors";
import { Waiting } from "../components/page";
import { LoginForm } from "../features/account/login";
import { meQuery } from "../features/account/queries";
import { ChangeEmailCard } from "../features/account/verify";
import { useRenewed } from "./signed";

export default function EmailPage() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const me = useQuery(meQuery);
  const renewed = useRenewed();
  useDocumentTitle(`${t("email.title")} · OmniDesk`);
  return (
    <main className="bare">
      {me.isPending && <Waiting />}
      {me.isSuccess && me.data === null && <LoginForm why={t("email.signIn")} onDone={(signed) => queries.setQueryData(meQuery.queryKey, signed)} />}
      {me.data != null && <ChangeEmailCard me={me.data} onDone={() => { toastDone(t("email.did")); renewed("/settings/you"); }} />}
    </main>
  );
}
