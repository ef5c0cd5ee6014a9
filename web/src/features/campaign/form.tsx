import { Alert, Anchor, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Connection, SyncedTemplate, TagCount } from "../../api/types";
import type { Templates } from "../template/queries";
import { AudienceInput, type Choice } from "./audience-input";
import type { Draft } from "./draft";
import { MergeInput } from "./merge-input";
import { TemplatePicker } from "./template-picker";
import { WhenInput } from "./when-input";

export interface CampaignParts {
  connections: Connection[];
  tags: TagCount[];
  contactCount: number | undefined;
  segments: Choice[];
  imports: Choice[];
  templates: Templates;
  /** names of merge fields that exist */
  fields: string[];
}

interface Props extends CampaignParts {
  form: UseFormReturnType<Draft>;
  /** the chosen template, when it is known */
  template: SyncedTemplate | undefined;
  zone: string;
  /** what the check says of fields that are filled */
  hints: Record<string, string>;
  /** complaints that belong to no field */
  loose: string[];
  syncing: boolean;
  onSync: (connection: string) => void;
  onSubmit: () => void;
  footer: ReactNode;
}

/** The fields of a campaign. What happens to them is the editor's business. */
export function CampaignForm({ form, template, zone, hints, loose, syncing, onSync, onSubmit, footer, ...parts }: Props) {
  const { t } = useTranslation();
  const draft = form.values;
  const chosen = parts.connections.find((c) => c.id === draft.connection_id);
  const choose = (one: SyncedTemplate) => {
    form.setValues({ template_name: one.name, language: one.language, parameters: Array.from({ length: one.parameters }, (_, n) => draft.parameters[n] ?? "") });
    form.clearFieldError("template_name");
  };
  return (
    <form id="campaign" onSubmit={(event) => { event.preventDefault(); onSubmit(); }} noValidate>
      {loose.length > 0 && <Alert color="red" variant="light" mb="md" role="alert">{loose.join(" · ")}</Alert>}
      <fieldset className="section">
        <Stack gap="sm">
          <TextInput label={t("campaign.name")} placeholder={t("form.namePlaceholder")} data-autofocus maxLength={200} {...form.getInputProps("name")} />
          <Select
            label={t("connection.one")}
            placeholder={t("form.connectionPlaceholder")}
            data={parts.connections.map((c) => ({ value: c.id, label: c.number === "" ? c.name : `${c.name} · ${c.number}` }))}
            description={parts.connections.length === 0 ? <>{t("form.noConnection")} <Anchor component={Link} to="/connections/new" inherit>{t("connection.add")}</Anchor></> : undefined}
            allowDeselect={false}
            {...form.getInputProps("connection_id")}
          />
          {chosen?.state === "failing" && <Alert color="yellow" variant="light" py={8}>{t("form.connectionFailing", { detail: chosen.state_detail })}</Alert>}
        </Stack>
      </fieldset>

      <fieldset className="section">
        <legend>{t("campaign.audience")}</legend>
        <AudienceInput form={form} tags={parts.tags} contactCount={parts.contactCount} segments={parts.segments} imports={parts.imports} />
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
              <TemplatePicker
                connection={draft.connection_id} templates={parts.templates} name={draft.template_name} language={draft.language}
                error={form.errors.template_name ?? (draft.template_name === "" ? undefined : hints.template_name)} syncing={syncing} onSync={onSync} onChoose={choose}
              />
              {draft.parameters.map((value, index) => (
                <MergeInput
                  key={index} label={t("form.parameter", { n: index + 1 })} description={around(template, index + 1)} fields={parts.fields}
                  {...form.getInputProps(`parameters.${index}`)} error={form.errors[`parameters.${index}`] ?? (value === "" ? undefined : hints[`parameters.${index}`])}
                />
              ))}
            </>
          ) : (
            <MergeInput multiline label={t("form.text")} description={t("form.textHint")} fields={parts.fields} {...form.getInputProps("text")} error={form.errors.text ?? (draft.text === "" ? undefined : hints.text)} />
          )}
        </Stack>
      </fieldset>

      <fieldset className="section">
        <legend>{t("form.when")}</legend>
        <WhenInput form={form} zone={zone} />
      </fieldset>
      <div className="form-foot">{footer}</div>
    </form>
  );
}

const reach = 28; // characters to each side

/** Where a placeholder stands: "…your order {{2}} is on its way". */
function around(template: SyncedTemplate | undefined, n: number): string | undefined {
  const at = template?.body.search(new RegExp(`\\{\\{\\s*${n}\\s*\\}\\}`)) ?? -1;
  if (template === undefined || at < 0) return undefined;
  const from = Math.max(0, at - reach);
  const to = Math.min(template.body.length, at + `{{${n}}}`.length + reach);
  return `${from > 0 ? "…" : ""}${template.body.slice(from, to).replace(/\s+/g, " ")}${to < template.body.length ? "…" : ""}`;
}
