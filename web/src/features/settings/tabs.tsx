import { Link } from "@tanstack/react-router";
import { useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Me } from "../../api/types";
import { runsCompany } from "../account/role";

const active = { className: "chip active", "aria-current": "page" } as const;

/** The pages of settings, side by side; what belongs to the company is for those who run it. */
export function SettingsTabs({ me }: { me: Me }) {
  const { t } = useTranslation();
  const runs = me.company != null && runsCompany(me);
  const nav = useRef<HTMLElement>(null);
  useLayoutEffect(() => { // on phones the line is wider than the window
    const here = nav.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (nav.current != null && here != null) nav.current.scrollLeft = here.offsetLeft - nav.current.offsetLeft - (nav.current.clientWidth - here.offsetWidth) / 2;
  }, []);
  return (
    <nav ref={nav} className="filters" aria-label={t("settings.title")}>
      {runs && <Link className="chip" to="/settings" activeOptions={{ exact: true }} activeProps={active}>{t("settings.tabCompany")}</Link>}
      {runs && <Link className="chip" to="/settings/people" activeProps={active}>{t("settings.tabPeople")}</Link>}
      {runs && <Link className="chip" to="/settings/departments" activeProps={active}>{t("department.title")}</Link>}
      {runs && <Link className="chip" to="/settings/labels" activeProps={active}>{t("labels.title")}</Link>}
      <Link className="chip" to="/settings/roles" activeProps={active}>{t("roles.title")}</Link>
      {runs && <Link className="chip" to="/audit" activeProps={active}>{t("audit.open")}</Link>}
      {me.company != null && <Link className="chip" to="/settings/notifications" activeProps={active}>{t("notices.title")}</Link>}
      <Link className="chip" to="/settings/you" activeProps={active}>{t("settings.tabYou")}</Link>
    </nav>
  );
}
