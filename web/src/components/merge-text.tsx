import { useTranslation } from "react-i18next";
import { parseMerge } from "../lib/merge";

/** A text with its merge fields as chips. With known given, fields outside it are marked. */
export function MergeText({ text, known }: { text: string; known?: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <span className="wrap">
      {parseMerge(text).map((part, index) => {
        if (part.kind === "text") return <span key={index}>{part.text}</span>;
        const unknown = known !== undefined && !known.includes(part.name);
        return (
          <span key={index} className={unknown ? "merge unknown" : "merge"} title={unknown ? t("merge.unknown", { field: part.name }) : undefined}>
            {part.name}
            {part.fallback !== null && <span className="quiet"> {t("merge.or")} {part.fallback === "" ? t("merge.nothing") : part.fallback}</span>}
          </span>
        );
      })}
    </span>
  );
}
