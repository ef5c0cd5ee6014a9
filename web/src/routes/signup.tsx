import { useDocumentTitle } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import { SignUpForm } from "../features/account/signup";

export default function SignUpPage() {
  const { t } = useTranslation();
  useDocumentTitle(`${t("signup.title")} · OmniDesk`);
  return <main className="bare"><SignUpForm /></main>;
}
