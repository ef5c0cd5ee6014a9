import { defineConfig } from "@playwright/test";

// Against a running server: OMNIDESK_URL, OMNIDESK_E2E_EMAIL, OMNIDESK_E2E_PASSWORD (and OMNIDESK_SANDBOX_URL).
// Without OMNIDESK_URL, e2e/start.ts starts the program that OMNIDESK_TEST_BINARY names.
// screens.spec.ts answers the API itself and looks at the built app alone.
const preview = "http://localhost:4173";

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
    { name: "walk", testMatch: "campaign.spec.ts" },
    { name: "screens", testMatch: "screens.spec.ts", use: { baseURL: preview } },
  ],
  webServer: { command: "npx vite preview --port 4173 --strictPort", url: preview, reuseExistingServer: false },
});
