import { ActionIcon, Alert, Button, Group, Stack, Switch, TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints, toFormErrors } from "../../api/problem";
import type { Contact } from "../../api/types";
import { describeError } from "../../components/errors";

export interface ContactValues {
  name: string;
  phone: string;
  zone: string;
  tags: string[];
  attributes: { name: string; value: string }[];
  opted_out: boolean;
}

interface Props {
  /** absent for a new contact */
  contact?: Contact;
  knownTags: string[];
  saving: boolean;
  error: unknown;
  onSave: (values: ContactValues) => void;
}

export function ContactForm({ contact, knownTags, saving, error, onSave }: Props) {
  const { t } = useTranslation();
  const form = useForm<ContactValues>({
    initialValues: {
      name: contact?.name ?? "", phone: contact?.phone ?? "", zone: contact?.zone ?? "", tags: contact?.tags.map((tag) => tag.name) ?? [],
      attributes: Object.entries(contact?.attributes ?? {}).map(([name, value]) => ({ name, value: String(value) })),
      opted_out: contact?.opted_out_at != null,
    },
    validate: { phone: (phone) => (contact === undefined && phone.trim() === "" ? t("form.missing") : null) },
  });
  const { setErrors } = form;
  const said = toFormErrors(fieldComplaints(error), (path) => {
    const field = path.split(".")[0] ?? "";
    return ["name", "phone", "zone", "tags"].includes(field) ? field : null;
  });
  const saidFields = JSON.stringify(said.fields);
  useEffect(() => {
    const found = JSON.parse(saidFields) as Record<string, string>;
    if (Object.keys(found).length > 0) setErrors(found);
  }, [saidFields, setErrors]);
  const loose = error !== null && (said.rest.length > 0 || Object.keys(said.fields).length === 0);

  return (
    <form noValidate onSubmit={form.onSubmit(onSave)}>
      <Stack gap="sm">
        {loose && <Alert color="red" variant="light" role="alert">{describeError(error, t)}</Alert>}
        <TextInput label={t("contact.name")} data-autofocus {...form.getInputProps("name")} />
        <TextInput label={t("contact.phone")} type="tel" placeholder="+55 11 91234 5678" readOnly={contact !== undefined} variant={contact === undefined ? "default" : "filled"} description={contact === undefined ? t("contact.phoneHint") : undefined} {...form.getInputProps("phone")} />
        <TextInput label={t("contact.zone")} placeholder="America/Sao_Paulo" description={t("contact.zoneHint")} spellCheck={false} {...form.getInputProps("zone")} />
        <TagsInput label={t("contact.tags")} data={knownTags} placeholder={form.values.tags.length === 0 ? t("contact.tagsHint") : undefined} {...form.getInputProps("tags")} />
        <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
          <legend style={{ padding: 0, marginBottom: 6, fontWeight: 500 }}>{t("contact.attributes")}</legend>
          <Stack gap={6}>
            {form.values.attributes.map((_, index) => (
              <Group key={index} gap={6} wrap="nowrap">
                <TextInput style={{ flex: 1 }} aria-label={t("contact.attributeName")} placeholder={t("contact.attributeName")} {...form.getInputProps(`attributes.${index}.name`)} />
                <TextInput style={{ flex: 1.4 }} aria-label={t("contact.attributeValue")} placeholder={t("contact.attributeValue")} {...form.getInputProps(`attributes.${index}.value`)} />
                <ActionIcon size={30} aria-label={t("contact.removeAttribute")} onClick={() => form.removeListItem("attributes", index)}><IconTrash size={15} /></ActionIcon>
              </Group>
            ))}
            <Button style={{ alignSelf: "flex-start" }} variant="default" leftSection={<IconPlus size={14} />} onClick={() => form.insertListItem("attributes", { name: "", value: "" })}>{t("contact.addAttribute")}</Button>
          </Stack>
        </fieldset>
        {contact !== undefined && <Switch mt={4} label={t("contact.optOut")} description={t("contact.optOutHint")} {...form.getInputProps("opted_out", { type: "checkbox" })} />}
        <Group mt={4}><Button type="submit" size="sm" loading={saving}>{contact === undefined ? t("contact.add") : t("common.save")}</Button></Group>
      </Stack>
    </form>
  );
}

/** Rows of the form → the API's map; rows without a name are dropped. */
export function toAttributes(rows: ContactValues["attributes"]): Record<string, string> {
  return Object.fromEntries(rows.map((row) => [row.name.trim(), row.value.trim()] as const).filter(([name]) => name !== ""));
}
