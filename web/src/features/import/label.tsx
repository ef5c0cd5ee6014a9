import { useTranslation } from "react-i18next";
import type { Import } from "../../api/types";
import { Dot } from "../../components/state";

const color: Record<Import["state"], string> = {
  uploading: "var(--state-sending)",
  uploaded: "var(--state-sending)",
  ready: "var(--state-delivered)",
  running: "var(--state-read)",
  finished: "var(--mantine-color-teal-6)",
  stopped: "var(--state-uncertain)",
  undoing: "var(--state-read)",
  undone: "var(--state-ended)",
};

export function ImportStateLabel({ state }: { state: Import["state"] }) {
  const { t } = useTranslation();
  return <span className="state"><Dot color={color[state]} hollow={state === "ready"} />{t(`import.state.${state}`)}</span>;
}
