// A campaign from the login to its last tick, on the running program and its sandbox.
import { expect, type Page, test } from "@playwright/test";
import { chooseConnection, count, importContacts, logIn, sandbox, stamp, start } from "./walk";

test.use({ baseURL: process.env.OMNIDESK_URL });

async function draft(page: Page, name: string, tag: string) {
  await page.goto("/campaigns/new");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await chooseConnection(page);
  await page.getByRole("combobox", { name: "Template" }).click();
  await page.getByRole("option", { name: /promo_offer.*pt_BR/ }).click();
  for (const [index, value] of ["{{first_name|friend}}", "20%", "{{city}}"].entries()) {
    await page.getByLabel(`Parameter ${index + 1}`, { exact: true }).fill(value);
  }
  await page.getByLabel("Contacts with any of these tags").check();
  await page.getByRole("combobox", { name: "Tags" }).fill(tag);
  await page.getByRole("option", { name: tag }).click();
  await page.keyboard.press("Escape");
  await expect(page.locator("[data-saved=true]")).toBeVisible();
  await expect(page.getByRole("region", { name: "Whom it reaches" })).toContainText("Ready");
}

test.beforeEach(async ({ page }) => {
  await logIn(page);
});

test("a campaign runs from a CSV file to read ticks", async ({ page }) => {
  const tag = `e2e-${stamp}`;
  await importContacts(page, tag, 24, 981);
  await draft(page, `Walk ${stamp}`, tag);
  await expect(page.locator("[data-recipients]")).toHaveText("24");
  await expect(page.getByRole("region", { name: "Preview" })).toContainText("Campinas");
  await start(page, /24 people get this from/);

  await expect(page.getByRole("heading", { name: `Walk ${stamp}` })).toBeVisible();
  await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 90_000 });
  await expect(page.getByText("24 of 24 done")).toBeVisible();
  await expect.poll(() => count(page, "read"), { timeout: 60_000 }).toBeGreaterThan(0);

  await page.locator("[data-state=read]").click();
  await expect(page).toHaveURL(/state=read/);
  await page.getByRole("row").nth(1).click();
  await expect(page.getByRole("dialog")).toContainText("Campinas");
});

test("a segment's campaign is previewed, tested, overtaken and scheduled", async ({ page, request }) => {
  const tag = `segment-${stamp}`;
  await importContacts(page, tag, 6, 984);
  const made = await page.request.post("/api/v1/segments", { data: { name: `Bias ${stamp}`, filter: `tag:"${tag}" and first_name = "Bia"` } });
  expect(made.ok(), await made.text()).toBe(true);
  await draft(page, `Segment ${stamp}`, tag);
  await page.getByLabel("Contacts in a segment").check();
  await page.getByRole("combobox", { name: "Segment" }).fill(`Bias ${stamp}`);
  await page.getByRole("option", { name: new RegExp(`Bias ${stamp}`) }).click();
  await expect(page.locator("[data-recipients]")).toHaveText("3");
  const preview = page.getByRole("region", { name: "Preview" });
  await expect(preview).toContainText("Oi Bia, só esta semana: 20% de desconto com o código Campinas.");
  await page.getByRole("button", { name: "Next contact" }).click();
  await expect(preview).toContainText("2 of 3");

  const phone = "+5511984999001";
  const trial = page.getByRole("region", { name: "Test send" });
  await trial.getByLabel("Phone for a test").fill(phone);
  await trial.getByRole("button", { name: "Send a test" }).click();
  await expect(trial.locator("[data-test-state]")).toHaveAttribute("data-test-state", /delivered|read/, { timeout: 30_000 });
  const thread = (await (await request.get(`${sandbox()}/sandbox/phones/${phone.slice(1)}`)).json()) as { lines: { text: string }[] };
  expect(thread.lines.at(-1)?.text).toContain("Oi Bia");

  // Somebody else writes the draft meanwhile: the later one is told, and what was chosen here stays.
  await expect(page.locator("[data-saved=true]")).toBeVisible();
  const id = new URL(page.url()).searchParams.get("draft")?.replaceAll('"', "") ?? "";
  await page.route(`**/campaigns/${id}`, (route) => (route.request().method() === "PATCH" ? route.abort() : route.continue())); // what is typed can't be saved yet
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(`Mine ${stamp}`);
  await expect(page.getByText("Not saved; what you typed stays here")).toBeVisible();
  const now = (await (await page.request.get(`/api/v1/campaigns/${id}`)).json()) as { version: number };
  const theirs = await page.request.patch(`/api/v1/campaigns/${id}`, { data: { version: now.version, name: `Theirs ${stamp}` } });
  expect(theirs.ok(), await theirs.text()).toBe(true);
  await expect(page.getByText(/changed this draft meanwhile/)).toBeVisible();
  await page.unroute(`**/campaigns/${id}`);
  await page.getByRole("button", { name: "Keep mine" }).click();
  await expect(page.locator("[data-saved=true]")).toBeVisible();
  await page.reload(); // goes on with the saved draft
  await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue(`Mine ${stamp}`);

  const tomorrow = new Date(Date.now() + 24 * 3_600_000).toISOString().slice(0, 10);
  await page.getByLabel("At a set time").check();
  await page.getByLabel("Start", { exact: true }).fill(`${tomorrow}T09:00`);
  await start(page, /3 people get this from .* on .*09:00, São Paulo time/);
  await expect(page.getByRole("heading", { name: `Mine ${stamp}` })).toBeVisible();
  await expect(page.locator("header").getByText("Scheduled")).toBeVisible({ timeout: 60_000 });
});

test("a field that no contact has is refused under its input", async ({ page }) => {
  const tag = `refuse-${stamp}`;
  await importContacts(page, tag, 3, 982);
  await draft(page, `Refused ${stamp}`, tag);
  await page.getByLabel("Parameter 3", { exact: true }).fill("{{no_such_field}}");
  await expect(page.locator("form").getByText(/no_such_field/).filter({ hasNotText: "Reads:" }).first()).toBeVisible();
  await expect(page.getByRole("button", { name: /^Start/ })).toBeDisabled();
  await expect(page.getByLabel("Parameter 3", { exact: true })).toHaveValue("{{no_such_field}}");
});

test("a pause holds and a resume goes on", async ({ page, request }) => {
  // 64 slots at 2 s each: about 32 a second, so 600 messages leave time to pause
  const set = await request.put(`${sandbox()}/sandbox/faults`, { data: [{ delay_ms: 2_000 }] });
  expect(set.ok()).toBe(true);
  try {
    const tag = `pause-${stamp}`;
    await importContacts(page, tag, 600, 983);
    await draft(page, `Pause ${stamp}`, tag);
    await start(page, /600 people/);
    await expect.poll(async () => (await count(page, "sent")) + (await count(page, "delivered")) + (await count(page, "read")), { timeout: 60_000 }).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Pause" }).click();
    await expect(page.locator("header").getByText("Paused")).toBeVisible();
    await expect.poll(() => count(page, "sending"), { timeout: 30_000 }).toBe(0);
    const waiting = (await count(page, "queued")) + (await count(page, "planned"));
    expect(waiting).toBeGreaterThan(0);
    await page.reload();
    await expect(page.locator("header").getByText("Paused")).toBeVisible();
    expect((await count(page, "queued")) + (await count(page, "planned"))).toBe(waiting);

    await request.delete(`${sandbox()}/sandbox/faults`);
    await page.getByRole("button", { name: "Resume" }).click();
    await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 90_000 });
    await expect(page.getByText("600 of 600 done")).toBeVisible();
    for (const state of ["queued", "planned", "sending", "failed", "uncertain"]) expect(await count(page, state)).toBe(0);
  } finally {
    await request.delete(`${sandbox()}/sandbox/faults`);
  }
});
