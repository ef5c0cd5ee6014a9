// The end of the demo company, after all other walks: they go through it.
import { expect, test } from "@playwright/test";
import { logIn } from "./walk";

test.use({ baseURL: process.env.OMNIDESK_URL });

test("the demo company is removed from its badge, and an empty company is left", async ({ page }) => {
  await logIn(page);
  await page.goto("/");
  await page.getByRole("button", { name: /Demo company/ }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("gone for good");
  await dialog.getByRole("button", { name: "Keep" }).click();
  await expect(page.getByRole("button", { name: /Demo company/ })).toBeVisible();
  await page.getByRole("button", { name: /Demo company/ }).click();
  await dialog.getByRole("button", { name: "Remove it" }).click();
  await expect(page).toHaveURL(/\/welcome/, { timeout: 60_000 });
  await expect(page.getByRole("heading", { name: "Your company" })).toBeVisible();
  await expect(page.getByRole("button", { name: /Demo company/ })).toBeHidden();

  for (const list of ["contacts", "campaigns", "connections", "templates", "imports", "segments", "tags"]) {
    const answer = await page.request.get(`/api/v1/${list}`);
    expect(answer.ok(), list).toBe(true);
    expect(((await answer.json()) as { items: unknown[] }).items, list).toEqual([]);
  }
  const { total } = (await (await page.request.get("/api/v1/dashboard/traffic?range=30d")).json()) as { total: Record<string, number> };
  expect(total).toEqual({ sent: 0, delivered: 0, read: 0, failed: 0, uncertain: 0, replies: 0 });
  await page.goto("/contacts");
  await expect(page.getByRole("button", { name: /Add/ }).or(page.getByRole("link", { name: /Import/ })).first()).toBeVisible();
  await expect(page.getByRole("table")).toBeHidden();
});
