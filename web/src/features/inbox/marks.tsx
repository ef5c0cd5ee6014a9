import { IconAlertCircleFilled, IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Conversation, Label } from "../../api/types";

const icons = { low: IconArrowDown, high: IconArrowUp, urgent: IconAlertCircleFilled };

/** How urgent it is; nothing for none. */
export function PriorityMark({ priority }: { priority: Conversation["priority"] }) {
  const { t } = useTranslation();
  if (priority === "none") return null;
  const Icon = icons[priority];
  return <Icon className={`priority ${priority}`} size={14} role="img" aria-label={t(`inbox.priority.${priority}`)} />;
}

const colourOf = (label: Label) => `var(--mantine-color-${label.colour}-6)`;

/** The colour alone, beside the label's name. */
export function ColourDot({ label }: { label: Label }) {
  return <span className="label-dot" style={{ background: colourOf(label) }} />;
}

/** A label without room for its name. */
export function LabelDot({ label }: { label: Label }) {
  return <span className="label-dot" style={{ background: colourOf(label) }} role="img" aria-label={label.name} title={label.name} />;
}

export function LabelChip({ label }: { label: Label }) {
  return <span className="tag"><ColourDot label={label} />{label.name}</span>;
}
