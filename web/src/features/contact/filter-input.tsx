import { Textarea } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { around, type Mistake } from "./choice";

interface Props {
  value: string;
  mistake: Mistake | null;
  onChange: (value: string) => void;
}

/** A filter being written; what is wrong in it is underlined under the field and said in words. */
export function FilterInput({ value, mistake, onChange }: Props) {
  const { t } = useTranslation();
  const [before, wrong, after] = mistake === null ? ["", "", ""] : around(value, mistake);
  return (
    <div>
      <Textarea label={t("segment.filterLabel")} autosize minRows={3} maxRows={10} maxLength={2_000} spellCheck={false} classNames={{ input: "code" }} value={value} onChange={(e) => onChange(e.currentTarget.value)} aria-invalid={mistake !== null} aria-describedby="filter-mistake" placeholder={'tag:"vip" and city = "Recife" and not opted_out'} />
      <div id="filter-mistake" role="status" className="mistake">
        {mistake !== null && (
          <>
            {value.trim() !== "" && <div className="code wrap" aria-hidden="true">{before}<u>{wrong}</u>{after}</div>}
            <div>{mistake.message}</div>
          </>
        )}
      </div>
    </div>
  );
}

const examples = [
  ["tag", 'tag:"vip" and not opted_out'],
  ["or", 'city = "Recife" or city = "Olinda"'],
  ["days", "created > 30 days ago"],
  ["phone", "phone starts +55 and has birthday"],
  ["number", "age >= 18"],
  ["campaign", 'delivered:"Spring sale" and not read:"Spring sale"'],
] as const;

/** What can be written, by examples that are taken over at a click. */
export function FilterHelp({ onExample }: { onExample: (example: string) => void }) {
  const { t } = useTranslation();
  return (
    <section aria-labelledby="filter-help">
      <h2 id="filter-help" className="story-title">{t("segment.help")}</h2>
      <ul className="examples">
        {examples.map(([key, example]) => (
          <li key={key}><button type="button" className="code" onClick={() => onExample(example)}>{example}</button><span className="quiet">{t(`segment.example.${key}`)}</span></li>
        ))}
      </ul>
      <p className="quiet" style={{ margin: "10px 0 0" }}>{t("segment.helpRest")}</p>
    </section>
  );
}
