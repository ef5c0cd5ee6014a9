import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

/** The pages about contacts, side by side. */
export function ContactTabs() {
  const { t } = useTranslation();
  return (
    <nav className="filters" aria-label={t("import.tabs")}>
      <Link className="chip" to="/contacts" search={{}} activeOptions={{ exact: true, includeSearch: false }} activeProps={{ className: "chip active", "aria-current": "page" }}>{t("import.tabContacts")}</Link>
      <Link className="chip" to="/contacts/imports" activeProps={{ className: "chip active", "aria-current": "page" }}>{t("import.tabImports")}</Link>
    </nav>
  );
}
