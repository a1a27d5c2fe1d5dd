import { defineConfig } from "@playwright/test";

import config from "./playwright.config";

/** Lighthouse alone: `cargo xtask lighthouse` installs and runs it. */
export default defineConfig({
  ...config,
  testDir: "lighthouse",
  workers: 1,
  retries: 0,
  timeout: 600_000,
  projects: [{ name: "lighthouse" }],
});
