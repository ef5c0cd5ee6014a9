// What the walks through the running program share.
import { expect, type Page } from "@playwright/test";

// read when a test runs: e2e/start.ts may set them first
export const sandbox = () => process.env.OMNIDESK_SANDBOX_URL ?? "http://localhost:8090";
export const stamp = Date.now().toString(36); // runs on the same data do not meet

export function need(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`set ${name}, and OMNIDESK_URL, or OMNIDESK_TEST_BINARY to start a program`);
  return value;
}

export async function signIn(page: Page, email: string, password: string) {
  await page.goto(new URL("/login", need("OMNIDESK_URL")).href);
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** The demo company's admin, whose campaigns may go at any hour. */
export async function logIn(page: Page) {
  await signIn(page, need("OMNIDESK_E2E_EMAIL"), need("OMNIDESK_E2E_PASSWORD"));
  await expect(page.getByRole("link", { name: "Campaigns", exact: true })).toBeVisible();
  await anyHour(page);
}

/** Whoever is signed in may send at any hour, so that a walk goes by night as by day. */
export async function anyHour(page: Page) {
  const settings = (await (await page.request.get("/api/v1/company")).json()) as Record<string, string>;
  const put = await page.request.put("/api/v1/company", { data: { ...settings, window_from: "00:00", window_until: "24:00" } });
  expect(put.ok(), await put.text()).toBe(true);
}

/** The first number, unless the form has chosen the only one. */
export async function chooseConnection(page: Page) {
  const connection = page.getByRole("combobox", { name: "Connection" });
  if ((await connection.inputValue()) !== "") return;
  await connection.click();
  await page.getByRole("option").first().click();
}

/** Rows of a CSV file: made-up people of one area, every second with a first name. */
export const rowsOf = (n: number, area: number) => Array.from({ length: n }, (_, k) => `+5511${area}${String(k).padStart(6, "0")},Pessoa ${k},${k % 2 === 0 ? "Bia" : ""},Campinas`);

/** Imports n contacts with a tag of their own; one row more is unfit. */
export async function importContacts(page: Page, tag: string, n: number, area: number) {
  const csv = ["phone,name,first_name,city", ...rowsOf(n, area), "not a number,Nobody,,"].join("\n");
  await page.goto("/contacts/imports/new");
  await page.locator("input[type=file]").setInputFiles({ name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
  await expect(page.getByRole("combobox", { name: "phone: Holds" })).toHaveValue("Phone", { timeout: 30_000 });
  await page.getByRole("combobox", { name: "Tags for every contact" }).fill(tag);
  await page.keyboard.press("Enter");
  await expect(page.locator("[data-preview=refused]")).toContainText("1", { timeout: 30_000 });
  await page.getByRole("button", { name: `Add ${n} contacts` }).click();
  await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 30_000 });
  await expect(page.locator("[data-sum=added]")).toContainText(String(n));
  await expect(page.locator("[data-sum=refused]")).toContainText("1");
}

/** Starts the draft that is open, after the summary. */
export async function start(page: Page, sentence: RegExp) {
  await page.getByRole("button", { name: /^(Start|Schedule)/ }).click();
  await expect(page.getByRole("dialog")).toContainText(sentence);
  await page.getByRole("dialog").getByRole("button", { name: /^(Start|Schedule)/ }).click();
}

/** A campaign with this name from the form to its start, to everybody with the tag. */
export async function startCampaign(page: Page, name: string, tag: string, people: number) {
  await page.goto("/campaigns/new");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await chooseConnection(page);
  await page.getByRole("combobox", { name: "Template" }).click();
  await page.getByRole("option", { name: /welcome_note.*en_US/ }).click();
  await page.getByLabel("Parameter 1", { exact: true }).fill("{{first_name|friend}}");
  await page.getByLabel("Contacts with any of these tags").check();
  await page.getByRole("combobox", { name: "Tags" }).fill(tag);
  await page.getByRole("option", { name: tag }).click();
  await page.keyboard.press("Escape");
  await expect(page.locator("[data-recipients]")).toHaveText(String(people));
  await start(page, new RegExp(`${people} people get this from`));
  await expect(page.getByRole("heading", { name })).toBeVisible();
}

const tile = (page: Page, state: string) => page.locator(`[data-state=${state}] .n`);
export const count = async (page: Page, state: string) => Number((await tile(page, state).innerText()).replaceAll(",", ""));
