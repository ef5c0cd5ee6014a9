import { Alert, Button, Group, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints, toFormErrors } from "../../api/problem";
import type { Settings } from "../../api/types";
import { describeError } from "../../components/errors";
import { ZoneSelect } from "../../components/zone-select";

const fields = ["name", "zone", "window_from", "window_until"] as const;
const wholeDay = { window_from: "00:00", window_until: "24:00" };
const usual = { window_from: "07:00", window_until: "21:00" };

interface Props {
  settings: Settings;
  saving: boolean;
  error: unknown;
  submit: string;
  onSave: (settings: Settings) => void;
}

/** A company's name, zone and the hours in which its campaigns may be sent. */
export function SettingsForm({ settings, saving, error, submit, onSave }: Props) {
  const { t } = useTranslation();
  const form = useForm<Settings>({ initialValues: settings });
  const { setErrors } = form;
  const said = toFormErrors(fieldComplaints(error), (path) => fields.find((f) => f === path) ?? null);
  const saidFields = JSON.stringify(said.fields);
  useEffect(() => { setErrors(JSON.parse(saidFields) as Record<string, string>); }, [saidFields, setErrors]);
  const loose = error !== null && (said.rest.length > 0 || Object.keys(said.fields).length === 0);
  const always = form.values.window_from === wholeDay.window_from && form.values.window_until === wholeDay.window_until;
  return (
    <form noValidate onSubmit={form.onSubmit(onSave)} style={{ maxWidth: 480 }}>
      <Stack gap="md">
        {loose && <Alert color="red" variant="light" role="alert">{describeError(error, t)}</Alert>}
        <TextInput label={t("settings.name")} maxLength={100} {...form.getInputProps("name")} />
        <ZoneSelect label={t("settings.zone")} description={t("settings.zoneHint")} allowDeselect={false} nothingFoundMessage={t("settings.noZone")} {...form.getInputProps("zone")} />
        <fieldset className="section" style={{ margin: 0 }}>
          <legend>{t("settings.window")}</legend>
          <p className="quiet" style={{ margin: "-4px 0 10px" }}>{t("settings.windowHint")}</p>
          <Switch label={t("settings.always")} checked={always} onChange={(e) => form.setValues(e.currentTarget.checked ? wholeDay : usual)} />
          {!always && (
            <Group gap="sm" mt="sm" align="flex-start" grow>
              <TextInput label={t("settings.window_from")} placeholder="07:00" maxLength={5} inputMode="numeric" {...form.getInputProps("window_from")} />
              <TextInput label={t("settings.window_until")} placeholder="21:00" maxLength={5} inputMode="numeric" {...form.getInputProps("window_until")} />
            </Group>
          )}
        </fieldset>
        <Group><Button type="submit" size="sm" loading={saving}>{submit}</Button></Group>
      </Stack>
    </form>
  );
}
