// From a stranger's sign-up, by the mails that arrive in the sandbox's mailbox, to the first steps, a colleague, a lost
// password and a new address, on the running program.
import { type APIRequestContext, expect, type Page, test } from "@playwright/test";
import { importContacts, logIn as asAdmin, startCampaign } from "./walk";

const sandbox = () => process.env.OMNIDESK_SANDBOX_URL ?? "http://localhost:8090";
const stamp = Date.now().toString(36); // runs on the same data do not meet
const password = "kelp orbit manor vivid";

test.use({ baseURL: process.env.OMNIDESK_URL });

/** The path and fragment of the link in the newest mail to an address that has this subject. */
async function linkIn(request: APIRequestContext, to: string, subject: RegExp): Promise<string> {
  let found: string | undefined;
  await expect.poll(async () => {
    const mails = (await (await request.get(`${sandbox()}/sandbox/mails`, { params: { to } })).json()) as { subject: string; text: string }[];
    const text = mails.find((mail) => subject.test(mail.subject))?.text ?? "";
    found = /https?:\/\/[^/\s]+(\/\w+#[\w-]+)/.exec(text)?.[1];
    return found;
  }, { timeout: 30_000 }).toBeDefined();
  return found ?? "";
}

async function logIn(page: Page, email: string, secret: string) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(secret);
  await page.getByRole("button", { name: "Log in" }).click();
}

test("a stranger signs up, invites a colleague, and replaces a lost password", async ({ page, request, browser }) => {
  const base = process.env.OMNIDESK_URL ?? "";
  const email = `nova-${stamp}@aurora.example`;
  await page.goto(new URL("/login", base).href);
  await page.getByRole("link", { name: "Make a company of your own" }).click();
  await page.getByLabel("Company name").fill(`Aurora ${stamp}`);
  await page.getByLabel("Your name").fill("Nova Lima");
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill("short");
  await page.getByRole("button", { name: "Sign up" }).click();
  await expect(page.getByText("at least 12 characters.")).toBeVisible();
  await expect(page.getByLabel("Company name")).toHaveValue(`Aurora ${stamp}`);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign up" }).click();
  await expect(page.getByRole("status")).toContainText(email);
  await expect(page.getByRole("link", { name: "open the simulated mailbox" })).toHaveAttribute("href", new RegExp(`mailbox\\?to=${encodeURIComponent(email)}`));

  // Not confirmed yet: one may sign in, and is told what to do.
  await page.getByRole("link", { name: "Log in" }).click();
  await logIn(page, email, password);
  await expect(page.getByRole("heading", { name: "Confirm your address" })).toBeVisible();
  await page.goto(await linkIn(request, email, /Confirm your address/));
  await page.getByRole("button", { name: "Confirm the address" }).click();
  await expect(page).toHaveURL(/\/welcome/);

  await page.goto("/settings/people");
  const colleague = `bia-${stamp}@aurora.example`;
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByRole("dialog").getByLabel("E-mail").fill(colleague);
  await page.getByRole("dialog").getByRole("button", { name: "Send the invitation" }).click();
  await expect(page.getByText(colleague).first()).toBeVisible();
  const elsewhere = await browser.newContext({ baseURL: base });
  const theirs = await elsewhere.newPage();
  const invitation = await linkIn(request, colleague, /^Join Aurora/);
  await theirs.goto(invitation);
  await expect(theirs.getByRole("heading", { name: `Join Aurora ${stamp}` })).toBeVisible();
  await theirs.getByLabel("Your name").fill("Bia Rocha");
  await theirs.getByRole("textbox", { name: "Password" }).fill("plum desert wagon nine");
  await theirs.getByRole("button", { name: "Join" }).click();
  await expect(theirs).toHaveURL(/\/contacts/); // what a user works with
  await theirs.goto("/settings/you");
  await expect(theirs.getByText(colleague).first()).toBeVisible();
  const late = await browser.newContext({ baseURL: base });
  const lateComer = await late.newPage();
  await lateComer.goto(invitation);
  await expect(lateComer.getByRole("alert")).toContainText("used already");
  await late.close();

  // Removed: the page of whoever is removed ends by itself.
  await page.reload();
  await page.getByRole("button", { name: "What to do with Bia Rocha" }).click();
  await page.getByRole("menuitem", { name: "Remove from the company" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove from the company" }).click();
  await expect(page.getByText("Bia Rocha was removed")).toBeVisible();
  await theirs.reload();
  await expect(theirs.getByRole("button", { name: "Log in" })).toBeVisible();
  await elsewhere.close();
  await page.getByRole("button", { name: "What to do with Nova Lima" }).click();
  await page.getByRole("menuitem", { name: "Make a user" }).click();
  await expect(page.getByText("at least one active admin")).toBeVisible();

  // The password is lost, and replaced by a mail.
  const fresh = await browser.newContext({ baseURL: base });
  const again = await fresh.newPage();
  await again.goto("/login");
  await again.getByRole("link", { name: "Forgot the password?" }).click();
  await expect(again.getByRole("heading", { name: "Forgot the password" })).toBeVisible(); // the page before has such a field, too
  await again.getByLabel("E-mail").fill(email);
  await again.getByRole("button", { name: "Send the link" }).click();
  await expect(again.getByRole("status")).toContainText(email);
  await again.goto(await linkIn(request, email, /new password/));
  await again.getByRole("textbox", { name: "New password" }).fill("another quiet harbour");
  await again.getByRole("button", { name: "Set the password" }).click();
  await expect(again).toHaveURL(/\/(welcome)?$|\/welcome/);
  await page.reload();
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible(); // the old session has ended
  await fresh.close();
});

test("an address is changed by a mail to the new one", async ({ page, request, browser }) => {
  const old = `rui-${stamp}@aurora.example`;
  await page.goto("/signup");
  await page.getByLabel("Company name").fill(`Boreal ${stamp}`);
  await page.getByLabel("Your name").fill("Rui Teixeira");
  await page.getByLabel("E-mail").fill(old);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByRole("link", { name: "Log in" }).click();
  await logIn(page, old, password);
  await expect(page.getByRole("heading", { name: "Confirm your address" })).toBeVisible();
  await page.goto(await linkIn(request, old, /Confirm your address/));
  await page.getByRole("button", { name: "Confirm the address" }).click();
  await expect(page).toHaveURL(/\/welcome/);

  const fresh = `rui-${stamp}@boreal.example`;
  await page.goto("/settings/you");
  await page.getByRole("button", { name: "Change address" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("New e-mail").fill(fresh);
  await dialog.getByRole("textbox", { name: "Password" }).fill("not the password");
  await dialog.getByRole("button", { name: "Send a link to it" }).click();
  await expect(dialog.getByRole("textbox", { name: "Password" })).toHaveAccessibleDescription(/\S/);
  await expect(dialog.getByLabel("New e-mail")).toHaveValue(fresh);
  await dialog.getByRole("textbox", { name: "Password" }).fill(password);
  await dialog.getByRole("button", { name: "Send a link to it" }).click();
  await expect(dialog.getByRole("status")).toContainText(fresh);
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
  await expect(page.getByText(old).first()).toBeVisible(); // nothing has changed yet

  await page.goto(await linkIn(request, fresh, /./));
  await page.getByRole("button", { name: "Use the new address" }).click();
  await expect(page.getByText("You sign in with the new address from now on").first()).toBeVisible();
  const elsewhere = await browser.newContext({ baseURL: process.env.OMNIDESK_URL });
  const again = await elsewhere.newPage();
  await again.goto("/login");
  await logIn(again, old, password);
  await expect(again.getByRole("alert")).toBeVisible();
  await again.getByLabel("E-mail").fill(fresh);
  await again.getByRole("button", { name: "Log in" }).click();
  await expect(again).toHaveURL(/\/welcome/);
  await elsewhere.close();
});

test("what happened shows in the bell, comes by mail, and leads there", async ({ page, request, browser }) => {
  await asAdmin(page);
  const email = `ivo-${stamp}@acme.example`;
  await page.goto("/settings/people");
  await page.getByRole("button", { name: "Invite" }).click();
  const invite = page.getByRole("dialog");
  await invite.getByLabel("E-mail").fill(email);
  await invite.getByText("Admin", { exact: true }).click();
  await invite.getByRole("button", { name: "Send the invitation" }).click();
  const theirs = await (await browser.newContext({ baseURL: process.env.OMNIDESK_URL })).newPage();
  await theirs.goto(await linkIn(request, email, /^Join /));
  await theirs.getByLabel("Your name").fill("Ivo Prado");
  await theirs.getByRole("textbox", { name: "Password" }).fill("plum desert wagon nine");
  await theirs.getByRole("button", { name: "Join" }).click();
  await expect(theirs.getByRole("link", { name: "Campaigns", exact: true })).toBeVisible();
  await theirs.goto("/settings/notifications");
  await theirs.getByRole("switch", { name: "A campaign finishes: Mail" }).check({ force: true });

  const tag = `bell-${stamp}`;
  await importContacts(page, tag, 2, 994);
  await startCampaign(page, `Bell ${stamp}`, tag, 2);
  await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 90_000 });

  // By mail first: what was read in the bell is not mailed.
  await expect.poll(async () => {
    const mails = (await (await request.get(`${sandbox()}/sandbox/mails`, { params: { to: email } })).json()) as { text: string }[];
    return mails.some((mail) => mail.text.includes(`“Bell ${stamp}” has finished`) && mail.text.includes(new URL(page.url()).pathname));
  }, { timeout: 120_000 }).toBe(true);
  await theirs.getByRole("button", { name: /^Notifications/ }).click();
  const line = theirs.getByRole("link", { name: new RegExp(`Bell ${stamp} has finished`) });
  await line.click();
  await expect(theirs.getByRole("heading", { name: `Bell ${stamp}` })).toBeVisible();
  await theirs.goto("/notifications");
  await expect(theirs.locator(".notice", { hasText: `Bell ${stamp}` })).not.toHaveClass(/unread/);
});
