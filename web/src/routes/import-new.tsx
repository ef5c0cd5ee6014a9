import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Crumb, PageHead } from "../components/page";
import { ImportUpload } from "./import-flow";

export default function NewImportPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <>
      <PageHead title={t("import.newTitle")} crumb={<Crumb to="/contacts/imports" label={t("import.listTitle")} />} />
      <div className="page narrow"><ImportUpload onMade={(made) => void navigate({ to: "/contacts/imports/$id", params: { id: made.id }, replace: true })} /></div>
    </>
  );
}
