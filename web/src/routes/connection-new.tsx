import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Crumb, PageHead } from "../components/page";
import { AddConnection } from "../features/connection/add";
import { departmentsQuery } from "../features/people/queries";

const route = getRouteApi("/signed-in/shell/in-company/connections/new");

export default function NewConnectionPage() {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const navigate = useNavigate();
  const departments = useQuery(departmentsQuery);
  return (
    <>
      <PageHead title={t("connection.add")} crumb={<Crumb to="/connections" label={t("connection.title")} />} />
      <div className="page">
        <AddConnection
          sandbox={me.build.sandbox}
          departments={departments.data?.items}
          onAdded={(connection) => void navigate({ to: "/connections/$id", params: { id: connection.id }, replace: true })}
          onLeave={() => void navigate({ to: "/connections" })}
        />
      </div>
    </>
  );
}
