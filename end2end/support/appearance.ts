import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";

import { waitForAnimations } from "./layout";

/** A colour scheme and a window width. */
export interface Appearance {
  colorScheme: "light" | "dark";
  width: number;
}

/** A phone, a tablet and a desktop, in pixels. */
export const WIDTHS = [320, 768, 1440] as const;

const HEIGHT = 900;

/** Visits the page in light and dark, on a phone, a tablet and a desktop, once its animations are done. */
export async function inEveryAppearance(page: Page, visit: (appearance: Appearance) => Promise<void>): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of WIDTHS) {
      await test.step(`${colorScheme}, ${width} px`, async () => {
        // During a transition colours have contrasts that are not the design's.
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width, height: HEIGHT });
        await waitForAnimations(page);
        await visit({ colorScheme, width });
      });
    }
  }
}

/** The page has no axe violations, once its animations are done: what fades in has less contrast until then. */
export async function expectNoAxeViolations(page: Page): Promise<void> {
  await waitForAnimations(page);
  const { violations } = await new AxeBuilder({ page }).analyze();
  const findings = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target} ${failureSummary}`),
  );
  expect.soft(findings).toEqual([]);
}

/**
 * Makes this page look as in a browser without scripts while scripts are enabled: axe is a script and needs
 * them.
 */
export async function emulateDisabledScripts(page: Page): Promise<void> {
  await page.route("**/*", async (route) => {
    const kind = route.request().resourceType();
    if (kind !== "document" && kind !== "stylesheet") return route.continue();
    const response = await route.fetch();
    const text = await response.text();
    const body =
      kind === "stylesheet"
        ? text.replaceAll(/\(scripting: ?none\)/g, "all")
        : text
            .replaceAll(/<script\b.*?<\/script>|<link[^>]*preload[^>]*>|<\/?noscript>/gs, "");
    await route.fulfill({ response, body });
  });
}
