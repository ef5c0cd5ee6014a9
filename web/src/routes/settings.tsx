import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { toastDone } from "../components/errors";
import { Failed, PageHead, Waiting } from "../components/page";
import { meQuery } from "../features/account/queries";
import { SettingsForm } from "../features/settings/form";
import { putSettings, settingsQuery } from "../features/settings/queries";
import { SettingsTabs } from "../features/settings/tabs";

const route = getRouteApi("/signed-in/shell/in-company/settings");

export default function SettingsPage() {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const settings = useQuery(settingsQuery);
  const save = useSaveSettings(() => toastDone(t("settings.did")));
  return (
    <>
      <PageHead title={t("settings.title")} />
      <SettingsTabs me={me} />
      {settings.isPending && <Waiting />}
      {settings.isError && <Failed error={settings.error} retry={() => void settings.refetch()} />}
      {settings.data !== undefined && (
        <div className="page narrow">
          <SettingsForm settings={settings.data} saving={save.isPending} error={save.error} submit={t("common.save")} onSave={save.mutate} />
        </div>
      )}
    </>
  );
}

/** Saves the settings; the shell shows a new name at once. */
export function useSaveSettings(done: () => void) {
  const queries = useQueryClient();
  const router = useRouter();
  return useMutation({
    mutationFn: putSettings,
    onSuccess: async (saved) => {
      queries.setQueryData(settingsQuery.queryKey, saved);
      void queries.invalidateQueries({ queryKey: ["setup"] });
      await queries.refetchQueries({ queryKey: meQuery.queryKey });
      await router.invalidate();
      done();
    },
  });
}
