import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { setupQuery } from "./queries";
import { nextStep, stepsBehind } from "./steps";

/** The way back to the first steps, until they are done or dismissed. */
export function ResumeSetup() {
  const { t } = useTranslation();
  const setup = useQuery(setupQuery);
  if (setup.data === undefined || setup.data.dismissed) return null;
  const next = nextStep(setup.data);
  return (
    <div className="resume" role="status">
      <span className="num">{t("setup.progress", { n: stepsBehind(setup.data), of: setup.data.steps.length })}</span>
      <span className="quiet clip wide">{next === null ? t("setup.through") : t("setup.next", { step: t(`setup.step.${next}`) })}</span>
      <span className="spacer" />
      <Link className="text" to="/welcome" search={{}}>{t(next === null ? "setup.finish" : "setup.resume")}</Link>
    </div>
  );
}
