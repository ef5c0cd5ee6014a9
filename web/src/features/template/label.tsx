import { useTranslation } from "react-i18next";
import type { SyncedTemplate } from "../../api/types";
import { Dot } from "../../components/state";
import { canSend } from "./group";

const statusColor: Record<string, string> = {
  APPROVED: "var(--mantine-color-teal-6)", PENDING: "var(--state-sending)", IN_APPEAL: "var(--state-sending)",
  PAUSED: "var(--state-uncertain)", REJECTED: "var(--state-failed)", DISABLED: "var(--state-failed)",
};
const qualityColor: Record<string, string> = { GREEN: "var(--mantine-color-teal-6)", YELLOW: "var(--state-sending)", RED: "var(--state-failed)" };

/** "IN_APPEAL" → "In appeal": the provider's own words, made readable. */
export function words(capitals: string): string {
  const text = capitals.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A hollow dot: approved, but not for campaigns. */
export function TemplateDot({ template }: { template: SyncedTemplate }) {
  return <Dot color={statusColor[template.status] ?? "var(--state-ended)"} hollow={template.status === "APPROVED" && !canSend(template)} />;
}

export function TemplateStatus({ template }: { template: SyncedTemplate }) {
  return <span className="state"><TemplateDot template={template} />{words(template.status)}</span>;
}

export function Quality({ quality }: { quality: string }) {
  const { t } = useTranslation();
  if (qualityColor[quality] === undefined) return <span className="quiet">{t("template.quality.unknown")}</span>;
  return <span className="state"><Dot color={qualityColor[quality]} />{t(`template.quality.${quality as "GREEN" | "YELLOW" | "RED"}`)}</span>;
}
