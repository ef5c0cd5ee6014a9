import { ActionIcon, Button, Select, TextInput, Tooltip } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Label } from "../../api/types";
import { describeError, toastError } from "../../components/errors";
import { ColourDot } from "./marks";
import { createLabel, deleteLabel, updateLabel } from "./queries";

const colours = ["gray", "red", "orange", "yellow", "green", "teal", "blue", "violet", "pink"] as const;
const isColour = (value: string | null): value is Label["colour"] => colours.some((one) => one === value);

/** The company's labels: each is edited where it stands. */
export function LabelEditor({ labels }: { labels: Label[] }) {
  return (
    <ul className="labels">
      {labels.map((label) => <Row key={label.id} label={label} />)}
      <New taken={labels.length} />
    </ul>
  );
}

function useRefresh() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: ["conversations"] });
}

function Row({ label }: { label: Label }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const [name, setName] = useState(label.name);
  const [sure, setSure] = useState(false);
  const save = useMutation({ mutationFn: updateLabel, onSuccess: refresh });
  const drop = useMutation({ mutationFn: deleteLabel, onSuccess: refresh, onError: (error) => toastError(error, t) });
  return (
    <li>
      <Colour label={label} onChange={(colour) => save.mutate({ ...label, colour })} />
      <TextInput aria-label={t("labels.name")} value={name} maxLength={40} error={save.isError && describeError(save.error, t)} onChange={(e) => setName(e.currentTarget.value)}
        onBlur={() => { if (name.trim() !== label.name && name.trim() !== "") save.mutate({ ...label, name: name.trim() }); }} />
      {sure ? <Button color="red.9" h={36} loading={drop.isPending} onClick={() => drop.mutate(label.id)}>{t("labels.deleteSure")}</Button> : (
        <Tooltip label={t("common.delete")}><ActionIcon size={36} aria-label={t("labels.delete", { name: label.name })} onClick={() => setSure(true)}><IconTrash size={16} /></ActionIcon></Tooltip>
      )}
    </li>
  );
}

function Colour({ label, onChange }: { label: Label; onChange: (colour: Label["colour"]) => void }) {
  const { t } = useTranslation();
  return (
    <Select aria-label={t("labels.colour")} w={124} allowDeselect={false} leftSection={<ColourDot label={label} />} data={colours.map((one) => ({ value: one, label: t(`labels.colours.${one}`) }))} value={label.colour}
      onChange={(value) => { if (isColour(value)) onChange(value); }} />
  );
}

function New({ taken }: { taken: number }) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const [label, setLabel] = useState<Label>({ id: "", name: "", colour: colours[(taken + 6) % colours.length] ?? "blue" });
  const add = useMutation({ mutationFn: createLabel, onSuccess: () => { setLabel({ ...label, name: "" }); return refresh(); } });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (label.name.trim() !== "") add.mutate({ name: label.name.trim(), colour: label.colour });
  };
  return (
    <li>
      <form onSubmit={submit}>
        <Colour label={label} onChange={(colour) => setLabel({ ...label, colour })} />
        <TextInput aria-label={t("labels.new")} placeholder={t("labels.new")} maxLength={40} value={label.name} error={add.isError && describeError(add.error, t)} onChange={(e) => setLabel({ ...label, name: e.currentTarget.value })} />
        <Button type="submit" variant="default" h={36} leftSection={<IconPlus size={15} />} loading={add.isPending} disabled={label.name.trim() === ""}>{t("labels.add")}</Button>
      </form>
    </li>
  );
}
