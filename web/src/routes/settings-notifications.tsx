import { Switch } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { NoticeSwitch } from "../api/types";
import { toastError } from "../components/errors";
import { Failed, PageHead, Waiting } from "../components/page";
import { loginOptionsQuery } from "../features/account/queries";
import { putSwitch, switchesQuery } from "../features/notice/queries";
import { SettingsTabs } from "../features/settings/tabs";

const route = getRouteApi("/signed-in/shell");

/** What one wants to hear of, and how. Each switch counts at once. */
export default function SwitchesPage() {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const switches = useQuery(switchesQuery);
  const mail = useQuery(loginOptionsQuery).data?.mail !== false;
  return (
    <>
      <PageHead title={t("notices.title")} />
      <SettingsTabs me={me} />
      {switches.isPending && <Waiting />}
      {switches.isError && switches.data === undefined && <Failed error={switches.error} retry={() => void switches.refetch()} />}
      {switches.data !== undefined && (
        <div className="page narrow">
          <table className="switches">
            <caption className="quiet">{t("notices.hint")}{me.user.role === "superadmin" ? ` ${t("notices.noMailToYou")}` : mail ? ` ${t("notices.mailHint", { email: me.user.email })}` : ` ${t("notices.noMail")}`}</caption>
            <thead><tr><th scope="col">{t("notices.what")}</th><th scope="col">{t("notices.inBell")}</th><th scope="col">{t("notices.byMail")}</th></tr></thead>
            <tbody>{switches.data.items.map((one) => <Row key={one.kind} one={one} mail={mail && me.user.role !== "superadmin"} />)}</tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ one, mail }: { one: NoticeSwitch; mail: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const put = useMutation({
    mutationFn: putSwitch,
    onMutate: (next) => {
      queries.setQueryData(switchesQuery.queryKey, (old) => old && { items: old.items.map((item) => (item.kind === next.kind ? next : item)) });
      return one;
    },
    onError: (error, _next, before) => {
      queries.setQueryData(switchesQuery.queryKey, (old) => old && before && { items: old.items.map((item) => (item.kind === before.kind ? before : item)) });
      toastError(error, t);
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ["notices"] }),
  });
  const what = t(`notices.kind.${one.kind}`);
  return (
    <tr>
      <th scope="row">{what}<span className="quiet">{t(`notices.kindHint.${one.kind}`)}</span></th>
      <td><Switch size="xs" checked={one.bell} onChange={(event) => put.mutate({ ...one, bell: event.currentTarget.checked })} aria-label={`${what}: ${t("notices.inBell")}`} /></td>
      <td><Switch size="xs" checked={one.mail && mail} disabled={!mail} onChange={(event) => put.mutate({ ...one, mail: event.currentTarget.checked })} aria-label={`${what}: ${t("notices.byMail")}`} /></td>
    </tr>
  );
}
