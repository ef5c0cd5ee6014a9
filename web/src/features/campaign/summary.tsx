import { Button, Group, Modal, Text } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { Check } from "../../api/types";
import { formatCount, formatInstant } from "../../lib/format";
import { fromZonedInput, zoneCity } from "../../lib/zone";
import type { Draft } from "./draft";

/** "1,204 people get “Spring offer” from Sales on Tue 24 Nov, 09:00 (São Paulo)." */
export function summaryWords(draft: Draft, check: Check, connection: string, zone: string, now: Date, t: TFunction): string {
  const starts = draft.when === "at" ? fromZonedInput(draft.starts_at, zone) : null;
  const who = { count: check.recipients, n: formatCount(check.recipients), connection };
  return starts === null ? t("summary.now", who) : t("summary.at", { ...who, at: formatInstant(starts.at, now, zone), city: zoneCity(zone) });
}

interface Props {
  opened: boolean;
  onClose: () => void;
  draft: Draft;
  check: Check;
  connection: string;
  zone: string;
  /** when campaigns may reach people, on their own clocks; null: at any hour, or not known yet */
  hours: { from: string; until: string } | null;
  now: Date;
  starting: boolean;
  onStart: () => void;
}

/** The last look before a start. */
export function StartDialog({ opened, onClose, draft, check, connection, zone, hours, now, starting, onStart }: Props) {
  const { t } = useTranslation();
  const { skipped } = check;
  const left = skipped.opted_out + skipped.no_phone + skipped.window_shut;
  const ends = fromZonedInput(draft.expires_at, zone);
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>{draft.when === "at" ? t("summary.scheduleTitle") : t("summary.startTitle")}</Text>}>
      <Text data-summary>{summaryWords(draft, check, connection, zone, now, t)}</Text>
      {hours !== null && <Text c="dimmed" mt={6}>{t("summary.hours", hours)}</Text>}
      {left > 0 && <Text c="dimmed" mt={6}>{t("summary.left", { count: left, n: formatCount(left) })}</Text>}
      {ends !== null && <Text c="dimmed" mt={6}>{t("summary.ends", { at: formatInstant(ends.at, now, zone), city: zoneCity(zone) })}</Text>}
      {check.warnings.map((warning, index) => (
        <Text key={index} mt={6} style={{ color: "var(--warn)" }}>{t("check.contacts", { count: warning.count, n: formatCount(warning.count) })}: {warning.message}</Text>
      ))}
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" onClick={onClose}>{t("summary.notYet")}</Button>
        <Button data-autofocus leftSection={<IconPlayerPlay size={15} />} loading={starting} onClick={onStart}>
          {draft.when === "at" ? t("campaign.schedule") : t("campaign.startNow", { count: check.recipients, n: formatCount(check.recipients) })}
        </Button>
      </Group>
    </Modal>
  );
}
