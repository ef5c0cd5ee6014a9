import { useDocumentTitle } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import { ResetForm } from "../features/account/reset";
import { useSigned } from "./signed";

export default function ResetPage() {
  const { t } = useTranslation();
  const signed = useSigned();
  useDocumentTitle(`${t("reset.title")} · OmniDesk`);
  return <main className="bare"><ResetForm onDone={signed} /></main>;
}
