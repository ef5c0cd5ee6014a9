import { Alert, Button, Group, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints, toFormErrors } from "../../api/problem";
import { usePolling } from "../../api/realtime";
import type { Governor, Limits } from "../../api/types";
import { describeError, toastDone } from "../../components/errors";
import { formatCount } from "../../lib/format";
import { type LimitField, fieldOf, fromLimits, limitFields, toLimits, unreadable } from "./limit-values";
import { connectionLimitsQuery, putLimits } from "./queries";

/** What a connection may send, how much of it is used, and the form that changes it. */
export function ConnectionLimits({ id }: { id: string }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const governor = useQuery({ ...connectionLimitsQuery(id), refetchInterval: usePolling(5_000) });
  const [changing, setChanging] = useState(false);
  const save = useMutation({
    mutationFn: (limits: Limits) => putLimits(id, limits),
    onSuccess: (changed) => {
      queries.setQueryData(connectionLimitsQuery(id).queryKey, changed);
      setChanging(false);
      toastDone(t("limits.did"));
    },
  });
  return (
    <fieldset className="section">
      <legend>{t("limits.title")}</legend>
      <p className="quiet" style={{ margin: "0 0 10px" }}>{t("limits.hint")}</p>
      {governor.data === undefined && <p className="quiet" style={{ margin: 0 }}>{governor.isError ? describeError(governor.error, t) : t("common.loading")}</p>}
      {governor.data !== undefined && (changing
        ? <LimitForm governor={governor.data} saving={save.isPending} error={save.error} onSave={save.mutate} onLeave={() => { setChanging(false); save.reset(); }} />
        : <><Standing governor={governor.data} /><Button mt="md" variant="default" onClick={() => setChanging(true)}>{t("limits.change")}</Button></>)}
    </fieldset>
  );
}

function Standing({ governor }: { governor: Governor }) {
  const { t } = useTranslation();
  const { limits, used, next } = governor;
  const waits = next.filter((n) => n.at != null);
  const spaced = limits.contact_gap_s != null || limits.gap_until_s != null || limits.warm_up != null;
  if (used.length === 0 && !spaced) return <p style={{ margin: 0 }}>{t("limits.none")}</p>;
  return (
    <>
      <dl className="facts">
        {used.map((use) => <Line key={use.limit} name={t(`limits.${use.limit}`)} value={t("limits.used", { used: formatCount(use.used), most: formatCount(use.most) })} />)}
        {limits.contact_gap_s != null && <Line name={t("limits.contact_gap_s")} value={t("limits.seconds", { n: formatCount(limits.contact_gap_s) })} />}
        {limits.gap_until_s != null && <Line name={t("limits.gap")} value={t("limits.between", { from: formatCount(limits.gap_from_s ?? 0), until: formatCount(limits.gap_until_s) })} />}
        {limits.warm_up != null && <Line name={t("limits.warm_up")} value={t("limits.warmUpFrom", { count: limits.warm_up.caps.length, from: limits.warm_up.from })} />}
      </dl>
      {waits.map((wait) => <p key={wait.of} style={{ margin: "10px 0 0" }}><span className="quiet">{t(`limits.of.${wait.of}`)}</span> {wait.words}</p>)}
    </>
  );
}

function Line({ name, value }: { name: string; value: string }) {
  return <><dt>{name}</dt><dd className="num">{value}</dd></>;
}

interface Props {
  governor: Governor;
  saving: boolean;
  error: unknown;
  onSave: (limits: Limits) => void;
  onLeave: () => void;
}

/** Empty fields are not limited; the channel's defaults stand in them as placeholders. */
function LimitForm({ governor, saving, error, onSave, onLeave }: Props) {
  const { t } = useTranslation();
  const usual = fromLimits(governor.defaults);
  const form = useForm<Record<LimitField, string>>({
    initialValues: fromLimits(governor.limits),
    validate: (values) => Object.fromEntries(unreadable(values).map((field) => [field, t(field === "caps" ? "limits.badCaps" : "limits.badNumber")])),
  });
  const { setErrors } = form;
  const said = toFormErrors(fieldComplaints(error), fieldOf);
  const saidFields = JSON.stringify(said.fields);
  useEffect(() => { setErrors(JSON.parse(saidFields) as Record<string, string>); }, [saidFields, setErrors]);
  const loose = error !== null && (said.rest.length > 0 || Object.keys(said.fields).length === 0);
  const examples: Partial<Record<LimitField, string>> = { from: "2026-11-22", caps: "20, 40, 80" };
  const placeholder = (field: LimitField) => examples[field] ?? (usual[field] === "" ? t("limits.noLimit") : t("limits.usually", { value: usual[field] }));
  const input = (field: LimitField) => (
    <TextInput key={field} label={t(`limits.${field}`)} placeholder={placeholder(field)} autoComplete="off"
      inputMode={field === "caps" || field === "from" ? "text" : "numeric"} {...form.getInputProps(field)} />
  );
  return (
    <form noValidate onSubmit={form.onSubmit((values) => onSave(toLimits(values)))} style={{ maxWidth: 480 }}>
      <Stack gap="sm">
        {loose && <Alert color="red" variant="light" role="alert">{describeError(error, t)}</Alert>}
        {rows.map((fields) => <div key={fields[0]} className="pair">{fields.map(input)}</div>)}
        <p className="quiet" style={{ margin: 0 }}>{t("limits.empty")}</p>
        <Group gap="xs" mt={4}>
          <Button type="submit" size="sm" loading={saving}>{t("common.save")}</Button>
          <Button variant="default" size="sm" onClick={() => form.setValues(usual)}>{t("limits.defaults")}</Button>
          <Button variant="subtle" color="gray" size="sm" onClick={onLeave}>{t("common.back")}</Button>
        </Group>
      </Stack>
    </form>
  );
}

const rows = [limitFields.slice(0, 2), limitFields.slice(2, 4), limitFields.slice(4, 5), limitFields.slice(5, 7), limitFields.slice(7, 9)];
