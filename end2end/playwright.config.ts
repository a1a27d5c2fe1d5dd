import { defineConfig } from "@playwright/test";

/** The specs that measure time. */
const MEASUREMENTS = ["loading-speed.spec.ts", "scrolling-speed.spec.ts"];

const chromium = process.env["ROLLCALL_CHROMIUM"];

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  globalSetup: "./support/build.ts",
  // Browsers and servers need processors too: more workers only make each test slower.
  workers: 2,
  // In CI other load must not fail a run; a test that passes at the second attempt is reported as flaky.
  retries: process.env["CI"] ? 1 : 0,
  forbidOnly: Boolean(process.env["CI"]),
  reporter: "list",
  // No test takes this long: the timeouts only end hanging ones.
  timeout: 90_000,
  expect: { timeout: 10_000 },
  use: {
    browserName: "chromium",
    // A recording takes a fifth of the processors: only a second attempt is recorded.
    trace: "on-first-retry",
    launchOptions: {
      // Playwright's own browser unless the environment names one.
      ...(chromium ? { executablePath: chromium } : {}),
      chromiumSandbox: false,
      // The browser itself should make no network requests.
      args: [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
      ],
    },
  },
  projects: [
    { name: "pages", testIgnore: MEASUREMENTS, teardown: "speed" },
    // Puppeteer drives Firefox; Playwright only runs these tests.
    { name: "firefox", testDir: "firefox", teardown: "speed" },
    // Measurements need the machine for themselves: as a teardown they run after all other tests, even
    // if one failed. `--no-deps` leaves them out. Tracing is off: it takes more time than the page.
    { name: "speed", testMatch: MEASUREMENTS, workers: 1, use: { trace: "off" } },
  ],
});
