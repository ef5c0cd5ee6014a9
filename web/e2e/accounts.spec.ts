// From a stranger's sign-up, by the mails that arrive in the sandbox's mailbox, to the first steps, a colleague, a lost
// password and a new address, on the running program.
import { type APIRequestContext, expect, type Page, test } from "@playwright/test";

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
