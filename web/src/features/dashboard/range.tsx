import { Button, Group, Popover, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type DashboardSearch, exactly, ranges } from "./span";

/** Today, 7 days, 30 days, or days of one's own. */
export function RangeChips({ search, today }: { search: DashboardSearch; today: string }) {
  const { t } = useTranslation();
  const present = search.range ?? "today";
  return (
    <div className="ranges" role="group" aria-label={t("dashboard.range.label")}>
      {ranges.filter((r) => r !== "custom").map((range) => (
        <Link
          key={range} className={present === range ? "chip active" : "chip"} aria-current={present === range ? "true" : undefined} to="/" resetScroll={false} activeOptions={exactly}
          search={{ show: search.show, range: range === "today" ? undefined : range }}
        >
          {t(`dashboard.range.${range}`)}
        </Link>
      ))}
      <Custom key={`${search.from ?? ""}/${search.to ?? ""}`} search={search} today={today} />
    </div>
  );
}

function Custom({ search, today }: { search: DashboardSearch; today: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [from, setFrom] = useState(search.from ?? today);
  const [to, setTo] = useState(search.to ?? today);
  const [tried, setTried] = useState(false);
  const wrong = from === "" || to === "" ? t("form.missing") : to < from ? t("dashboard.range.order") : days(from, to) > 400 ? t("dashboard.range.long") : null;
  const label = search.range === "custom" && search.from !== undefined && search.to !== undefined ? `${short(search.from)} – ${short(search.to)}` : t("dashboard.range.custom");
  const apply = () => {
    setTried(true);
    if (wrong !== null) return;
    setOpen(false);
    void navigate({ to: "/", search: { show: search.show, range: "custom", from, to }, resetScroll: false });
  };
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" trapFocus>
      <Popover.Target>
        <button type="button" className={search.range === "custom" ? "chip active" : "chip"} aria-expanded={open} onClick={() => setOpen(!open)}>{label}</button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={(event) => { event.preventDefault(); apply(); }}>
          <Group gap="xs" align="flex-start" wrap="nowrap">
            <TextInput type="date" label={t("dashboard.range.from")} value={from} max={today} onChange={(event) => setFrom(event.currentTarget.value)} />
            <TextInput type="date" label={t("dashboard.range.to")} value={to} max={today} onChange={(event) => setTo(event.currentTarget.value)} error={tried ? wrong : null} />
          </Group>
          <Group justify="flex-end" mt="sm"><Button type="submit">{t("dashboard.range.apply")}</Button></Group>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

const days = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;
const short = (day: string) => new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }).replace("Sept", "Sep");
