import { defineConfig } from "@playwright/test";

// Against a running server: OMNIDESK_URL, OMNIDESK_E2E_EMAIL, OMNIDESK_E2E_PASSWORD (and OMNIDESK_SANDBOX_URL).
// Without OMNIDESK_URL, e2e/start.ts starts the program that OMNIDESK_TEST_BINARY names.
// The screens answer the API themselves and look at the built app alone, on OMNIDESK_PREVIEW_PORT.
// paint.bench.ts measures; *.spec.ts walk through the running program, screens.spec.ts and *.screens.spec.ts look at pages.
const port = process.env.OMNIDESK_PREVIEW_PORT ?? "4173";
const preview = `http://localhost:${port}`;

export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/start.ts",
  outputDir: "e2e/results",
  timeout: 120_000,
  expect: { timeout: 10_000 },
  forbidOnly: true,
  workers: 1,
  reporter: [["list"]],
  use: {
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    timezoneId: "America/Sao_Paulo",
    locale: "en-GB",
    launchOptions: {
      executablePath: process.env.OMNIDESK_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "walk", testMatch: "*.spec.ts", testIgnore: ["screens.spec.ts", "*.screens.spec.ts", "demo.spec.ts"] },
    // never on somebody's running server: it removes the demo company, for good
    ...(process.env.OMNIDESK_TEST_BINARY === undefined ? [] : [{ name: "farewell", testMatch: "demo.spec.ts", dependencies: ["walk"] }]),
    ...(process.env.OMNIDESK_PAINT_OUT === undefined ? [] : [{ name: "paint", testMatch: "paint.bench.ts" }]),
    { name: "screens", testMatch: ["screens.spec.ts", "*.screens.spec.ts"], use: { baseURL: preview } },
  ],
  webServer: { command: `npx vite preview --port ${port} --strictPort`, url: preview, reuseExistingServer: false },
});
