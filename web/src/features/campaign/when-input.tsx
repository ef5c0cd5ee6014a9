import { Group, Radio, Stack, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { formatInstant } from "../../lib/format";
import { fromZonedInput, zoneCity, zoneOffset } from "../../lib/zone";
import type { Draft } from "./draft";

/** When a campaign starts and ends, by the clocks of the company's zone. */
export function WhenInput({ form, zone }: { form: UseFormReturnType<Draft>; zone: string }) {
  const { t } = useTranslation();
  const { when, starts_at, expires_at } = form.values;
  return (
    <>
      <Radio.Group aria-label={t("form.when")} {...form.getInputProps("when")}>
        <Stack gap={8}>
          <Radio value="now" label={t("form.startNow")} />
          <Radio value="at" label={t("form.startAt")} />
        </Stack>
      </Radio.Group>
      <Group gap="sm" mt="sm" align="flex-start" grow preventGrowOverflow={false}>
        {when === "at" && <TextInput type="datetime-local" label={t("campaign.start")} description={clockWords(starts_at, zone, t)} inputWrapperOrder={order} {...form.getInputProps("starts_at")} />}
        <TextInput type="datetime-local" label={t("form.expires")} description={expires_at === "" ? t("form.expiresHint") : clockWords(expires_at, zone, t)} inputWrapperOrder={order} {...form.getInputProps("expires_at")} />
      </Group>
    </>
  );
}

const order: ("label" | "input" | "description" | "error")[] = ["label", "input", "description", "error"];

/** The zone, and what its change of clocks does to the chosen time. */
function clockWords(value: string, zone: string, t: TFunction): string {
  const chosen = fromZonedInput(value, zone);
  const place = t("form.inZone", { city: zoneCity(zone), offset: zoneOffset(zone, chosen === null ? new Date() : new Date(chosen.at)) });
  if (chosen === null || chosen.clock === "plain") return place;
  const at = formatInstant(chosen.at, new Date(chosen.at), zone);
  return `${place} · ${chosen.clock === "skipped" ? t("form.clockSkipped", { at }) : t("form.clockTwice")}`;
}
