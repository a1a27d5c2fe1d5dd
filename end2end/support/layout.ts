import { expect, type Page } from "@playwright/test";

/** The page is no wider than its window. */
export async function expectNoHorizontalScroll(page: Page): Promise<void> {
  const { content, window } = await page.evaluate(() => ({
    content: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
    window: document.documentElement.clientWidth,
  }));
  expect(content, `${content} px in a window of ${window} px`).toBeLessThanOrEqual(window);
}

/** All finite animations are finished, and the fonts are loaded. */
export async function waitForAnimations(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const passing = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().iterations !== Infinity);
    await Promise.allSettled(passing.map((animation) => animation.finished));
    await document.fonts.ready;
  });
}
