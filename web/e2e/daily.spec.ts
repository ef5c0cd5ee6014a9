// What an admin does on other days: reads the dashboard, sends something again in other words, switches a number off and on.
import { expect, test } from "@playwright/test";
import { count, importContacts, logIn, sandbox, stamp, start, startCampaign } from "./walk";

test.use({ baseURL: process.env.OMNIDESK_URL });

test.beforeEach(async ({ page }) => {
  await logIn(page);
});

interface Traffic { sent: number; delivered: number; read: number; failed: number; replies: number }

test("the dashboard's figures are the API's, and lead to the messages behind them", async ({ page }) => {
  // A campaign of the demo goes on meanwhile: what is held against the page are the answers that the page was given.
  const traffic = page.waitForResponse((answer) => answer.url().includes("/dashboard/traffic?range=30d"));
  const shares = page.waitForResponse((answer) => answer.url().includes("/dashboard/campaigns?range=30d"));
  await page.goto("/?range=30d");
  const { total } = (await (await traffic).json()) as { total: Traffic };
  expect(total.sent).toBeGreaterThan(200);
  for (const [label, n] of [["Sent", total.sent], ["Delivered", total.delivered], ["Read", total.read], ["Failed", total.failed], ["Replies", total.replies]] as const) {
    const stat = page.locator(".stat").filter({ has: page.getByText(label, { exact: true }) });
    await expect(stat.locator(".n")).toContainText(new RegExp(`^${n.toLocaleString("en")}(?!\\d)`));
  }
  const { items } = (await (await shares).json()) as { items: (Traffic & { id: string; name: string })[] };
  const over = items.find((item) => item.name === "Spring collection");
  expect(over?.failed).toBeGreaterThan(0);
  const row = page.getByRole("region", { name: "By campaign" }).getByRole("row").filter({ hasText: "Spring collection" });
  await row.getByRole("link", { name: String(over?.failed), exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/campaigns/${over?.id ?? ""}\\?state=failed`));
  expect(await count(page, "failed")).toBe(over?.failed);
  await expect(page.getByRole("table", { name: "Messages" }).getByRole("row")).toHaveCount((over?.failed ?? 0) + 1); // and its head
});

test("a campaign is duplicated into a draft that waits for its start", async ({ page }) => {
  const tag = `twice-${stamp}`;
  await importContacts(page, tag, 4, 991);
  await startCampaign(page, `Once ${stamp}`, tag, 4);
  await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 90_000 });
  const first = page.url();
  await page.locator("header").getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await expect(page.getByText("Nothing is sent before you start it.")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue(`Once ${stamp} (copy)`);
  await expect(page.getByLabel("Parameter 1", { exact: true })).toHaveValue("{{first_name|friend}}");
  await expect(page.locator("[data-recipients]")).toHaveText("4");
  await page.getByLabel("Parameter 1", { exact: true }).fill("{{first_name|neighbour}}");
  await expect(page.locator("[data-saved=true]")).toBeVisible();
  await start(page, /4 people get this from/);
  await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 90_000 });
  expect(page.url()).not.toBe(first);
  await page.goto(first);
  await expect(page.getByText("4 of 4 done")).toBeVisible(); // nothing was added to the first one
});

test("a number that is switched off under a campaign says so there, and goes on when it is switched on", async ({ page, request }) => {
  // 64 slots at 2 s each: about 32 a second
  expect((await request.put(`${sandbox()}/sandbox/faults`, { data: [{ delay_ms: 2_000 }] })).ok()).toBe(true);
  try {
    const tag = `off-${stamp}`;
    await importContacts(page, tag, 600, 992);
    await startCampaign(page, `Off ${stamp}`, tag, 600);
    const campaign = page.url();
    await expect.poll(async () => (await count(page, "sent")) + (await count(page, "delivered")) + (await count(page, "read")), { timeout: 60_000 }).toBeGreaterThan(0);
    await page.getByRole("link", { name: "Sandbox WhatsApp" }).click();
    await page.getByRole("button", { name: "Disable" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
    await expect(page.getByText("Disabled: nothing is sent on it")).toBeVisible();

    await page.goto(campaign);
    await expect(page.getByRole("status").filter({ hasText: /disabled/i })).toBeVisible({ timeout: 30_000 });
    await expect.poll(() => count(page, "sending"), { timeout: 30_000 }).toBe(0);
    const waiting = (await count(page, "queued")) + (await count(page, "planned"));
    expect(waiting).toBeGreaterThan(0);
    await request.delete(`${sandbox()}/sandbox/faults`);
    await page.reload();
    expect((await count(page, "queued")) + (await count(page, "planned"))).toBe(waiting);

    await page.getByRole("link", { name: "Sandbox WhatsApp" }).click();
    await page.getByRole("button", { name: "Enable" }).click();
    await expect(page.getByText("Disabled: nothing is sent on it")).toBeHidden();
    await page.goto(campaign);
    await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 90_000 });
    await expect(page.getByText("600 of 600 done")).toBeVisible();
  } finally {
    await request.delete(`${sandbox()}/sandbox/faults`);
  }
});
