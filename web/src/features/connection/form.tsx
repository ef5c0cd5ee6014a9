import { Alert, Button, Group, PasswordInput, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints, toFormErrors } from "../../api/problem";
import type { Connection } from "../../api/types";
import { describeError } from "../../components/errors";
import { Checklist } from "./checklist";
import { type ConnectionInput, type ProbeInput, probeQuery } from "./queries";

const fields = ["name", "number_id", "account_id", "app_id", "app_secret", "token", "verify_token"] as const;
type Field = (typeof fields)[number];
const secrets: readonly Field[] = ["app_secret", "token"];
const probed = ["app_id", "app_secret", "account_id", "number_id", "token"] as const;

interface Props {
  /** the connection whose data is replaced; absent for a new one */
  connection?: Connection;
  /** the provider is the sandbox, which takes any ids */
  sandbox: boolean;
  saving: boolean;
  error: unknown;
  onSave: (input: ConnectionInput & { past_secret_hours?: number }) => void;
  onLeave?: () => void;
}

/** The Cloud API's data, checked with Meta as it is typed. Of a saved connection, secrets left empty stay as they are. */
export function ConnectionForm({ connection, sandbox, saving, error, onSave, onLeave }: Props) {
  const { t } = useTranslation();
  const form = useForm<Record<Field, string>>({
    initialValues: {
      name: connection?.name ?? "", app_id: connection?.app_id ?? "", app_secret: "", account_id: connection?.account_id ?? "",
      number_id: connection?.number_id ?? "", token: "", verify_token: connection?.verify_token ?? "",
    },
    validate: (values) => Object.fromEntries(
      fields
        .filter((f) => f !== "verify_token" && values[f].trim() === "" && !(connection !== undefined && secrets.includes(f)))
        .map((f) => [f, t("form.missing")]),
    ),
  });
  const [pastHours, setPastHours] = useState("24");
  const replaces = connection !== undefined && form.values.app_secret.trim() !== "";
  const { setErrors } = form;
  const said = toFormErrors(fieldComplaints(error), (path) => fields.find((f) => f === path) ?? null);
  const saidFields = JSON.stringify(said.fields);
  useEffect(() => {
    const found = JSON.parse(saidFields) as Record<string, string>;
    if (Object.keys(found).length > 0) setErrors(found);
  }, [saidFields, setErrors]);
  const loose = error !== null && (said.rest.length > 0 || Object.keys(said.fields).length === 0);

  const input = (field: Field) => ({ label: t(`connection.${field}`), description: t(`connection.hint.${field}`), autoComplete: "off", spellCheck: false, ...form.getInputProps(field) });
  const keep = connection === undefined ? undefined : t("connection.keepSecret");
  return (
    <div className="connect-form">
      <form noValidate onSubmit={form.onSubmit((values) => onSave({ ...trimmed(values, connection !== undefined), ...(replaces ? { past_secret_hours: Number(pastHours) } : {}) }))}>
        <Stack gap="sm">
          {loose && <Alert color="red" variant="light" role="alert">{describeError(error, t)}</Alert>}
          <TextInput {...input("name")} data-autofocus />
          <TextInput {...input("number_id")} inputMode="numeric" />
          <TextInput {...input("account_id")} inputMode="numeric" />
          <TextInput {...input("app_id")} inputMode="numeric" />
          <PasswordInput {...input("app_secret")} autoComplete="new-password" placeholder={keep} />
          {replaces && (
            <Select
              label={t("connection.past.keep")} description={t("connection.past.hint")} allowDeselect={false} value={pastHours} onChange={(value) => setPastHours(value ?? "24")}
              data={(["0", "1", "24", "168"] as const).map((value) => ({ value, label: t(`connection.past.for.${value}`) }))}
            />
          )}
          <PasswordInput {...input("token")} autoComplete="new-password" placeholder={keep} />
          {connection !== undefined && <TextInput {...input("verify_token")} />}
          <Group gap="xs" mt={4}>
            <Button type="submit" size="sm" loading={saving}>{t("connection.saveAndCheck")}</Button>
            {onLeave !== undefined && <Button variant="subtle" color="gray" size="sm" onClick={onLeave}>{t("common.back")}</Button>}
          </Group>
        </Stack>
      </form>
      <LiveChecks values={form.values} saved={connection?.id} sandbox={sandbox} />
    </div>
  );
}

function LiveChecks({ values, saved, sandbox }: { values: Record<Field, string>; saved: string | undefined; sandbox: boolean }) {
  const { t } = useTranslation();
  const typed: ProbeInput = saved === undefined ? {} : { connection_id: saved };
  for (const field of probed) if (values[field].trim() !== "") typed[field] = values[field].trim();
  const [settled] = useDebouncedValue(typed, 600);
  const probe = useQuery(probeQuery(settled));
  return (
    <aside className="aside connect-live" aria-label={t("connect.live")} aria-live="polite">
      <h2>{t("connect.live")}</h2>
      {sandbox && <p className="quiet">{t("connect.liveSandbox")}</p>}
      {probe.data === undefined && !probe.isError && <p className="quiet">{t("connect.liveHint")}</p>}
      {probe.isError && <p>{describeError(probe.error, t)}</p>}
      {probe.data !== undefined && <Checklist lines={probe.data.checks} busy={probe.isFetching} />}
    </aside>
  );
}

/** Trims, and leaves out what is empty and may be: a verify token is then made by the server, a kept secret kept. */
function trimmed(values: Record<Field, string>, saved: boolean): ConnectionInput {
  const entries = fields.map((f) => [f, values[f].trim()] as const);
  const kept = entries.filter(([f, value]) => value !== "" || (f !== "verify_token" && !(saved && secrets.includes(f))));
  return Object.fromEntries(kept) as unknown as ConnectionInput;
}
