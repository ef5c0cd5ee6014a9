export type View = (typeof views)[number];

/** What an inbox can show besides all that is open. */
export const views = ["mine", "unassigned", "snoozed", "closed", "all"] as const;

/** What is chosen in the inbox's address. */
export interface Chosen {
  view?: View;
  label?: string;
  department?: string;
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

export const readChosen = (search: Record<string, unknown>): Chosen & { open?: string } => ({
  view: views.find((view) => view === search.view), label: text(search.label), department: text(search.department), open: text(search.open),
});

/** As the API asks for it. */
export const toQuery = ({ view, label, department }: Chosen) => ({
  state: view === "snoozed" || view === "closed" || view === "all" ? view : ("open" as const),
  assignee: view === "mine" ? "me" : view === "unassigned" ? "none" : undefined,
  label_id: label, department_id: department,
});

/** When a snoozed conversation may come back, in the browser's zone: at most four instants, each still to come. */
export function wakeTimes(now: Date): { key: "hours" | "evening" | "tomorrow" | "monday"; at: Date }[] {
  const at = (days: number, hour: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
  const monday = ((8 - now.getDay()) % 7) || 7;
  return [
    { key: "hours" as const, at: new Date(now.getTime() + 3 * 3_600_000) },
    { key: "evening" as const, at: at(0, 18) },
    { key: "tomorrow" as const, at: at(1, 9) },
    { key: "monday" as const, at: at(monday, 9) },
  ].filter((one) => one.at > now);
}
