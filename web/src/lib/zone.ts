// Clock times of a zone other than the browser's, to and from instants.

const minute = 60_000;
const day = 24 * 60 * minute;

/** What the clocks of the zone show at an instant, as if it were UTC. */
function wall(at: number, zone: string): number {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" })
      .formatToParts(at).map((part) => [part.type, Number(part.value)]),
  );
  return Date.UTC(parts.year ?? 0, (parts.month ?? 1) - 1, parts.day, parts.hour, parts.minute, parts.second);
}

/** The value of an <input type="datetime-local"> for an instant, by the clocks of the zone; "" for none. */
export function toZonedInput(at: string | null | undefined, zone: string): string {
  return at === null || at === undefined || at === "" ? "" : new Date(wall(new Date(at).getTime(), zone)).toISOString().slice(0, 16);
}

export interface ZonedInstant {
  at: string;
  /** skipped: the clocks go forward over that time, it counts as so much later. twice: they go back, the first one counts. */
  clock: "plain" | "skipped" | "twice";
}

/** The instant at which the clocks of the zone show an input's value; null for "" or an unfit one. */
export function fromZonedInput(value: string, zone: string): ZonedInstant | null {
  const shown = Date.parse(`${value}Z`);
  if (value === "" || Number.isNaN(shown)) return null;
  const offset = (at: number) => wall(at, zone) - at;
  const candidates = [...new Set([shown - offset(shown - day), shown - offset(shown + day)])];
  const fitting = candidates.filter((at) => wall(at, zone) === shown);
  const at = fitting.length > 0 ? Math.min(...fitting) : (candidates[0] ?? shown);
  return { at: new Date(at).toISOString(), clock: fitting.length === 0 ? "skipped" : fitting.length > 1 ? "twice" : "plain" };
}

/** "America/Sao_Paulo" → "São Paulo" where the name is known to be written otherwise, else the last part. */
export function zoneCity(zone: string): string {
  const city = (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
  return city === "Sao Paulo" ? "São Paulo" : city;
}

/** "UTC−3" at an instant. */
export function zoneOffset(zone: string, at: Date): string {
  const name = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "shortOffset" }).formatToParts(at).find((part) => part.type === "timeZoneName")?.value ?? "UTC";
  return name.replace("GMT", "UTC").replace("-", "−");
}
