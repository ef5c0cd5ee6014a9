import { SegmentedControl, Select, Stack, Switch, TagsInput } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { ImportOptions } from "../../api/types";
import { regions } from "./regions";

interface Props {
  options: ImportOptions;
  knownTags: string[];
  complaints: Partial<Record<keyof ImportOptions, string>>;
  onChange: (options: ImportOptions) => void;
}

export function ImportOptionsForm({ options, knownTags, complaints, onChange }: Props) {
  const { t, i18n } = useTranslation();
  const { region = "", tags = [] } = options;
  const countries = useMemo(() => regions(i18n.language), [i18n.language]);
  return (
    <Stack gap="sm">
      <Select label={t("import.region")} description={t("import.regionHint")} placeholder={t("import.regionNone")} data={countries} value={region === "" ? null : region} onChange={(chosen) => onChange({ ...options, region: chosen ?? "" })} searchable clearable limit={60} error={complaints.region} />
      <TagsInput label={t("import.tags")} data={knownTags} value={tags} onChange={(chosen) => onChange({ ...options, tags: chosen })} placeholder={tags.length === 0 ? t("import.tagsHint") : undefined} error={complaints.tags} />
      <div>
        <div style={{ fontWeight: 500, marginBottom: 4 }} id="import-existing">{t("import.existing")}</div>
        <SegmentedControl size="xs" aria-labelledby="import-existing" value={options.keep_existing ? "keep" : "update"} onChange={(value) => onChange({ ...options, keep_existing: value === "keep" })}
          data={[{ value: "update", label: t("import.update") }, { value: "keep", label: t("import.keep") }]} />
        <div className="quiet" style={{ fontSize: 12, marginTop: 4 }}>{t("import.existingHint")}</div>
      </div>
      <Switch label={t("import.noHeader")} checked={options.no_header} onChange={(event) => onChange({ ...options, no_header: event.currentTarget.checked })} />
    </Stack>
  );
}
