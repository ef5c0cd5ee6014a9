// A company's first steps, from the superadmin's first login to a campaign that has run, on the running program.
import { expect, type Page, test } from "@playwright/test";
import { count, importContacts, logIn, need, sandbox, signIn, stamp, startCampaign } from "./walk";

test.use({ baseURL: process.env.OMNIDESK_URL });

const own = `walk ${stamp} password`;

/** Logs in with a one-time password and chooses another; where it was chosen already, with that. */
async function enter(page: Page, email: string, oneTime: string) {
  await signIn(page, email, oneTime);
  await page.getByLabel("One-time password").fill(oneTime);
  await page.getByLabel("New password", { exact: true }).fill(own);
  await page.getByLabel("New password, again").fill(own);
  await page.getByRole("button", { name: "Change password" }).click();
}

/** Makes a company and returns what is shown of its first admin, once. */
async function makeCompany(page: Page, name: string, email: string): Promise<string> {
  await page.goto("/companies");
  await page.getByRole("button", { name: "New company" }).click();
  await page.getByLabel("Company name").fill(name);
  await page.getByLabel("E-mail of its first admin").fill(email);
  await page.getByRole("button", { name: "Make the company" }).click();
  return page.locator("[data-one-time] .mono").innerText();
}

const step = (page: Page, name: string) => page.locator(`[data-step=${name}]`);

test("a new company comes from the first login to a campaign that has run", async ({ page, browser }) => {
  await enter(page, need("OMNIDESK_E2E_ROOT_EMAIL"), need("OMNIDESK_E2E_ROOT_PASSWORD"));
  await expect(page.getByRole("heading", { name: "Companies" })).toBeVisible();
  const email = `ana-${stamp}@example.com`;
  const oneTime = await makeCompany(page, `Kopi ${stamp}`, email);

  const admin = await (await browser.newContext({ baseURL: need("OMNIDESK_URL") })).newPage();
  await enter(admin, email, oneTime);
  await expect(admin.getByRole("heading", { name: "Your company" })).toBeVisible();
  // 00:00 to 00:01 in the company's zone, which is everybody's who has none: it is night until the step opens the day
  await admin.getByLabel("From").fill("00:00");
  await admin.getByLabel("Until").fill("00:01");
  await admin.getByRole("button", { name: "Save and go on" }).click();

  await admin.getByRole("button", { name: "Add a simulated number" }).click();
  await expect(step(admin, "connect")).toHaveAttribute("data-state", "done");

  await expect(admin.getByRole("heading", { name: "Bring your contacts" })).toBeVisible();
  await admin.getByRole("button", { name: "Take a sample" }).click();
  await expect(admin.locator("[data-preview=new]")).toContainText("20", { timeout: 30_000 });
  await expect(admin.locator("[data-preview=duplicates]")).toContainText("1");
  await expect(admin.locator("[data-preview=refused]")).toContainText("1");
  await expect(admin.getByRole("region", { name: "What will happen" })).toContainText("Asia/Jakarta");
  await admin.reload(); // goes on where it was
  await admin.getByRole("button", { name: "Add 20 contacts" }).click();
  await expect(admin.locator("[data-sum=added]")).toContainText("20", { timeout: 30_000 });
  await admin.getByRole("button", { name: "Go on" }).click();

  const phone = "+5511984999777";
  await admin.getByLabel("Your phone").fill("12");
  await admin.getByRole("button", { name: "Send the test" }).click();
  await expect(admin.getByLabel("Your phone")).toHaveValue("12");
  await expect(admin.getByText(/needs its country code/)).toBeVisible();
  await admin.getByLabel("Your phone").fill(phone);
  await admin.getByRole("button", { name: "Send the test" }).click();
  await expect(admin.locator("[data-test-state]")).toHaveAttribute("data-test-state", /delivered|read/, { timeout: 30_000 });
  const thread = (await (await admin.request.get(`${sandbox()}/sandbox/phones/${phone.slice(1)}`)).json()) as { lines: { text: string }[] };
  expect(thread.lines.at(-1)?.text).toContain("test message");
  await admin.getByRole("button", { name: "Go on" }).click();

  await expect(admin.getByRole("heading", { name: "Your first campaign" })).toBeVisible();
  await expect(admin.getByRole("region", { name: "Preview" })).toContainText("Hi Ana, good to have you with us.");
  await expect(admin.getByText(/The first message goes at/)).toBeVisible();
  await admin.getByRole("button", { name: "Send at any hour" }).click();
  await expect(admin.getByText(/The first message goes at/)).toBeHidden();
  await admin.getByRole("button", { name: /^Start/ }).click();

  await expect(admin.getByRole("heading", { name: "First campaign" })).toBeVisible();
  await expect(admin.locator("header").getByText("Finished")).toBeVisible({ timeout: 60_000 });
  await expect(admin.getByText("20 of 20 done")).toBeVisible();
  await admin.getByRole("link", { name: "Finish the first steps" }).click();
  await expect(admin.getByRole("heading", { name: "You are set up" })).toBeVisible();
  await admin.getByRole("button", { name: "To the dashboard" }).last().click();
  await expect(admin.getByRole("link", { name: "Finish the first steps" })).toBeHidden();
});

test("a superadmin drains the installation and lets it go on", async ({ page, browser }) => {
  await signIn(page, need("OMNIDESK_E2E_ROOT_EMAIL"), own); // as chosen above
  await expect(page.getByRole("heading", { name: "Companies" })).toBeVisible();
  await page.goto("/platform");
  const admin = await (await browser.newContext({ baseURL: need("OMNIDESK_URL") })).newPage();
  await logIn(admin);
  const tag = `drain-${stamp}`;
  await importContacts(admin, tag, 3, 995);
  await page.getByRole("button", { name: "Drain…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Drain", exact: true }).click();
  try {
    await expect(page.getByText("It is safe to stop all processes.")).toBeVisible({ timeout: 90_000 });
    await startCampaign(admin, `Drained ${stamp}`, tag, 3);
    await expect(admin.getByRole("status").filter({ hasText: /drained/i })).toBeVisible({ timeout: 60_000 });
    expect(await count(admin, "sent")).toBe(0);
    await admin.goto("/");
    await expect(admin.getByText("Nothing new is sent:").first()).toBeVisible({ timeout: 30_000 });
    await admin.goBack();
  } finally {
    await page.getByRole("button", { name: "Resume" }).click();
  }
  await expect(page.getByText("Everything is sent as ever")).toBeVisible();
  await expect(admin.locator("header").getByText("Finished")).toBeVisible({ timeout: 90_000 });
  await expect(admin.getByText("3 of 3 done")).toBeVisible();
});
