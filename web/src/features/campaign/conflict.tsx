import { Alert, Button, Group, Modal, Table, Text } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { IconUsers } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Campaign } from "../../api/types";
import { useNow } from "../../components/small";
import { formatAgo } from "../../lib/format";
import { type Draft, differences, toDraft } from "./draft";

interface Props {
  theirs: Campaign;
  form: UseFormReturnType<Draft>;
  zone: string;
  /** a value of a field as people read it */
  read: (field: keyof Draft, draft: Draft) => string;
  onTake: () => void;
  onKeep: () => void;
}

/** Tells the later of two writers, keeps what they typed, and lets them choose. */
export function Conflict({ theirs, form, zone, read, onTake, onKeep }: Props) {
  const { t } = useTranslation();
  const now = useNow(10_000);
  const [comparing, setComparing] = useState(false);
  const other = toDraft(theirs, zone);
  const fields = differences(form.values, other);
  const who = theirs.changed_by === "" ? t("conflict.somebody") : theirs.changed_by;
  const ago = theirs.changed_at == null ? "" : formatAgo(theirs.changed_at, now);
  if (theirs.state !== "draft") {
    return (
      <Alert color="yellow" variant="light" icon={<IconUsers size={18} />} mb="md" role="alert">
        {t("conflict.started")} <Link className="text" to="/campaigns/$id" params={{ id: theirs.id }} search={{}}>{t("conflict.open")}</Link>
      </Alert>
    );
  }
  return (
    <Alert color="yellow" variant="light" icon={<IconUsers size={18} />} mb="md" role="alert" title={t("conflict.title", { who, ago })}>
      {t("conflict.kept")}
      <Group gap="xs" mt={10}>
        <Button variant="default" onClick={() => setComparing(true)}>{t("conflict.compare", { count: fields.length })}</Button>
        <Button variant="default" onClick={onKeep}>{t("conflict.keep")}</Button>
        <Button variant="default" onClick={onTake}>{t("conflict.take")}</Button>
      </Group>
      <Modal opened={comparing} onClose={() => setComparing(false)} size="lg" title={<Text fw={600}>{t("conflict.compareTitle")}</Text>}>
        <Table verticalSpacing={8}>
          <Table.Thead><Table.Tr><Table.Th w={110} /><Table.Th>{t("conflict.yours")}</Table.Th><Table.Th>{who}</Table.Th><Table.Th w={70} /></Table.Tr></Table.Thead>
          <Table.Tbody>
            {fields.map((field) => (
              <Table.Tr key={field}>
                <Table.Td className="quiet">{t(`conflict.field.${field}`)}</Table.Td>
                <Table.Td className="wrap">{read(field, form.values)}</Table.Td>
                <Table.Td className="wrap">{read(field, other)}</Table.Td>
                <Table.Td><Button size="compact-xs" variant="default" onClick={() => form.setFieldValue(field, other[field])}>{t("conflict.takeOne")}</Button></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        {fields.length === 0 && <Text c="dimmed">{t("conflict.same")}</Text>}
      </Modal>
    </Alert>
  );
}
