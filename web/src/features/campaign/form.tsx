import { ActionIcon, Alert, Anchor, Button, Group, MultiSelect, Radio, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints, type FieldComplaint, toFormErrors } from "../../api/problem";
import type { Campaign, Connection, TagCount } from "../../api/types";
import { formatCount } from "../../lib/format";
import { complaints, type Draft, draftField, emptyDraft, toDraft } from "./draft";
import { MergeInput } from "./merge-input";

interface Props {
  /** the saved draft; absent for a new campaign */
  campaign?: Campaign;
  connections: Connection[];
  tags: TagCount[];
  contactCount: number | undefined;
  /** names of merge fields that exist */
  fields: string[];
  saving: boolean;
  error: unknown;
  /** what a check of the saved draft complains about */
  problems: FieldComplaint[];
  onSave: (draft: Draft) => void;
  onDirty: (dirty: boolean) => void;
  footer?: ReactNode;
}

export function CampaignForm({ campaign, connections, tags, contactCount, fields, saving, error, problems, onSave, onDirty, footer }: Props) {
  const { t } = useTranslation();
  const form = useForm<Draft>({
    initialValues: campaign === undefined ? { ...emptyDraft, connection_id: connections.length === 1 ? (connections[0]?.id ?? null) : null } : toDraft(campaign),
    validate: (draft) => Object.fromEntries(Object.entries<"missing" | "past" | "beforeStart">(complaints(draft, new Date())).map(([field, what]) => [field, t(`form.${what}`)])),
    onValuesChange: () => onDirty(true),
  });
  const { setErrors } = form;
  const said = toFormErrors([...fieldComplaints(error), ...problems], draftField);
  const saidFields = JSON.stringify(said.fields);
  useEffect(() => {
    const found = JSON.parse(saidFields) as Record<string, string>;
    if (Object.keys(found).length > 0) setErrors(found);
  }, [saidFields, setErrors]);

  const draft = form.values;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const chosen = connections.find((c) => c.id === draft.connection_id);
  return (
    <form id="campaign" onSubmit={form.onSubmit(onSave)} noValidate>
      {said.rest.length > 0 && <Alert color="red" variant="light" mb="md" role="alert">{said.rest.join(" · ")}</Alert>}
      <fieldset className="section">
        <Stack gap="sm">
          <TextInput label={t("campaign.name")} placeholder={t("form.namePlaceholder")} data-autofocus maxLength={200} {...form.getInputProps("name")} />
          <Select
            label={t("connection.one")}
            placeholder={t("form.connectionPlaceholder")}
            data={connections.map((c) => ({ value: c.id, label: c.number === "" ? c.name : `${c.name} · ${c.number}` }))}
            description={connections.length === 0 ? <>{t("form.noConnection")} <Anchor component={Link} to="/connections/new" inherit>{t("connection.add")}</Anchor></> : undefined}
            allowDeselect={false}
            {...form.getInputProps("connection_id")}
          />
          {chosen?.state === "failing" && <Alert color="yellow" variant="light" py={8}>{t("form.connectionFailing", { detail: chosen.state_detail })}</Alert>}
        </Stack>
      </fieldset>

      <fieldset className="section">
        <legend>{t("campaign.content")}</legend>
        <Stack gap="sm">
          <SegmentedControl
            style={{ alignSelf: "flex-start" }}
            aria-label={t("campaign.content")}
            data={[{ value: "template", label: t("form.template") }, { value: "text", label: t("form.freeText") }]}
            {...form.getInputProps("kind")}
          />
          {draft.kind === "template" ? (
            <>
              <Group gap="sm" align="flex-start" wrap="nowrap">
                <TextInput style={{ flex: 1 }} label={t("form.templateName")} placeholder="hello_world" spellCheck={false} {...form.getInputProps("template_name")} />
                <TextInput w={110} label={t("form.language")} placeholder="en_US" spellCheck={false} {...form.getInputProps("language")} />
              </Group>
              {draft.parameters.map((_, index) => (
                <Group key={index} gap={6} align="flex-start" wrap="nowrap">
                  <div style={{ flex: 1, minWidth: 0 }}>
                    <MergeInput label={t("form.parameter", { n: index + 1 })} fields={fields} {...form.getInputProps(`parameters.${index}`)} />
                  </div>
                  <ActionIcon mt={24} size={30} aria-label={t("form.removeParameter", { n: index + 1 })} onClick={() => form.removeListItem("parameters", index)}><IconTrash size={15} /></ActionIcon>
                </Group>
              ))}
              <Group gap="sm">
                <Button variant="default" leftSection={<IconPlus size={14} />} onClick={() => form.insertListItem("parameters", "")}>{t("form.addParameter")}</Button>
                <span className="quiet" style={{ flex: 1, minWidth: 180 }}>{t("form.parameterHint")}</span>
              </Group>
            </>
          ) : (
            <MergeInput multiline label={t("form.text")} description={t("form.textHint")} fields={fields} {...form.getInputProps("text")} />
          )}
        </Stack>
      </fieldset>

      <fieldset className="section">
        <legend>{t("campaign.audience")}</legend>
        <Radio.Group aria-label={t("campaign.audience")} value={draft.everyone ? "all" : "tags"} onChange={(value) => form.setFieldValue("everyone", value === "all")}>
          <Stack gap={8}>
            <Radio value="all" label={contactCount === undefined ? t("campaign.everyone") : t("form.everyoneCount", { n: formatCount(contactCount) })} />
            <Radio value="tags" label={t("form.byTags")} />
          </Stack>
        </Radio.Group>
        {!draft.everyone && (
          <MultiSelect
            mt="xs"
            aria-label={t("form.tags")}
            placeholder={draft.tag_ids.length === 0 ? t("form.tagsPlaceholder") : undefined}
            data={tags.map((tag) => ({ value: tag.id, label: `${tag.name} · ${formatCount(tag.contacts)}` }))}
            searchable
            nothingFoundMessage={t("form.noTag")}
            {...form.getInputProps("tag_ids")}
          />
        )}
      </fieldset>

      <fieldset className="section">
        <legend>{t("form.when")}</legend>
        <Radio.Group aria-label={t("form.when")} {...form.getInputProps("when")}>
          <Stack gap={8}>
            <Radio value="now" label={t("form.startNow")} />
            <Radio value="at" label={t("form.startAt")} />
          </Stack>
        </Radio.Group>
        <Group gap="sm" mt="sm" align="flex-start" grow preventGrowOverflow={false}>
          {draft.when === "at" && <TextInput type="datetime-local" label={t("campaign.start")} description={t("form.inZone", { zone })} {...form.getInputProps("starts_at")} />}
          <TextInput type="datetime-local" label={t("form.expires")} description={t("form.expiresHint")} {...form.getInputProps("expires_at")} />
        </Group>
      </fieldset>
      <Group gap="xs" className="form-foot">
        <Button type="submit" variant={footer === undefined ? "filled" : "default"} size="sm" loading={saving}>{t("form.save")}</Button>
        {footer}
      </Group>
    </form>
  );
}
