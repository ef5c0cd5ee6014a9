import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Failed, PageHead, Waiting } from "../components/page";
import { meQuery } from "../features/account/queries";
import { LabelEditor } from "../features/inbox/labels";
import { choicesQuery } from "../features/inbox/queries";
import { SettingsTabs } from "../features/settings/tabs";

/** What conversations may be about. */
export default function SettingsLabelsPage() {
  const { t } = useTranslation();
  const me = useQuery(meQuery).data;
  const choices = useQuery(choicesQuery);
  return (
    <>
      <PageHead title={t("settings.title")} />
      {me != null && <SettingsTabs me={me} />}
      <p className="lead quiet">{t("labels.lead")}</p>
      {choices.isPending && <Waiting />}
      {choices.isError && <Failed error={choices.error} retry={() => void choices.refetch()} />}
      {choices.data !== undefined && <LabelEditor labels={choices.data.labels} />}
    </>
  );
}
