// Looks at every page at two widths in both schemes, with the API answered from fixtures. The pictures land in
// e2e/screens/. Each page must also fit its width, log no error, break no rule of the Content-Security-Policy and none
// of WCAG AA that axe can see.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import * as accounts from "./fixtures/accounts";
import * as data from "./fixtures/data";
import { mock, type Scene } from "./fixtures/mock";
import { beginner } from "./fixtures/settings";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds against WCAG 2.1 A and AA: the rule, then each place with the reason. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe); // evaluated by the browser's own door, which the page's policy does not bind
  return page.evaluate(async () => {
    interface Axe { run(options: object): Promise<{ violations: { id: string; nodes: { target: string[]; failureSummary?: string }[] }[] }> }
    const { violations } = await (window as unknown as { axe: Axe }).axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
    return violations.flatMap((v) => v.nodes.map((node) => `${v.id} at ${node.target.join(" ")}: ${node.failureSummary?.split("\n").slice(1).join(" ").trim() ?? ""}`));
  });
}

const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

interface Shot extends Scene {
  name: string;
  path: string;
  /** text that says the page is there */
  ready: string | RegExp;
  act?: (page: Page) => Promise<void>;
  status?: number;
}

const shots: Shot[] = [
  { name: "login", path: "/login", me: null, ready: "Log in to OmniDesk" },
  { name: "login-wrong", path: "/login", me: null, ready: "Log in to OmniDesk", status: 401, act: async (page) => {
    await page.getByLabel("E-mail").fill("helena@aurora.example");
    await page.getByRole("textbox", { name: "Password" }).fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await expect(page.getByRole("alert")).toContainText("wrong");
  } },
  { name: "password", path: "/password", ready: "one-time password", me: { ...data.me, user: { ...data.me.user, must_change_password: true } } },
  { name: "signup", path: "/signup", me: null, ready: "Make a company of your own" },
  { name: "signup-refused", path: "/signup", me: null, refuse: true, status: 422, ready: "Make a company of your own", act: async (page) => {
    await page.getByLabel("Company name").fill("Aurora Móveis");
    await page.getByRole("button", { name: "Sign up" }).click();
    await expect(page.getByText("at least 12 characters.")).toBeVisible();
    await expect(page.getByLabel("Company name")).toHaveValue("Aurora Móveis");
  } },
  { name: "signup-sent", path: "/signup", me: null, ready: "Make a company of your own", act: async (page) => {
    await page.getByLabel("E-mail").fill("helena@aurora.example");
    await page.getByRole("button", { name: "Sign up" }).click();
    await expect(page.getByRole("status")).toContainText("helena@aurora.example");
  } },
  { name: "verify-wait", path: "/", me: accounts.newcomer, ready: "Send the mail again" },
  { name: "contacts-import", path: `/contacts?import=${data.imports[0]?.id ?? ""}&outcome=added`, ready: "Added by" },
  { name: "verify-used", path: "/verify#abc", me: accounts.newcomer, status: 410, ready: "You sign in as", act: async (page) => {
    await page.getByRole("button", { name: "Confirm the address" }).click();
    await expect(page.getByRole("alert")).toContainText("used already");
  } },
  { name: "forgot", path: "/forgot", me: null, ready: "Send the link" },
  { name: "reset-used", path: "/reset#abc", me: null, status: 410, ready: "Set the password", act: async (page) => {
    await page.getByRole("textbox", { name: "New password" }).fill("a long enough phrase");
    await page.getByRole("button", { name: "Set the password" }).click();
    await expect(page.getByRole("link", { name: "Have a new link sent" })).toBeVisible();
  } },
  { name: "invitation", path: "/invitation#abc", me: null, ready: "Join Aurora Móveis" },
  { name: "invitation-used", path: "/invitation#abc", me: null, empty: true, status: 410, ready: "used already" },
  { name: "people", path: "/settings/people", ready: "Rodrigo Alves" },
  { name: "people-remove", path: "/settings/people", ready: "Rodrigo Alves", act: async (page) => {
    await page.getByRole("button", { name: "What to do with Caio Martins" }).click();
    await page.getByRole("menuitem", { name: "Remove from the company" }).click();
    await expect(page.getByRole("dialog")).toContainText("signed out at once");
  } },
  { name: "people-invite", path: "/settings/people", ready: "Rodrigo Alves", status: 422, act: async (page) => {
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByRole("dialog").getByLabel("E-mail").fill("marina@aurora.example");
    await page.getByRole("dialog").getByRole("button", { name: "Send the invitation" }).click();
    await expect(page.getByText("invited already")).toBeVisible();
  } },
  { name: "departments", path: "/settings/departments", ready: "Nobody is in it yet" },
  { name: "departments-empty", path: "/settings/departments", empty: true, ready: "A department joins people" },
  { name: "department-refused", path: "/settings/departments", ready: "Nobody is in it yet", status: 422, act: async (page) => {
    await page.getByRole("button", { name: "Add department" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Sales");
    await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
    await expect(page.getByText("of this name already")).toBeVisible();
    await expect(page.getByRole("dialog").getByLabel("Name")).toHaveValue("Sales");
  } },
  { name: "department-edit", path: "/settings/departments", ready: "Nobody is in it yet", act: async (page) => {
    await page.getByRole("button", { name: "What to do with Sales" }).click();
    await page.getByRole("menuitem", { name: "Change" }).click();
    await expect(page.getByRole("dialog")).toContainText("Rodrigo Alves");
  } },
  { name: "department-used", path: "/settings/departments", ready: "Nobody is in it yet", act: async (page) => {
    await page.getByRole("button", { name: "What to do with Sales" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await expect(page.getByRole("dialog")).toContainText("It has connections");
  } },
  { name: "roles", path: "/settings/roles", ready: "Start a campaign" },
  { name: "user-home", path: "/", me: accounts.agent, ready: "Ana Beatriz Souza" },
  { name: "user-contact", path: `/contacts/${data.contacts[0]?.id ?? ""}`, me: accounts.agent, ready: "Came with the import" },
  { name: "user-connection", path: `/connections/${data.connections[0]?.id}`, me: accounts.agent, ready: "Meta accepts this connection" },
  { name: "user-notifications", path: "/notifications", me: accounts.agent, ready: "sends nothing" },
  { name: "connection-messages", path: `/connections/${data.connections[0]?.id}/messages`, ready: "Sales" },
  { name: "user-connections-empty", path: "/connections", me: accounts.agent, empty: true, ready: "No connection is for you yet" },
  { name: "user-templates", path: "/templates", me: accounts.agent, ready: "promo_offer" },
  { name: "you", path: "/settings/you", ready: "Safari on iPhone" },
  { name: "platform", path: "/platform", me: data.superadmin, ready: "Several versions" },
  { name: "platform-drained", path: "/platform", me: data.superadmin, drained: true, ready: "safe to stop all processes" },
  { name: "platform-drain", path: "/platform", me: data.superadmin, ready: "Several versions", act: async (page) => {
    await page.getByRole("button", { name: "Drain…" }).click();
    await expect(page.getByRole("dialog")).toContainText("until you resume");
  } },
  { name: "platform-superadmin", path: "/platform", me: data.superadmin, ready: "Ingrid Solheim", act: async (page) => {
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Inês");
    await page.getByRole("dialog").getByLabel("E-mail").fill("ines@omnidesk.example");
    await page.getByRole("button", { name: "Add them" }).click();
    await expect(page.getByRole("dialog")).toContainText("shown only now");
  } },
  { name: "notifications", path: "/notifications", ready: "is paused because" },
  { name: "notifications-empty", path: "/notifications", empty: true, ready: "Here you hear" },
  { name: "notifications-settings", path: "/settings/notifications", ready: "A campaign finishes" },
  { name: "bell", path: "/campaigns", ready: data.running.name, act: async (page) => {
    if ((page.viewportSize()?.width ?? 0) < 720) {
      await page.getByRole("button", { name: /More/ }).click();
      await expect(page.getByRole("menuitem", { name: /Notifications/ })).toBeVisible();
      return;
    }
    await page.getByRole("button", { name: /Notifications.*3 unread/ }).click();
    await expect(page.getByRole("dialog")).toContainText("See all");
  } },
  { name: "companies", path: "/companies", me: { ...data.superadmin, company: undefined }, ready: "Kopi Nusantara" },
  { name: "dashboard", path: "/", ready: "Meta refuses the access token" },
  { name: "dashboard-away", path: "/", away: true, ready: "workflow engine can't be reached" },
  { name: "demo-remove", path: "/", ready: "Needs a person", act: async (page) => {
    await page.getByRole("button", { name: "Demo company" }).filter({ visible: true }).click();
    await expect(page.getByRole("dialog")).toContainText("gone for good");
  } },
  { name: "dashboard-month", path: "/?range=30d&show=failed", ready: "Failed per day", me: data.superadmin },
  { name: "dashboard-empty", path: "/", empty: true, ready: "All quiet" },
  { name: "dashboard-broken", path: "/", broken: true, ready: "The database does not answer", status: 503 },
  { name: "dashboard-custom", path: "/?range=7d", ready: "Sent per day", act: async (page) => {
    await page.getByRole("button", { name: "Custom" }).click();
    await page.getByLabel("First day").fill("2026-11-20");
    await page.getByLabel("Last day").fill("2026-11-01");
    await page.getByRole("button", { name: "Show" }).click();
    await expect(page.getByText("Choose a day on or after the first.")).toBeVisible();
    await expect(page.getByLabel("First day")).toHaveValue("2026-11-20");
  } },
  { name: "inbox", path: "/inbox", ready: "Voice message" },
  { name: "inbox-thread", path: `/inbox?open=${data.id(700)}`, ready: "On Saturdays until noon.", act: async (page) => {
    await expect(page.getByRole("log").getByText("On Saturdays until noon.")).toHaveCount(1);
    await expect(page.getByRole("log").getByText("Deleted by the contact")).toHaveCount(1);
  } },
  { name: "inbox-note", path: `/inbox?open=${data.id(701)}`, ready: "On Saturdays until noon.", act: async (page) => {
    await page.getByText("Note", { exact: true }).click();
    await page.getByLabel("Write a note for colleagues").fill("Ask the carrier again tomorrow.");
  } },
  { name: "inbox-snooze", path: `/inbox?open=${data.id(701)}`, ready: "On Saturdays until noon.", act: async (page) => {
    await page.getByRole("button", { name: "Snooze" }).click();
    await page.getByText("Until the contact writes").waitFor();
  } },
  { name: "inbox-start", path: "/inbox", ready: "Voice message", act: async (page) => {
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.getByLabel("Whom do you want to write to?").fill("+55 11 98888-7777");
    await page.getByText("Write to +55 11 98888-7777").click();
    await page.getByText("takes templates only").waitFor();
  } },
  { name: "settings-labels", path: "/settings/labels", ready: "Agents put labels" },
  { name: "inbox-refused", path: `/inbox?open=${data.id(700)}`, status: 409, ready: "On Saturdays until noon.", act: async (page) => {
    await page.getByLabel("Write an answer").fill("Até sábado!");
    await page.getByLabel("Write an answer").press("Enter");
    await expect(page.getByText("The text is back in the box.")).toBeVisible();
    await expect(page.getByLabel("Write an answer")).toHaveValue("Até sábado!");
  } },
  { name: "inbox-shut", path: `/inbox?open=${data.id(706)}`, ready: "takes templates only" },
  { name: "inbox-template", path: `/inbox?open=${data.id(706)}`, ready: "takes templates only", act: async (page) => {
    await page.getByRole("button", { name: "Send a template" }).click();
    await expect(page.getByRole("dialog").getByText("takes templates only")).toBeVisible();
  } },
  { name: "contact-merge", path: `/contacts/${data.contacts[0]?.id ?? ""}`, ready: "Came with the import", act: async (page) => {
    await page.getByRole("button", { name: "Merge" }).click();
    await page.getByLabel(/Who is the same person/).fill("jo");
    await page.getByRole("dialog").getByRole("button", { name: /João Pedro Lima/ }).click();
    await expect(page.getByText("Becomes a part of it")).toBeVisible();
  } },
  { name: "inbox-empty", path: "/inbox", empty: true, ready: "What contacts write to your numbers" },
  { name: "uncertain", path: "/uncertain", ready: "may have arrived or not", act: async (page) => {
    await page.getByRole("checkbox").nth(1).check();
    await expect(page.getByText("1 chosen")).toBeVisible();
  } },
  { name: "uncertain-ask", path: "/uncertain", ready: "may have arrived or not", act: async (page) => {
    await page.getByRole("button", { name: "Choose all that are shown" }).click();
    await page.getByRole("button", { name: "Send again" }).click();
    await expect(page.getByRole("dialog")).toContainText("may get them twice");
  } },
  { name: "audit", path: "/audit", ready: "Delete a contact" },
  { name: "audit-line", path: "/audit", ready: "Delete a contact", act: async (page) => {
    await page.getByText("Pause a campaign").first().click();
    await expect(page.getByRole("dialog")).toContainText("2001:db8");
  } },
  { name: "audit-empty", path: "/audit", empty: true, ready: "Each change that somebody makes" },
  { name: "uncertain-empty", path: "/uncertain", empty: true, ready: "wait here until" },
  { name: "events", path: "/events", ready: "could not be taken in", act: async (page) => {
    await page.getByRole("checkbox").nth(1).check();
    await expect(page.getByText("1 chosen")).toBeVisible();
  } },
  { name: "events-replay", path: "/events", ready: "could not be taken in", act: async (page) => {
    await page.getByRole("button", { name: "Choose all that are shown" }).click();
    await page.getByRole("button", { name: "Replay" }).click();
    await expect(page.getByText("1 is still parked; look at its reason.")).toBeVisible();
  } },
  { name: "events-taken", path: "/events?state=taken", ready: "Taken in whole" },
  { name: "events-empty", path: "/events", empty: true, ready: "wait here, with the reason" },
  { name: "health", path: "/health", ready: "Everything works" },
  { name: "health-trouble", path: "/health", me: data.superadmin, ready: "6 things need a look" },
  { name: "health-restored", path: "/health", restored: true, ready: "Restored database" },
  { name: "health-release", path: "/health", restored: true, ready: "Restored database", act: async (page) => {
    await page.getByRole("button", { name: "Release…" }).click();
    await expect(page.getByRole("radio", { name: "A person judges it" })).toBeChecked();
  } },
  { name: "health-broken", path: "/health", broken: true, ready: "The database does not answer", status: 503 },
  { name: "campaigns", path: "/campaigns", ready: data.running.name },
  { name: "campaign-stopped", path: `/campaigns/${data.stopped.id}`, ready: "Paused because of the provider's answer." },
  { name: "connection-held", path: `/connections/${data.connections[0]?.id}`, held: true, ready: "Nothing is sent on this connection now" },
  { name: "campaigns-filter", path: "/campaigns?state=paused", ready: data.paused.name },
  { name: "campaigns-empty", path: "/campaigns", empty: true, ready: "A campaign sends one message" },
  { name: "campaigns-broken", path: "/campaigns", broken: true, ready: "The database does not answer", status: 503 },
  { name: "campaign-new", path: "/campaigns/new", ready: "As soon as I start it" },
  { name: "campaign-new-errors", path: "/campaigns/new", ready: "As soon as I start it", act: async (page) => {
    await page.getByRole("button", { name: "Start…" }).click();
    await expect(page.getByText("Fill this in.").first()).toBeVisible();
  } },
  { name: "campaign-templates", path: "/campaigns/new", ready: "As soon as I start it", act: async (page) => {
    await page.getByRole("combobox", { name: "Connection" }).click();
    await page.getByRole("option", { name: /^Sales/ }).click();
    await page.getByRole("combobox", { name: "Template" }).click();
    await expect(page.getByText("still reviewing it")).toBeVisible();
  } },
  { name: "campaign-edit", path: `/campaigns/${data.draft.id}/edit`, ready: "contacts get it" },
  { name: "campaign-segment", path: `/campaigns/${data.draft.id}/edit`, ready: "contacts get it", act: async (page) => {
    await page.getByLabel("Contacts in a segment").check();
    await page.getByRole("combobox", { name: "Segment" }).click();
    await page.getByRole("option", { name: /VIP abroad/ }).click();
    await page.getByLabel("At a set time").check();
    await page.getByLabel("Start", { exact: true }).fill("2026-11-26T09:00");
    await page.getByRole("button", { name: "Next contact" }).click();
    await expect(page.getByRole("region", { name: "Preview" })).toContainText("Rafael Teixeira");
  } },
  { name: "campaign-start", path: `/campaigns/${data.draft.id}/edit`, ready: "contacts get it", act: async (page) => {
    await page.getByRole("button", { name: /^Start: / }).click();
    await expect(page.getByRole("dialog")).toContainText("2,304 people get this from Sales");
    await expect(page.getByRole("dialog")).toContainText("between 07:00 and 21:00 where they are");
  } },
  { name: "campaign-conflict", path: `/campaigns/${data.draft.id}/edit`, overtaken: true, ready: "contacts get it", status: 409, act: async (page) => {
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Wholesale price list, winter");
    await expect(page.getByText("Rodrigo Alves changed this draft")).toBeVisible();
    await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue("Wholesale price list, winter");
  } },
  { name: "campaign-compare", path: `/campaigns/${data.draft.id}/edit`, overtaken: true, ready: "contacts get it", status: 409, act: async (page) => {
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Wholesale price list, winter");
    await page.getByRole("button", { name: /Compare/ }).click();
    await expect(page.getByRole("dialog")).toContainText("Wholesale prices, December");
  } },
  { name: "campaign-edit-refused", path: `/campaigns/${data.draft.id}/edit`, refuse: true, ready: "contacts get it", status: 422, act: async (page) => {
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Spring collection");
    await expect(page.getByText("is taken by another campaign")).toBeVisible();
    await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue("Spring collection");
  } },
  { name: "campaign-running", path: `/campaigns/${data.running.id}`, me: data.superadmin, ready: "7.9/s" },
  { name: "campaign-waiting", path: `/campaigns/${data.waiting.id}`, ready: "The provider can't be reached" },
  { name: "campaign-failed", path: `/campaigns/${data.running.id}?state=failed`, ready: "Only failed messages" },
  { name: "campaign-message", path: `/campaigns/${data.running.id}?state=failed`, ready: "Only failed messages", act: async (page) => {
    await page.getByRole("row").nth(1).click();
    await expect(page.getByRole("dialog")).toContainText("131026");
  } },
  { name: "campaign-code", path: `/campaigns/${data.running.id}?state=failed&code=131049`, ready: "Only failed messages with code 131049" },
  { name: "campaign-course-table", path: `/campaigns/${data.finished.id}`, ready: "What went wrong", act: async (page) => {
    await page.getByRole("button", { name: "As a table" }).click();
    await expect(page.getByRole("columnheader", { name: "Delivered" })).toBeVisible();
  } },
  { name: "campaign-chart-keys", path: `/campaigns/${data.finished.id}`, ready: "What went wrong", act: async (page) => {
    await page.getByRole("slider").focus();
    for (let n = 0; n < 20; n++) await page.keyboard.press("ArrowRight");
    await expect(page.getByRole("slider")).toHaveAttribute("aria-valuetext", /sent, \d+ delivered/);
  } },
  { name: "campaign-again", path: `/campaigns/${data.finished.id}`, ready: "What went wrong", act: async (page) => {
    await page.getByRole("button", { name: "Send again…" }).click();
    await expect(page.getByRole("dialog")).toContainText("12 contacts");
  } },
  { name: "campaign-menu", path: `/campaigns/${data.running.id}?state=failed`, me: data.superadmin, ready: "Only failed messages", act: async (page) => {
    await page.locator("header").getByRole("button", { name: "More" }).click();
    await expect(page.getByRole("menuitem", { name: "Export what is shown as XLSX" })).toBeVisible();
  } },
  { name: "campaign-run", path: `/campaigns/${data.running.id}/run`, me: data.superadmin, ready: "What it did, newest first", act: async (page) => {
    await page.getByRole("button", { name: "Show older" }).click();
    await expect(page.getByText("Goes on from the run before")).toBeVisible();
    await page.evaluate(() => window.scrollTo(0, 0));
  } },
  { name: "campaign-run-unavailable", path: `/campaigns/${data.running.id}/run`, empty: true, ready: "Temporal does not answer" },
  { name: "connection-run", path: `/connections/${data.id(31)}/run`, ready: "What it did, newest first" },
  { name: "campaign-cancel", path: `/campaigns/${data.paused.id}`, ready: "Paused by", socketDown: true, act: async (page) => {
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect(page.getByRole("dialog")).toContainText("cannot be undone");
  } },
  { name: "campaign-paused", path: `/campaigns/${data.paused.id}`, ready: "Paused by" },
  { name: "campaign-finished", path: `/campaigns/${data.finished.id}`, ready: "Took" },
  { name: "campaign-draft", path: `/campaigns/${data.draft.id}`, ready: "This draft has not started" },
  { name: "contacts", path: "/contacts", ready: "Ana Beatriz Souza" },
  { name: "contacts-empty", path: "/contacts", empty: true, ready: "Contacts are the people" },
  { name: "contacts-search", path: "/contacts?q=zzz", ready: "Nobody fits" },
  { name: "contacts-selected", path: "/contacts", ready: "Ana Beatriz Souza", act: async (page) => {
    await page.getByRole("row").nth(1).getByRole("checkbox").check();
    await page.getByRole("row").nth(3).getByRole("checkbox").check();
    await expect(page.getByText("2 selected")).toBeVisible();
  } },
  { name: "contact", path: `/contacts/${data.contacts[0]?.id ?? ""}`, ready: "Came with the import" },
  { name: "contact-edit", path: `/contacts/${data.contacts[0]?.id ?? ""}`, ready: "Came with the import", status: 409, act: async (page) => {
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("dialog").getByLabel("Name", { exact: true }).first().fill("Ana Souza");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Somebody else was quicker")).toBeVisible();
    await expect(page.getByRole("dialog").getByLabel("Name", { exact: true }).first()).toHaveValue("Ana Souza");
  } },
  { name: "segments", path: "/contacts/segments", ready: "Regulars in Campinas" },
  { name: "segments-empty", path: "/contacts/segments", empty: true, ready: "A segment is a saved filter" },
  { name: "segment", path: `/contacts/segments?id=${data.id(72)}`, ready: "1,204 contacts" },
  { name: "segment-wrong", path: `/contacts/segments?id=${data.id(72)}`, ready: "1,204 contacts", status: 422, act: async (page) => {
    await page.getByRole("textbox", { name: "Who is in it" }).fill('tag:"vip" an');
    await expect(page.getByText("Join conditions by")).toBeVisible();
  } },
  { name: "imports", path: "/contacts/imports", ready: "clientes-novembro.csv" },
  { name: "imports-empty", path: "/contacts/imports", empty: true, ready: "An import brings contacts in" },
  { name: "import-new", path: "/contacts/imports/new", ready: "Drop a CSV file" },
  { name: "import-not-csv", path: "/contacts/imports/new", ready: "Drop a CSV file", status: 422, act: async (page) => {
    await page.locator("input[type=file]").setInputFiles({ name: "people.xlsx", mimeType: "text/csv", buffer: Buffer.from("PK") });
    await expect(page.getByRole("alert")).toContainText("CSV UTF-8");
  } },
  { name: "import-choose", path: `/contacts/imports/${data.id(400)}`, ready: "What will happen" },
  { name: "import-reading", path: `/contacts/imports/${data.id(404)}`, ready: "Reading the whole file" },
  { name: "import-running", path: `/contacts/imports/${data.id(401)}`, ready: "74,000 of 200,000" },
  { name: "import-finished", path: `/contacts/imports/${data.id(402)}`, ready: "Rows that were left out" },
  { name: "import-undo", path: `/contacts/imports/${data.id(402)}`, ready: "Rows that were left out", act: async (page) => {
    await page.getByRole("button", { name: "Undo import" }).click();
    await expect(page.getByRole("dialog")).toContainText("1,112 contacts that it added are deleted");
  } },
  { name: "import-undone", path: `/contacts/imports/${data.id(403)}`, ready: "Kept: in use" },
  { name: "contacts-filter", path: `/contacts?filter=${encodeURIComponent(JSON.stringify('tag:"wholesale" and not has city'))}`, ready: "Save as a segment" },
  { name: "segment-of-filter", path: `/contacts/segments?id=new&filter=${encodeURIComponent(JSON.stringify('tag:"wholesale" and not has city'))}`, ready: "1,204 contacts" },
  { name: "templates", path: "/templates", ready: "promo_offer" },
  { name: "templates-open", path: "/templates?template=promo_offer", ready: "promo_offer", act: async (page) => {
    await page.getByText("promo_offer").first().click();
    await expect(page.getByText("Ver os sofás").first()).toBeVisible();
  } },
  { name: "templates-empty", path: "/templates", empty: true, ready: "link a number first" },
  { name: "connections", path: "/connections", ready: "After-sales" },
  { name: "connections-empty", path: "/connections", empty: true, ready: "A connection is" },
  { name: "connection", path: `/connections/${data.id(31)}`, ready: "Meta accepts" },
  { name: "connection-limits", path: `/connections/${data.id(31)}`, ready: "Change limits", status: 422, act: async (page) => {
    await page.getByRole("button", { name: "Change limits" }).click();
    await page.getByLabel("Messages a minute").fill("0");
    await page.getByLabel("Messages day by day").fill("20, 40, 80, 160");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Write the first day").waitFor();
  } },
  { name: "connection-secret", path: `/connections/${data.id(31)}`, ready: "Meta accepts", act: async (page) => {
    await page.getByRole("button", { name: "Replace credentials" }).click();
    await page.getByRole("textbox", { name: "App secret" }).fill("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    await expect(page.getByText("does not know this app id")).toBeVisible();
    await page.getByText("Accept the previous app secret").evaluate((label) => label.scrollIntoView({ block: "center" }));
  } },
  { name: "connection-past", path: `/connections/${data.id(31)}`, ready: "Previous app secret", act: async (page) => {
    await page.getByText("Previous app secret").scrollIntoViewIfNeeded();
    await expect(page.getByRole("button", { name: "End now" })).toBeVisible();
  } },
  { name: "connection-past-ended", path: `/connections/${data.id(31)}`, ready: "Previous app secret", act: async (page) => {
    await page.getByRole("button", { name: "End now" }).click();
    await expect(page.getByText("are refused now")).toBeVisible();
    await expect(page.getByText("Previous app secret", { exact: true })).toHaveCount(0);
  } },
  { name: "connection-disabled", path: `/connections/${data.id(33)}`, ready: "nothing is sent on it" },
  { name: "connection-delete", path: `/connections/${data.id(31)}`, ready: "Meta accepts", act: async (page) => {
    await page.getByRole("button", { name: "Delete" }).click();
    await expect(page.getByRole("dialog")).toContainText("messages wait");
  } },
  { name: "connection-failing", path: `/connections/${data.id(32)}`, ready: "Meta refuses" },
  { name: "connection-new", path: "/connections/new", ready: "reaches nobody" },
  { name: "connection-new-meta", path: "/connections/new", ready: "reaches nobody", act: async (page) => {
    await page.getByText("WhatsApp Cloud API").click();
    await page.getByLabel("Phone number ID").fill("109283746501234");
    await expect(page.getByText("does not know this app id")).toBeVisible();
  } },
  { name: "settings", path: "/settings", ready: "Hours for campaigns" },
  { name: "settings-refused", path: "/settings", refuse: true, status: 422, ready: "Hours for campaigns", act: async (page) => {
    await page.getByLabel("From").fill("22:00");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("never opens")).toBeVisible();
    await expect(page.getByLabel("From")).toHaveValue("22:00");
  } },
  { name: "company-made", path: "/companies", me: { ...data.superadmin, company: undefined }, ready: "Kopi Nusantara", act: async (page) => {
    await page.getByRole("button", { name: "New company" }).click();
    await page.getByLabel("Company name").fill("Kopi Nusantara");
    await page.getByLabel("E-mail of its first admin").fill("siti@kopi.example");
    await page.getByRole("button", { name: "Make the company" }).click();
    await expect(page.getByRole("dialog")).toContainText("shown only now");
  } },
  { name: "welcome", path: "/welcome?step=company", me: beginner, ready: "Save and go on" },
  { name: "welcome-test", path: "/welcome?step=test", me: beginner, ready: "Send the test" },
  { name: "welcome-import", path: "/welcome", me: beginner, ready: "What will happen" },
  { name: "welcome-import-new", path: "/welcome?step=import", empty: true, me: beginner, ready: "Take a sample" },
  { name: "welcome-campaign", path: "/welcome?step=campaign", night: true, me: beginner, ready: "Open it to change it" },
  { name: "resume", path: "/connections", me: beginner, ready: "Go on with the first steps" },
  { name: "not-found", path: "/nowhere", ready: "nothing at this address" },
  { name: "keys", path: "/campaigns", ready: data.running.name, act: async (page) => {
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog")).toContainText("Keyboard shortcuts");
  } },
  { name: "campaigns-loading", path: "/campaigns", pending: true, ready: "All" },
  { name: "dashboard-loading", path: "/", pending: true, ready: "Needs a person" },
  { name: "menu", path: "/campaigns", me: data.superadmin, ready: data.running.name, act: async (page) => {
    const phone = (page.viewportSize()?.width ?? 0) < 720;
    await page.getByRole("button", { name: phone ? "More" : /^Account: / }).click();
    await expect(page.getByText("System")).toBeVisible();
  } },
];

for (const scheme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(sizes)) {
    test.describe(`${size} ${scheme}`, () => {
      test.use({ viewport, colorScheme: scheme });
      for (const shot of shots) {
        test(shot.name, async ({ page }) => {
          const complaints: string[] = [];
          page.on("console", (message) => {
            if (message.type() !== "error") return;
            const expected = shot.status !== undefined && message.text().includes(`status of ${shot.status}`);
            if (!expected && !(shot.me === null && message.text().includes("401")) && shot.socketDown !== true) complaints.push(message.text());
          });
          page.on("pageerror", (error) => complaints.push(error.message));
          await mock(page, shot);
          await page.goto(shot.path);
          await expect(page.getByText(shot.ready).filter({ visible: true }).first()).toBeVisible();
          await shot.act?.(page);
          await page.evaluate(() => document.fonts.ready);
          await page.screenshot({ path: `e2e/screens/${shot.name}-${size}-${scheme}.png`, animations: "disabled" });
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect(overflow, "the page is wider than the window").toBeLessThanOrEqual(0);
          expect(complaints).toEqual([]);
          await expect(page.locator(".stale")).toHaveCount(0);
          if ((size === "wide") === (scheme === "light")) expect(await violations(page)).toEqual([]); // each size and each scheme once
        });
      }
    });
  }
}
