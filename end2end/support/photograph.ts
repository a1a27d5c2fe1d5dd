import { join } from "node:path";

import type { Page } from "@playwright/test";

import { hasComeToRest } from "./layout";

const FOLDER = join(__dirname, "..", "screenshots");

/** The whole page in light and dark, on a phone, a tablet and a desk: screenshots/STATE-SCHEME-WIDTH.png. */
export async function photograph(page: Page, state: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [320, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await hasComeToRest(page);
      const path = join(FOLDER, `${state}-${colorScheme}-${width}.png`);
      await page.screenshot({ path, fullPage: true, animations: "disabled" });
    }
  }
}
