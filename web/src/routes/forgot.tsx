import { useDocumentTitle } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import { ForgotForm } from "../features/account/reset";

export default function ForgotPage() {
  const { t } = useTranslation();
  useDocumentTitle(`${t("reset.forgotTitle")} · OmniDesk`);
  return <main className="bare"><ForgotForm /></main>;
}
