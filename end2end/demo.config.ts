import { defineConfig } from "@playwright/test";

import config from "./playwright.config";

/** The README's moving picture by itself: `npm run demo` makes it. */
export default defineConfig({
  ...config,
  testDir: "demo",
  workers: 1,
  retries: 0,
  projects: [{ name: "demo", use: { trace: "off" } }],
});
