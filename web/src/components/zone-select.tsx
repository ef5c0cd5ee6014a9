import { Group, Select, type SelectProps } from "@mantine/core";
import { useMemo } from "react";
import { useNow } from "./small";

/** All IANA zones, searchable by city, each with its clock. */
export function ZoneSelect(props: Omit<SelectProps, "data" | "searchable" | "renderOption">) {
  const now = useNow(30_000);
  const zones = useMemo(() => [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])].map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") })), []);
  return (
    <Select
      {...props} searchable data={zones} limit={60}
      renderOption={({ option }) => <Group justify="space-between" gap="sm" wrap="nowrap" style={{ width: "100%" }}><span className="clip">{option.label}</span><span className="quiet num">{clockIn(option.value, now)}</span></Group>}
      rightSectionWidth={props.value ? 64 : undefined}
      rightSection={props.value ? <span className="quiet num" style={{ fontSize: 12 }}>{clockIn(props.value, now)}</span> : undefined}
    />
  );
}

/** The time of day in a zone, such as 14:20; a dash for a zone this browser does not know. */
export function clockIn(zone: string, now: Date): string {
  try {
    return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(now);
  } catch {
    return "–";
  }
}
