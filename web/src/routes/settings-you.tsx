import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { PageHead } from "../components/page";
import { ChangeEmail } from "../features/account/email";
import { Sessions } from "../features/account/sessions";
import { SettingsTabs } from "../features/settings/tabs";

const route = getRouteApi("/signed-in/shell");

export default function YouPage() {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  return (
    <>
      <PageHead title={t("settings.tabYou")} />
      <SettingsTabs me={me} />
      <div className="page narrow">
        <section className="section" aria-labelledby="you">
          <h2 id="you">{t("you.title")}</h2>
          <dl className="facts">
            <dt>{t("you.name")}</dt><dd>{me.user.name}</dd>
            <dt>{t("account.email")}</dt><dd>{me.user.email} <ChangeEmail /></dd>
            <dt>{t("you.role")}</dt><dd>{t(`role.${me.user.role}`)}</dd>
            <dt>{t("account.password")}</dt><dd><Link className="text" to="/password">{t("account.changeTitle")}</Link></dd>
          </dl>
        </section>
        <section className="section" aria-labelledby="sessions">
          <h2 id="sessions">{t("sessions.title")}</h2>
          <Sessions />
        </section>
      </div>
    </>
  );
}
