import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { toastDone } from "../components/errors";
import { PasswordForm } from "../features/account/password";
import { meQuery } from "../features/account/queries";
import { useLeave } from "./leave";

const route = getRouteApi("/signed-in/password");

export default function PasswordPage() {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const queries = useQueryClient();
  const router = useRouter();
  const leave = useLeave();
  const forced = me.user.must_change_password;
  return (
    <main className="bare">
      <PasswordForm
        forced={forced}
        onLeave={() => { if (forced) leave(); else router.history.back(); }}
        onDone={() => {
          toastDone(t("account.changed"));
          void queries.fetchQuery({ ...meQuery, staleTime: 0 }).then(() => router.invalidate()).then(() => router.navigate({ to: "/" }));
        }}
      />
    </main>
  );
}
