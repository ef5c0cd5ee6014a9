// A provider that goes away in the middle of a campaign: what is happening stands on the screen, and it heals by itself.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { chooseConnection, count, importContacts, logIn, need, sandbox, stamp, start } from "./walk";

test.use({ baseURL: process.env.OMNIDESK_URL });

/** The first argument of a process; undefined for one that has just ended. */
function commandOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[1];
  } catch {
    return undefined;
  }
}

/** A part that `omnidesk dev` has started, as a process; undefined while there is none. */
function partOf(dev: string, command: string): number | undefined {
  const children = readdirSync(`/proc/${dev}/task`).flatMap((task) => readFileSync(`/proc/${dev}/task/${task}/children`, "utf8").trim().split(" "));
  const found = children.find((pid) => pid !== "" && commandOf(pid) === command);
  return found === undefined ? undefined : Number(found);
}

/** Kills the part now and each time it comes back, until the returned function is called: however slow the machine, the page is looked at in time. */
function keepDown(command: string): () => void {
  const kill = () => {
    const pid = partOf(need("OMNIDESK_E2E_PID"), command);
    if (pid !== undefined) process.kill(pid, "SIGKILL");
    return pid !== undefined;
  };
  if (!kill()) throw new Error(`there is no part ${command}`);
  const timer = setInterval(kill, 200);
  return () => clearInterval(timer);
}

test("a campaign whose provider is stopped says so and goes on by itself", async ({ page, request }, info) => {
  test.setTimeout(240_000); // the sandbox comes back 15 s after its end, and then one message at a time is tried
  const tag = `stopped-${stamp}`;
  await logIn(page);
  await importContacts(page, tag, 600, 988);
  expect((await request.put(`${sandbox()}/sandbox/faults`, { data: [{ delay_ms: 1500 }] })).ok()).toBe(true);
  await page.goto("/campaigns/new");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(`Stopped ${stamp}`);
  await chooseConnection(page);
  await page.getByRole("combobox", { name: "Template" }).click();
  await page.getByRole("option", { name: /welcome_note.*en_US/ }).click();
  await page.getByLabel("Parameter 1", { exact: true }).fill("{{first_name|friend}}");
  await page.getByLabel("Contacts with any of these tags").check();
  await page.getByRole("combobox", { name: "Tags" }).fill(tag);
  await page.getByRole("option", { name: new RegExp(tag) }).click();
  await expect(page.locator("[data-recipients]")).toHaveText("600");
  await start(page, /600 people get this from/);
  await expect.poll(() => count(page, "delivered").then(async (n) => n + await count(page, "read") + await count(page, "sent")), { timeout: 30_000 }).toBeGreaterThan(20);

  const comeBack = keepDown("sandbox");
  const waits = page.getByRole("list", { name: "What waits" });
  await expect(waits).toContainText(/can't be reached|no clear answer/, { timeout: 20_000 });
  await page.screenshot({ path: info.outputPath("campaign.png") });
  const dashboard = await page.context().newPage();
  await dashboard.goto("/");
  await expect(dashboard.locator(".dash-line-wait").first()).toContainText(/can't be reached|no clear answer/, { timeout: 20_000 });
  await expect(dashboard.locator(".concern").first()).toContainText("sends nothing");
  await dashboard.screenshot({ path: info.outputPath("dashboard.png") });
  await dashboard.close();
  comeBack();

  await expect(page.locator("header").getByText("Finished")).toBeVisible({ timeout: 150_000 });
  await expect(waits).toBeHidden();
  for (const state of ["planned", "queued", "sending"]) expect(await count(page, state)).toBe(0);
  const uncertain = await count(page, "uncertain");
  expect(await count(page, "failed")).toBe(0);
  if (uncertain > 0) await expect(page.getByRole("link", { name: /uncertain|decide/i }).first()).toBeVisible();
  await page.screenshot({ path: info.outputPath("healed.png") });
});
