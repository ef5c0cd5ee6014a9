import { Alert, Button } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { PhoneBubble, TemplateBody } from "../../components/phone";
import { useRunsCompany } from "../account/role";
import { canSend, type TemplateGroup } from "./group";
import { Quality, TemplateDot, TemplateStatus, words } from "./label";

/** One template: how it looks on a phone in each language, what Meta says of it, what to do. */
export function TemplateDetail({ group }: { group: TemplateGroup }) {
  const { t } = useTranslation();
  const runs = useRunsCompany();
  const [language, setLanguage] = useState<string | null>(null);
  const shown = group.languages.find((one) => one.language === language) ?? group.languages[0];
  if (shown === undefined) return null;
  return (
    <div className="template-detail">
      <h2 className="wrap" style={{ margin: 0, fontSize: 14 }}>{group.name}</h2>
      {group.languages.length > 1 && (
        <div role="group" aria-label={t("template.languages")} style={{ display: "flex", flexWrap: "wrap", gap: 2 }}>
          {group.languages.map((one) => (
            <button key={one.language} type="button" className={one === shown ? "chip active" : "chip"} aria-pressed={one === shown} onClick={() => setLanguage(one.language)}>
              <TemplateDot template={one} />{one.language}
            </button>
          ))}
        </div>
      )}
      {!canSend(shown) && <Alert color={shown.status === "REJECTED" || shown.status === "DISABLED" ? "red" : "yellow"} variant="light" py={10}>{shown.unfit}</Alert>}
      <PhoneBubble headerFormat={shown.header_format} header={shown.header} body={<TemplateBody text={shown.body} />} footer={shown.footer} buttons={shown.buttons} />
      <dl className="facts">
        <dt>{t("template.status")}</dt><dd><TemplateStatus template={shown} /></dd>
        <dt>{t("template.qualityHead")}</dt><dd><Quality quality={shown.quality} /></dd>
        <dt>{t("template.category")}</dt><dd>{words(shown.category)}</dd>
        <dt>{t("template.language")}</dt><dd>{shown.language}</dd>
        <dt>{t("template.parameters")}</dt><dd className="num">{shown.parameters === 0 ? t("template.none") : shown.parameters}</dd>
      </dl>
      {runs && canSend(shown) && (
        <Button
          variant="default" leftSection={<IconSend size={14} />}
          renderRoot={(props) => <Link {...props} to="/campaigns/new" search={{ connection: shown.connection_id, template: shown.name, language: shown.language }} />}
        >
          {t("template.use")}
        </Button>
      )}
    </div>
  );
}
