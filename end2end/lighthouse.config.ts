import { defineConfig } from "@playwright/test";

import config from "./playwright.config";

/** Lighthouse by itself: `cargo xtask lighthouse` installs it and runs this. */
export default defineConfig({
  ...config,
  testDir: "lighthouse",
  workers: 1,
  retries: 0,
  timeout: 600_000,
  projects: [{ name: "lighthouse" }],
});
