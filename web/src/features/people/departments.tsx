import { ActionIcon, Button, Group, Menu, Modal, MultiSelect, Stack, Text, TextInput } from "@mantine/core";
import { IconDots, IconUsersGroup } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Department, Person } from "../../api/types";
import { toastDone, toastError } from "../../components/errors";
import { LooseError, unfit } from "../account/card";
import { createDepartment, deleteDepartment, renameDepartment, setMembers } from "./queries";

export function DepartmentRow({ department, people }: { department: Department; people: Person[] }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<"edit" | "delete" | null>(null);
  const names = people.filter((p) => department.person_ids.includes(p.id)).map((p) => p.name);
  const close = () => setOpen(null);
  return (
    <li>
      <IconUsersGroup size={18} stroke={1.6} aria-hidden="true" />
      <div className="what">
        <div>{department.name}</div>
        <div className="quiet">{names.length === 0 ? t("department.nobody") : names.join(", ")}</div>
        <div className="quiet">{department.connections.length === 0 ? t("department.noConnections") : <>{t("department.connections")} <Connections of={department} /></>}</div>
      </div>
      <Menu position="bottom-end" width={160}>
        <Menu.Target><ActionIcon aria-label={t("department.menu", { name: department.name })}><IconDots size={16} /></ActionIcon></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setOpen("edit")}>{t("department.edit")}</Menu.Item>
          <Menu.Item color="red" onClick={() => setOpen("delete")}>{t("common.delete")}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={open === "edit"} onClose={close} title={<Text fw={600}>{department.name}</Text>} size="sm">
        {open === "edit" && <EditDepartment department={department} people={people} onDone={close} />}
      </Modal>
      <DeleteDepartment department={department} opened={open === "delete"} onClose={close} />
    </li>
  );
}

function Connections({ of }: { of: Department }) {
  return of.connections.map((c, n) => <span key={c.id}>{n > 0 && ", "}<Link className="text" to="/connections/$id" params={{ id: c.id }}>{c.name}</Link></span>);
}

/** Names a department, or renames it, and says who is in it. */
export function EditDepartment({ department, people, onDone }: { department?: Department; people: Person[]; onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [made, setMade] = useState(department?.id); // a second try after a half success adds no second one
  const [name, setName] = useState(department?.name ?? "");
  const [members, setMembersOf] = useState(department?.person_ids ?? []);
  const save = useMutation({
    mutationFn: async () => {
      let id = made;
      if (id === undefined) setMade(id = (await createDepartment(name.trim())).id);
      else if (name.trim() !== department?.name) await renameDepartment({ id, name: name.trim() });
      await setMembers({ id, people: members });
    },
    onSuccess: () => {
      toastDone(t(department === undefined ? "department.made" : "department.saved", { name: name.trim() }));
      onDone();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["people"] }),
  });
  const said = unfit(save.error, ["name", "person_ids"]).fields;
  function submit(event: FormEvent) {
    event.preventDefault();
    save.mutate();
  }
  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="sm">
        <LooseError error={save.error} fields={["name", "person_ids"]} />
        <TextInput label={t("department.name")} data-autofocus maxLength={100} value={name} error={said.name} onChange={(e) => setName(e.currentTarget.value)} />
        <MultiSelect label={t("department.members")} description={t("department.membersHint")} placeholder={members.length === 0 ? t("department.find") : undefined} searchable hidePickedOptions comboboxProps={{ withinPortal: true }}
          value={members} error={said.person_ids} onChange={setMembersOf} data={people.map((p) => ({ value: p.id, label: p.name }))} />
        <Group justify="flex-end"><Button type="submit" loading={save.isPending}>{t(department === undefined ? "department.create" : "common.save")}</Button></Group>
      </Stack>
    </form>
  );
}

function DeleteDepartment({ department, opened, onClose }: { department: Department; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteDepartment(department.id),
    onSuccess: () => toastDone(t("department.deleted", { name: department.name })),
    onError: (error) => toastError(error, t),
    onSettled: () => { onClose(); return queries.invalidateQueries({ queryKey: ["people"] }); },
  });
  const used = department.connections.length > 0;
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>{t("department.deleteTitle", { name: department.name })}</Text>} size="sm">
      {used ? <div>{t("department.inUse")} <Connections of={department} /></div> : <Text>{t("department.deleteAsk")}</Text>}
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" data-autofocus onClick={onClose}>{t(used ? "common.close" : "common.keep")}</Button>
        {!used && <Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>{t("common.delete")}</Button>}
      </Group>
    </Modal>
  );
}
