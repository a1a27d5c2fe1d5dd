import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";

import { waitForAnimations } from "./layout";

/** How a page can be looked at. */
export interface Appearance {
  colorScheme: "light" | "dark";
  width: number;
}

/** A phone, a tablet and a desk, in pixels. */
export const WIDTHS = [320, 768, 1440] as const;

const HEIGHT = 900;

/** Light and dark, on a phone, a tablet and a desk: in each look the page comes to rest, and is visited. */
export async function inEveryAppearance(page: Page, visit: (look: Appearance) => Promise<void>): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of WIDTHS) {
      await test.step(`${colorScheme}, ${width} px`, async () => {
        // A colour on its way to another has a contrast that nobody chose.
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width, height: HEIGHT });
        await waitForAnimations(page);
        await visit({ colorScheme, width });
      });
    }
  }
}

/** Axe finds nothing in the page as it is now. */
export async function expectNoAxeViolations(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const findings = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target} ${failureSummary}`),
  );
  expect.soft(findings).toEqual([]);
}

/**
 * From now on this page shows what a browser without scripts shows, in one that runs them: axe is a
 * script, and can't look at a page that runs none.
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
