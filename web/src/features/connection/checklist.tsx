import { Loader } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCircleX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Line } from "../../api/types";

const icons = {
  good: { Icon: IconCircleCheck, color: "var(--good)" },
  poor: { Icon: IconAlertTriangle, color: "var(--warn)" },
  bad: { Icon: IconCircleX, color: "var(--mantine-color-error)" },
  unseen: { Icon: IconCircleDashed, color: "var(--quiet)" },
} as const;

/** A check line by line: what is right, and of what is not, what to do. */
export function Checklist({ lines, busy = false }: { lines: Line[]; busy?: boolean }) {
  const { t } = useTranslation();
  return (
    <ul className="checks" aria-busy={busy}>
      {lines.map((line) => {
        const { Icon, color } = icons[line.verdict];
        return (
          <li key={line.subject} data-check={line.subject} data-verdict={line.verdict}>
            {busy ? <Loader size={16} color="gray" /> : <Icon size={16} color={color} aria-label={t(`connect.verdict.${line.verdict}`)} />}
            <div><strong>{t(`connect.subject.${line.subject}`)}</strong> <span className={line.verdict === "bad" || line.verdict === "poor" ? undefined : "quiet"}>{line.detail}</span></div>
          </li>
        );
      })}
    </ul>
  );
}
