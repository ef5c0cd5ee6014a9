// Numbers and instants as people read them. Instants come in as RFC 3339 strings; "now" is a parameter.

const numbers = new Intl.NumberFormat("en");
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export function formatCount(n: number): string {
  return numbers.format(n);
}

/** "80/s", "4.2/s", "12/min" below one a second; "" when unknown or standing still. */
export function formatRate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined || perSecond <= 0) return "";
  if (perSecond < 0.95) return `${numbers.format(Math.max(1, Math.round(perSecond * 60)))}/min`;
  if (perSecond < 10) return `${numbers.format(Math.round(perSecond * 10) / 10)}/s`;
  return `${numbers.format(Math.round(perSecond))}/s`;
}

/** "45 s", "12 min", "3 h 5 min", "2 d 4 h": the two largest units that matter. Negative spans count as 0. */
export function formatSpan(ms: number): string {
  if (ms < 0) return "0 s";
  if (ms < 59_500) return `${Math.round(ms / 1000)} s`;
  if (ms < hour - minute / 2) return `${Math.round(ms / minute)} min`;
  const minutes = Math.round(ms / minute);
  if (minutes < 24 * 60) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(ms / hour);
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** The clock time, with the day unless it is today, and the year unless it is this one: "14:32", "Tue 24 Nov, 14:32". */
export function formatInstant(at: string, now: Date, zone?: string): string {
  const date = new Date(at);
  const clock = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
  const dayOf = (d: Date) => d.toLocaleDateString("en-CA", { timeZone: zone });
  if (dayOf(date) === dayOf(now)) return clock;
  const sameYear = dayOf(date).slice(0, 4) === dayOf(now).slice(0, 4);
  const label = date.toLocaleDateString("en-GB", {
    weekday: sameYear ? "short" : undefined,
    day: "numeric",
    month: "short",
    year: sameYear ? undefined : "numeric",
    timeZone: zone,
  });
  return `${label.replace(",", "").replace("Sept", "Sep")}, ${clock}`;
}

/** "just now", "5 min ago", "2 d 4 h ago". */
export function formatAgo(at: string, now: Date): string {
  const past = now.getTime() - new Date(at).getTime();
  return past < minute ? "just now" : `${formatSpan(past)} ago`;
}

/** "14:32:07", in the browser's zone. */
export function formatClock(at: string): string {
  return new Date(at).toLocaleTimeString("en-GB");
}

/** Full instant with seconds and zone, for titles and details. */
export function formatExact(at: string): string {
  return new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "long" });
}

/** "14:32, in 12 min"; once it has passed "any moment now", never a finish in the past. */
export function formatFinish(at: string, now: Date, zone?: string): string {
  const left = new Date(at).getTime() - now.getTime();
  if (left < 1_000) return "any moment now";
  return left > 2 * day ? formatInstant(at, now, zone) : `${formatInstant(at, now, zone)}, in ${formatSpan(left)}`;
}

/** A forecast, as exact as it can be: "14:32, in 12 min", "about 17:40, in 3 h 5 min", "tomorrow about 09:40". */
export function formatForecast(at: string, now: Date, zone?: string): string {
  const left = new Date(at).getTime() - now.getTime();
  if (left < hour) return formatFinish(at, now, zone);
  const round = new Date(Math.round(new Date(at).getTime() / (10 * minute)) * 10 * minute);
  const clock = round.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
  const dayOf = (d: Date) => d.toLocaleDateString("en-CA", { timeZone: zone });
  if (dayOf(round) === dayOf(now)) return `about ${clock}, in ${formatSpan(left)}`;
  if (dayOf(round) === dayOf(new Date(now.getTime() + day))) return `tomorrow about ${clock}`;
  return formatInstant(round.toISOString(), now, zone).replace(", ", " about ");
}

/** Value of an <input type="datetime-local"> in the browser's zone for an instant; "" for none. */
export function toLocalInput(at: string | null | undefined): string {
  if (at === null || at === undefined || at === "") return "";
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * minute).toISOString().slice(0, 16);
}

/** The instant of an <input type="datetime-local"> value in the browser's zone; null for "" or an unfit one. */
export function fromLocalInput(value: string): string | null {
  const date = new Date(value);
  return value === "" || Number.isNaN(date.getTime()) ? null : date.toISOString();
}
