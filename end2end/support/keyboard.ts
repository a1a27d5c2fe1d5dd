import { expect, type Locator, type Page } from "@playwright/test";

/** How far the tab key is followed: no page has more stops before what is looked for. */
const MOST_STOPS = 30;

/**
 * The tab key leads to all that can be used, and to nothing else; each is seen to have the keyboard,
 * and nothing lies over it.
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
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return {
        html: element.outerHTML,
        isOnTop: element.contains(onTop) || onTop?.contains(element) === true,
        outline: `${outlineStyle} ${outlineWidth}`,
      };
    });
    if (!place || reached.includes(place.html)) break;
    reached.push(place.html);
    expect.soft(place.isOnTop, `something lies over ${place.html}`).toBe(true);
    expect.soft(place.outline, place.html).toMatch(/^solid [1-9]/);
  }
  expect.soft(reached.toSorted()).toEqual(usable.toSorted());
}

/** The next press of the tab key leads to the first of all that can be used. */
async function startAtTheTop(page: Page): Promise<void> {
  await page.evaluate(() => {
    // To take the keyboard from whatever has it would not change where the tab key goes on from.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    scrollTo(0, 0);
  });
}

/** Presses the tab key until this has the keyboard. */
export async function tabTo(target: Locator): Promise<void> {
  const page = target.page();
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`The tab key does not lead to ${target}.`);
}

/** Something in the page has the keyboard, so that the next key goes on from there. */
export async function expectFocusInMain(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.closest("main") !== null))
    .toBe(true);
}
