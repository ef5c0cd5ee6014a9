import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Failed, PageHead, Waiting } from "../components/page";
import { permissionsQuery } from "../features/people/queries";
import { RoleTable } from "../features/people/roles";
import { SettingsTabs } from "../features/settings/tabs";

const route = getRouteApi("/signed-in/shell");

export default function RolesPage() {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const permissions = useQuery(permissionsQuery);
  const [sought, seek] = useState("");
  return (
    <>
      <PageHead title={t("roles.title")}>
        <TextInput size="xs" type="search" w={160} aria-label={t("roles.find")} placeholder={t("roles.find")} leftSection={<IconSearch size={14} />} value={sought} onChange={(e) => seek(e.currentTarget.value)} />
      </PageHead>
      <SettingsTabs me={me} />
      {permissions.isPending && <Waiting />}
      {permissions.isError && <Failed error={permissions.error} retry={() => void permissions.refetch()} />}
      {permissions.data !== undefined && (
        <div className="page narrow">
          <p className="quiet" style={{ marginTop: 0 }}>{t("roles.hint")} {t("roles.legend.departments")} {t("roles.legend.inside")}</p>
          <RoleTable groups={permissions.data.groups} sought={sought.trim().toLowerCase()} />
        </div>
      )}
    </>
  );
}
