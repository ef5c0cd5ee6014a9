import { Select, TextInput } from "@mantine/core";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { ImportColumn } from "../../api/types";

const fields = ["phone", "name", "zone", "tags", "attribute", "skip"] as const;

interface Props {
  columns: ImportColumn[];
  /** complaints of the server by the place of the column */
  complaints: Record<number, string>;
  onChange: (place: number, column: ImportColumn) => void;
}

/** One row per column of the file: its title, its first cells, and the field it fills. */
export function ImportColumns({ columns, complaints, onChange }: Props) {
  const { t } = useTranslation();
  const head = useId();
  return (
    <div className="import-columns" role="table" aria-labelledby={head}>
      <div role="row" className="import-column import-head"><span role="columnheader" id={head}>{t("import.column")}</span><span role="columnheader">{t("import.holds")}</span></div>
      {columns.map((column, place) => (
        <ColumnRow key={place} column={column} complaint={complaints[place]} onChange={(changed) => onChange(place, changed)} />
      ))}
    </div>
  );
}

function ColumnRow({ column, complaint, onChange }: { column: ImportColumn; complaint: string | undefined; onChange: (column: ImportColumn) => void }) {
  const { t } = useTranslation();
  const shown = column.samples.filter((sample) => sample !== "").slice(0, 3).join(" · ");
  const choose = (value: string | null) => {
    const field = fields.find((f) => f === value);
    if (field === undefined || field === column.field) return;
    onChange({ ...column, field, attribute: field === "attribute" ? (column.attribute ?? attributeName(column.title)) : column.attribute });
  };
  return (
    <div role="row" className={column.field === "skip" ? "import-column left-out" : "import-column"}>
      <div role="cell" style={{ minWidth: 0 }}>
        <div className="clip" style={{ fontWeight: 500 }}>{column.title}</div>
        <div className="clip quiet" style={{ fontSize: 12 }}>{shown === "" ? t("import.noSamples") : shown}</div>
      </div>
      <div role="cell" className="import-field">
        <Select aria-label={`${column.title}: ${t("import.holds")}`} data={fields.map((value) => ({ value, label: t(`import.field.${value}`) }))} value={column.field} onChange={choose} allowDeselect={false} error={complaint} checkIconPosition="right" />
        {column.field === "attribute" && (
          <TextInput
            key={column.attribute}
            aria-label={`${column.title}: ${t("import.attributeName")}`}
            defaultValue={column.attribute}
            classNames={{ input: "mono" }}
            onBlur={(event) => { const attribute = attributeName(event.currentTarget.value); if (attribute !== column.attribute) onChange({ ...column, attribute }); }}
            onKeyDown={(event) => { if (event.key === "Enter") event.currentTarget.blur(); }}
          />
        )}
      </div>
    </div>
  );
}

/** A name as the server keeps it: lower-case letters, digits and _, at most 40. */
export function attributeName(title: string): string {
  return title.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, "_").replace(/^_+/, "").slice(0, 40).replace(/_+$/, "");
}
