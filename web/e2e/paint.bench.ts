// How long each page of the demo company takes to its first useful paint: its head and what it is about, no longer a
// loader or bones. Cold is a browser with an empty cache, warm one that has been there. `make bench BENCH=paint` runs it.
import { writeFileSync } from "node:fs";
import { type Browser, type BrowserContext, test } from "@playwright/test";
import { logIn, need } from "./walk";

const tries = 5;

interface Paint { page: string; cold: number[]; warm: number[] }

test("paint", async ({ browser }) => {
  test.setTimeout(600_000);
  const signedIn = await browser.newContext({ baseURL: need("OMNIDESK_URL") });
  const page = await signedIn.newPage();
  await logIn(page);
  const first = async (list: string) => ((await (await page.request.get(`/api/v1/${list}`)).json()) as { items: { id: string }[] }).items[0]?.id ?? "";
  const pages: Record<string, string> = {
    dashboard: "/", campaigns: "/campaigns", campaign: `/campaigns/${await first("campaigns")}`, campaign_new: "/campaigns/new", contacts: "/contacts",
    contact: `/contacts/${await first("contacts")}`, segments: "/contacts/segments", imports: "/contacts/imports", import_new: "/contacts/imports/new", templates: "/templates",
    connections: "/connections", connection: `/connections/${await first("connections")}`, uncertain: "/uncertain", health: "/health", settings: "/settings",
  };
  const paints: Paint[] = Object.keys(pages).map((name) => ({ page: name, cold: [], warm: [] }));
  for (let n = 0; n < tries; n++) {
    for (const paint of paints) await visit(browser, signedIn, pages[paint.page] ?? "/", paint);
  }
  writeFileSync(need("OMNIDESK_PAINT_OUT"), JSON.stringify(paints));
});

async function visit(browser: Browser, signedIn: BrowserContext, url: string, paint: Paint) {
  const context = await browser.newContext({ baseURL: need("OMNIDESK_URL"), storageState: await signedIn.storageState() });
  paint.cold.push(await painted(context, url));
  paint.warm.push(await painted(context, url));
  await context.close();
}

/** Milliseconds from the navigation to the frame in which the page says something. */
async function painted(context: BrowserContext, url: string): Promise<number> {
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "commit" });
  const at = await page.waitForFunction(() => {
    const main = document.querySelector("main");
    const head = main?.querySelector("h1")?.textContent ?? "";
    if (main === null || head === "" || main.querySelector('[role=status][aria-label="Loading"], .bones') !== null) return false;
    return main.innerText.length > head.length + 10 ? performance.now() : false;
  }, undefined, { polling: "raf" });
  const value = await at.jsonValue();
  await page.close();
  return value === false ? Number.NaN : value;
}
