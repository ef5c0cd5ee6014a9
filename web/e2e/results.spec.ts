// An import that is mapped and undone, a segment's campaign with its results, and what a lost connection to the server shows.
import { readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { chooseConnection, count, importContacts, logIn, rowsOf, sandbox, stamp, start } from "./walk";

test.use({ baseURL: process.env.OMNIDESK_URL });

test.beforeEach(async ({ page }) => {
  await logIn(page);
});

test("an import is mapped, previewed, run and undone", async ({ page }) => {
  const tag = `undo-${stamp}`;
  const rows = rowsOf(5, 986).map((row) => `${row},${tag}`);
  const csv = ["Celular;Quem;Apelido;Onde;Marca", ...[...rows, rows[0]].map((row) => row?.replaceAll(",", ";"))].join("\n");
  await page.goto("/contacts/imports/new");
  await page.locator("input[type=file]").setInputFiles({ name: "mapped.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
  const choose = async (column: string, field: string) => {
    await page.getByRole("combobox", { name: `${column}: Holds` }).click();
    await page.getByRole("option", { name: field, exact: true }).click();
  };
  await choose("Celular", "Phone");
  await choose("Quem", "Name");
  await choose("Apelido", "Leave out");
  await choose("Marca", "Tags");
  await expect(page.locator("[data-preview=new]")).toContainText("5", { timeout: 30_000 });
  await expect(page.locator("[data-preview=duplicates]")).toContainText("1");
  await page.getByRole("button", { name: "Add 5 contacts" }).click();
  await expect(page.locator("[data-sum=added]")).toContainText("5", { timeout: 30_000 });
  const tagged = () => page.request.get(`/api/v1/contacts/count?filter=${encodeURIComponent(`tag:"${tag}"`)}`).then((answer) => answer.json() as Promise<{ count: number }>);
  expect((await tagged()).count).toBe(5);

  await page.getByRole("button", { name: "Undo import" }).click();
  await expect(page.getByRole("dialog")).toContainText("5 contacts that it added are deleted");
  await page.getByRole("dialog").getByRole("button", { name: "Undo the import" }).click();
  await expect(page.locator("[data-fate=deleted]")).toContainText("5", { timeout: 30_000 });
  expect((await tagged()).count).toBe(0);
});

const menu = async (page: Page, item: string) => {
  await page.locator("header").getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
};

test("a segment is typed, its campaign runs, and those who failed are sent to again", async ({ page, request }) => {
  const tag = `typed-${stamp}`;
  await importContacts(page, tag, 6, 987);
  await page.goto("/contacts/segments");
  await page.getByRole("button", { name: "New segment" }).first().click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(`Typed ${stamp}`);
  const filter = page.getByRole("textbox", { name: "Who is in it" });
  await filter.fill(`tag:"${tag}"`);
  await expect(page.getByRole("region", { name: "Who is in it now" })).toContainText("6 contacts");
  await filter.fill(`tag:"${tag}" and first_name = "Bia"`);
  await expect(page.getByRole("region", { name: "Who is in it now" })).toContainText("3 contacts");
  await page.getByRole("button", { name: "Create segment" }).click();
  await expect(page.getByText("Segment saved")).toBeVisible();

  const refused = "5511987000002"; // Pessoa 2, a Bia
  expect((await request.put(`${sandbox()}/sandbox/faults`, { data: [{ match: { to: refused }, code: 131026 }] })).ok()).toBe(true);
  try {
    await page.goto("/campaigns/new");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill(`Results ${stamp}`);
    await chooseConnection(page);
    await page.getByRole("combobox", { name: "Template" }).click();
    await page.getByRole("option", { name: /welcome_note.*en_US/ }).click();
    await page.getByLabel("Parameter 1", { exact: true }).fill("{{first_name|friend}}");
    await page.getByLabel("Contacts in a segment").check();
    await page.getByRole("combobox", { name: "Segment" }).fill(`Typed ${stamp}`);
    await page.getByRole("option", { name: new RegExp(`Typed ${stamp}`) }).click();
    await expect(page.locator("[data-recipients]")).toHaveText("3");
    await start(page, /3 people get this from/);
    await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 90_000 });
  } finally {
    await request.delete(`${sandbox()}/sandbox/faults`);
  }
  await expect.poll(() => count(page, "failed"), { timeout: 30_000 }).toBe(1);
  await page.locator("[data-state=failed]").click();
  await expect(page).toHaveURL(/state=failed/);
  await expect(page.getByRole("row").filter({ hasText: "Pessoa 2" })).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "Pessoa 0" })).toBeHidden();

  const download = page.waitForEvent("download");
  await menu(page, "Export what is shown as CSV");
  const lines = readFileSync(await (await download).path(), "utf8").trim().split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain(refused);
  expect(lines[1]).toContain("131026");

  await menu(page, "Send again…");
  await page.getByRole("dialog").getByRole("button", { name: "Make the campaign" }).click();
  await expect(page.locator("[data-recipients]")).toHaveText("1");
  await start(page, /1 person gets this from/);
  await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 90_000 });
  await expect(page.getByText("1 of 1 done")).toBeVisible();
  expect(await count(page, "failed")).toBe(0);
});

test("a lost connection to the server shows itself and heals", async ({ page }) => {
  let lose: (() => void) | undefined;
  let refuse = false;
  await page.routeWebSocket("**/api/v1/realtime", (socket) => {
    if (refuse) { void socket.close(); return; }
    const server = socket.connectToServer();
    lose = () => { void socket.close(); void server.close(); };
  });
  await page.goto("/campaigns");
  await expect.poll(() => lose !== undefined).toBe(true);
  const said = page.getByRole("navigation", { name: "Main" }).first().getByRole("status");
  await expect(said).toBeEmpty();
  refuse = true;
  lose?.();
  await expect(said).not.toBeEmpty();
  refuse = false;
  await expect(said).toBeEmpty({ timeout: 30_000 });
});
