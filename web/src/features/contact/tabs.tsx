import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

const active = { className: "chip active", "aria-current": "page" } as const;

/** The pages about contacts, side by side. */
export function ContactTabs() {
  const { t } = useTranslation();
  return (
    <nav className="filters" aria-label={t("import.tabs")}>
      <Link className="chip" to="/contacts" search={{}} activeOptions={{ exact: true, includeSearch: false }} activeProps={active}>{t("import.tabContacts")}</Link>
      <Link className="chip" to="/contacts/segments" search={{}} activeOptions={{ includeSearch: false }} activeProps={active}>{t("segment.title")}</Link>
      <Link className="chip" to="/contacts/imports" activeProps={active}>{t("import.tabImports")}</Link>
    </nav>
  );
}
