import { join } from "node:path";

import type { Page } from "@playwright/test";

import { expectNoHorizontalScroll } from "./layout";
import { expectNoAxeViolations, inEveryAppearance, WIDTHS } from "./appearance";

const FOLDER = join(__dirname, "..", "screenshots");

/** The options of a screenshot. */
export interface ScreenshotOptions {
  /** The full page, and not only the window. */
  fullPage?: boolean;
  /** Whether to run axe: it needs scripts. */
  axe?: boolean;
}

/**
 * Screenshots of a state in light and dark, on a phone, a tablet and a desktop, without axe violations and
 * horizontal scrolling in any of them. Each is in screenshots/STATE-SCHEME-WIDTH.png, and all six are on
 * one sheet, screenshots/sheets/STATE.png.
 */
export async function takeScreenshots(page: Page, state: string, shot: ScreenshotOptions = {}): Promise<void> {
  const { fullPage = true, axe = true } = shot;
  const pictures: string[] = [];
  await inEveryAppearance(page, async ({ colorScheme, width }) => {
    const path = join(FOLDER, `${state}-${colorScheme}-${width}.png`);
    const picture = await page.screenshot({ path, fullPage, animations: "disabled" });
    pictures.push(`<img width="${width}" src="data:image/png;base64,${picture.toString("base64")}">`);
    await expectNoHorizontalScroll(page);
    if (axe) await expectNoAxeViolations(page);
  });
  const rows = [pictures.slice(0, WIDTHS.length), pictures.slice(WIDTHS.length)];
  // In a browser context of its own, apart from the visitor's.
  const context = await page.context().browser()?.newContext();
  const sheet = await context?.newPage();
  await sheet?.setViewportSize({ width: 2_600, height: 1_000 });
  await sheet?.setContent(
    `<style>body { background: #888 } img { vertical-align: top; border: 1px solid }</style>` +
      `<h1>${state}</h1>${rows.map((row) => `<p>${row.join(" ")}</p>`).join("")}`,
  );
  await sheet?.screenshot({ path: join(FOLDER, "sheets", `${state}.png`), fullPage: true });
  await context?.close();
}
