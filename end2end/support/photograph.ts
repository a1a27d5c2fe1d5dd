import { join } from "node:path";

import type { Page } from "@playwright/test";

import { hasComeToRest } from "./layout";

const FOLDER = join(__dirname, "..", "screenshots");

/**
 * The page in light and dark, on a phone, a tablet and a desk (screenshots/STATE-SCHEME-WIDTH.png),
 * and all six on one sheet (screenshots/sheets/STATE.png).
 */
export async function photograph(page: Page, state: string, { fullPage = true } = {}): Promise<void> {
  const rows: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const pictures: string[] = [];
    for (const width of [320, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await hasComeToRest(page);
      const path = join(FOLDER, `${state}-${colorScheme}-${width}.png`);
      const picture = await page.screenshot({ path, fullPage, animations: "disabled" });
      pictures.push(`<img width="${width}" src="data:image/png;base64,${picture.toString("base64")}">`);
    }
    rows.push(`<p>${pictures.join(" ")}</p>`);
  }
  // In a browser context of its own: what is on the sheet is nothing of the visitor's.
  const context = await page.context().browser()?.newContext();
  const sheet = await context?.newPage();
  await sheet?.setViewportSize({ width: 2_600, height: 1_000 });
  await sheet?.setContent(
    `<style>body { background: #888 } img { vertical-align: top; border: 1px solid }</style>` +
      `<h1>${state}</h1>${rows.join("")}`,
  );
  await sheet?.screenshot({ path: join(FOLDER, "sheets", `${state}.png`), fullPage: true });
  await context?.close();
}
