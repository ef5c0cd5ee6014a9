import { Button } from "@mantine/core";
import { IconBuilding, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Empty, Failed, PageHead, Waiting } from "../components/page";
import { companiesQuery } from "../features/account/queries";
import { NewCompany } from "../features/settings/company-form";
import { useEnter } from "./enter";
import { NotFound } from "./fallback";

const route = getRouteApi("/signed-in/shell");

export default function CompaniesPage() {
  const { me } = route.useRouteContext();
  return me.user.role === "superadmin" ? <Companies present={me.company?.id} /> : <NotFound />;
}

function Companies({ present }: { present: string | undefined }) {
  const { t } = useTranslation();
  const companies = useQuery(companiesQuery);
  const enter = useEnter();
  const [making, setMaking] = useState(false);
  return (
    <>
      <PageHead title={t("company.title")}><Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>{t("settings.newCompany")}</Button></PageHead>
      <NewCompany opened={making} onClose={() => setMaking(false)} onEnter={enter.mutate} />
      {companies.isPending && <Waiting />}
      {companies.isError && <Failed error={companies.error} retry={() => void companies.refetch()} />}
      {companies.data?.items.length === 0 && <Empty icon={<IconBuilding size={32} stroke={1.4} />}>{t("company.none")}</Empty>}
      {companies.data !== undefined && companies.data.items.length > 0 && (
        <div className="page narrow">
          <p className="quiet" style={{ marginTop: 0 }}>{t("company.choose")}</p>
          {companies.data.items.map((company) => (
            <div key={company.id} className="panel" style={{ display: "flex", alignItems: "center", gap: 10, marginBottom: 8 }}>
              <IconBuilding size={18} stroke={1.6} />
              <div className="clip" style={{ flex: 1 }}>
                <strong>{company.name}</strong> {company.demo && <span className="badge calm">{t("company.demo")}</span>}
                <div className="quiet">{company.zone}</div>
              </div>
              {company.id === present && <span className="quiet wide">{t("company.here")}</span>}
              <Button variant={company.id === present ? "default" : "filled"} loading={enter.isPending && enter.variables === company.id} onClick={() => enter.mutate(company.id)}>
                {t("company.enter")}
              </Button>
            </div>
          ))}
        </div>
      )}
    </>
  );
}
