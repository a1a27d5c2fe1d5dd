import { expect, type Locator, type Page } from "@playwright/test";

/** The most tab stops of a page. */
const MOST_STOPS = 30;

/**
 * Tab reaches all controls and nothing else; each has a visible focus outline and is not covered.
 */
export async function expectTabReachesAllControls(page: Page): Promise<void> {
  const usable = await page
    .locator("a[href], button:enabled, input:enabled, summary, [tabindex='0']")
    .filter({ visible: true })
    .evaluateAll((elements) => elements.map((element) => element.outerHTML));
  await startAtTheTop(page);
  const reached: string[] = [];
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    const place = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return undefined;
      const { x, y, width, height } = element.getBoundingClientRect();
      const onTop = document.elementFromPoint(x + width / 2, y + height / 2);
      const isOnTop = element.contains(onTop) || onTop?.contains(element);
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return {
        html: element.outerHTML,
        cover: isOnTop ? "" : (onTop?.outerHTML ?? "the edge of the window"),
        outline: `${outlineStyle} ${outlineWidth}`,
      };
    });
    if (!place || reached.includes(place.html)) break;
    reached.push(place.html);
    expect.soft(place.cover, `what covers ${place.html}`).toBe("");
    expect.soft(place.outline, place.html).toMatch(/^solid [1-9]/);
  }
  expect.soft(reached.toSorted()).toEqual(usable.toSorted());
}

/** Moves the start of tab navigation to the top of the page, of whichever driver it is. */
export async function startAtTheTop(page: {
  evaluate: (inPage: () => void) => Promise<unknown>;
}): Promise<void> {
  await page.evaluate(() => {
    // `blur()` would not change the position from which Tab continues.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    scrollTo(0, 0);
  });
}

/** Presses Tab until the target has the focus. */
export async function tabTo(target: Locator): Promise<void> {
  const page = target.page();
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`The tab key does not lead to ${target}.`);
}

/** An element in `<main>` has the focus, so that keyboard navigation continues there. */
export async function expectFocusInMain(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.closest("main") !== null))
    .toBe(true);
}
