import { Anchor, MultiSelect, Radio, Select, Stack, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { TagCount } from "../../api/types";
import { formatCount } from "../../lib/format";
import type { AudienceKind, Draft } from "./draft";

export interface Choice {
  id: string;
  label: string;
  /** of a segment: how it is described */
  filter?: string;
}

interface Props {
  form: UseFormReturnType<Draft>;
  tags: TagCount[];
  contactCount: number | undefined;
  segments: Choice[];
  imports: Choice[];
}

/** Whom a campaign is for. */
export function AudienceInput({ form, tags, contactCount, segments, imports }: Props) {
  const { t } = useTranslation();
  const { audience } = form.values;
  return (
    <>
      <Radio.Group aria-label={t("campaign.audience")} value={audience} onChange={(kind) => form.setFieldValue("audience", kind as AudienceKind)}>
        <Stack gap={8}>
          <Radio value="all" label={contactCount === undefined ? t("campaign.everyone") : t("form.everyoneCount", { n: formatCount(contactCount) })} />
          <Radio value="tags" label={t("form.byTags")} />
          <Radio value="segment" label={t("form.bySegment")} />
          <Radio value="import" label={t("form.byImport")} />
          {form.values.failed_of !== "" && <Radio value="failed" label={<>{t("again.audience")} <Anchor component={Link} to={`/campaigns/${form.values.failed_of}?state=failed`} inherit>{t("again.which")}</Anchor></>} />}
          {audience === "filter" && <Radio value="filter" label={t("form.byFilter")} />}
        </Stack>
      </Radio.Group>
      <div style={{ marginTop: 10 }}>
        {audience === "tags" && (
          <MultiSelect
            aria-label={t("form.tags")}
            placeholder={form.values.tag_ids.length === 0 ? t("form.tagsPlaceholder") : undefined}
            data={tags.map((tag) => ({ value: tag.id, label: `${tag.name} · ${formatCount(tag.contacts)}` }))}
            searchable
            nothingFoundMessage={t("form.noTag")}
            {...form.getInputProps("tag_ids")}
          />
        )}
        {audience === "segment" && (
          <Select
            aria-label={t("form.segment")} placeholder={t("form.segmentPlaceholder")} searchable allowDeselect={false} nothingFoundMessage={t("form.noSegment")}
            description={t("form.segmentHint")}
            inputWrapperOrder={["input", "description", "error"]}
            data={segments.map((one) => ({ value: one.id, label: one.label }))}
            renderOption={({ option }) => <div style={{ minWidth: 0 }}>{option.label}<div className="mono quiet clip">{segments.find((one) => one.id === option.value)?.filter}</div></div>}
            {...form.getInputProps("segment_id")}
          />
        )}
        {audience === "import" && (
          <Select
            aria-label={t("form.import")} placeholder={t("form.importPlaceholder")} searchable allowDeselect={false} nothingFoundMessage={t("form.noImport")}
            description={<>{t("form.importHint")} <Anchor component={Link} to="/contacts/imports/new" inherit>{t("form.upload")}</Anchor></>}
            inputWrapperOrder={["input", "description", "error"]}
            data={imports.map((one) => ({ value: one.id, label: one.label }))}
            {...form.getInputProps("import_id")}
          />
        )}
        {audience === "filter" && <TextInput aria-label={t("form.byFilter")} classNames={{ input: "mono" }} spellCheck={false} {...form.getInputProps("filter")} />}
      </div>
    </>
  );
}
