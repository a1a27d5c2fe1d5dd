import { defineConfig } from "@playwright/test";

/** What measures time. */
const MEASUREMENTS = ["speed.spec.ts", "smoothness.spec.ts"];

const chromium = process.env["ROLLCALL_CHROMIUM"];

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  globalSetup: "./support/the-build.ts",
  // The browsers and the servers need processors too: more workers only make each test slower.
  workers: 2,
  // A test that passes at the second attempt has found something: it is named as flaky at the end.
  // Where a whole run is judged by one word, a neighbour's load must not be what decides it.
  retries: process.env["CI"] ? 1 : 0,
  forbidOnly: Boolean(process.env["CI"]),
  reporter: "list",
  // Nothing takes this long: these times only end a test that would hang.
  timeout: 90_000,
  expect: { timeout: 10_000 },
  use: {
    browserName: "chromium",
    trace: "retain-on-failure",
    launchOptions: {
      // Without a browser that is named, Playwright's own.
      ...(chromium ? { executablePath: chromium } : {}),
      chromiumSandbox: false,
      // The browser itself should ask the network for nothing.
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
    // What measures time needs the machine for itself: as a teardown it runs when all others are
    // done, and also when one of them failed. `--no-deps` leaves it out. Nothing is recorded: that
    // takes more of the page's time than the page does.
    { name: "speed", testMatch: MEASUREMENTS, workers: 1, use: { trace: "off" } },
  ],
});
