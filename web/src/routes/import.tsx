import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Crumb, Failed, PageHead, Waiting } from "../components/page";
import { ImportStateLabel } from "../features/import/label";
import { ImportFlow, useImport } from "./import-flow";

const route = getRouteApi("/signed-in/shell/in-company/contacts/imports/$id");

export default function ImportPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const navigate = useNavigate();
  const query = useImport(id);
  const of = query.data;
  return (
    <>
      <PageHead title={of?.file_name ?? ""} crumb={<Crumb to="/contacts/imports" label={t("import.listTitle")} />} beside={of !== undefined && <ImportStateLabel state={of.state} />} />
      {of === undefined && (query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : <Waiting />)}
      {of !== undefined && <ImportFlow of={of} onDiscarded={() => void navigate({ to: "/contacts/imports", replace: true })} />}
    </>
  );
}
