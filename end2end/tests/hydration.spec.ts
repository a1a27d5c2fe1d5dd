// Hydration changes nothing that can be seen, in any state that the first HTML can have.
// That nothing is said in the console is what every test is held to.

import type { Page } from "@playwright/test";

import { NO_CONNECTION } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import { expectNothingForAxe, inEveryLook } from "../support/looks";

/** What the first HTML can show, by how many are in the room; the visitor may be one of them. */
const STATES = [
  { state: "an empty room", others: 0 },
  { state: "a visitor alone", others: 0, name: "Ana Sousa" },
  { state: "a few people", others: 5 },
  { state: "a few people, and the visitor", others: 5, name: "Kim" },
  { state: "two hundred people", others: 200 },
  { state: "two hundred people, and the visitor", others: 199, name: "W".repeat(40) },
  { state: "more people than the first HTML lists", others: 230 },
  { state: "more people than the first HTML lists, and the visitor", others: 230, name: "Kim" },
  { state: "a wall", others: 9, query: "?wall" },
  { state: "a wall with two hundred people", others: 200, query: "?wall" },
] as const;

const A_PART_IS_MISSING = /This page didn't load fully/;

const NAMES = ["Kim", "Kim", "مريم الحداد", "李小龍", "🙂 Sunny"];

for (const { state, others, ...rest } of STATES) {
  const { name, query } = { name: undefined, query: "", ...rest };
  test(`hydration moves nothing: ${state}`, async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    test.setTimeout(180_000);
    const names = Array.from({ length: others }, (_, index) => NAMES[index] ?? `Person ${index}`);
    await crowd.joinInOrder(server, room, names);
    const visitor = await newVisitor();
    if (name !== undefined) await visitor.openAndJoin(room, name);
    const count = String(others + (name === undefined ? 0 : 1));
    await inEveryLook(visitor.page, async () => {
      const release = await holdScriptsBack(visitor.page);
      await visitor.page.goto(`/r/${room}${query}`);
      await expect(visitor.count).toHaveText(count);
      await hasPainted(visitor.page);
      await expect(visitor.html).not.toHaveAttribute("data-hydrated");

      release();
      await visitor.isLive();
      await hasPainted(visitor.page);
      await expect(visitor.count).toHaveText(count);
      expect.soft(await layoutShifts(visitor.page)).toEqual([]);
    });
  });
}

test("what was typed before the scripts ran is not lost", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  const release = await holdScriptsBack(ana.page);
  await ana.page.goto(`/r/${room}`);
  await ana.nameField.fill("Ana");
  await ana.nameField.press("Enter");
  release();
  await ana.isLive();
  await expect(ana.nameField).toHaveValue("Ana");
  await ana.joinButton.click();
  await ana.shows(["Ana"]);
});

test("no row fades in where the page was worked out before its style sheet was there", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  await crowd.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.addInitScript(() => {
    Object.assign(window, { faded: [] });
    addEventListener("transitionrun", ({ target, propertyName }) => {
      if (target instanceof Element && target.closest("#roster")) window.faded.push(propertyName);
    });
  });
  const release = await holdBack(page, "**/*.css");
  await page.goto(`/r/${room}`, { waitUntil: "commit" });
  await expect(visitor.rows).toHaveCount(NAMES.length);
  const color = () => page.evaluate(() => getComputedStyle(document.querySelector(".row")!).backgroundColor);
  const withoutStyle = await color();

  release();
  await visitor.isLive();
  expect(await color()).not.toBe(withoutStyle);
  await hasPainted(page);
  expect(await page.evaluate(() => window.faded)).toEqual([]);
});

test("a page of which a part never comes says so, and can be loaded again", async ({
  newVisitor,
  server,
  crowd,
  complaints,
  room,
}) => {
  complaints.areProvoked(NO_CONNECTION);
  complaints.areProvoked(/Failed to fetch/);
  await crowd.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(`/r/${room}`);
  await expect(page.getByText(A_PART_IS_MISSING)).toBeVisible();
  await expect(visitor.html).toHaveAttribute("data-stale", "true");
  await expectNothingForAxe(page);

  await page.unroute("**/*.wasm");
  await page.getByRole("link", { name: "Reload" }).click();
  await visitor.isLive();
  await expect(page.getByText(A_PART_IS_MISSING)).toBeHidden();
});

test("a page that waits for one of its scripts for ever says so", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.clock.install();
  const release = await holdBack(page, "**/hour-chart.js");
  await page.goto(`/r/${room}`, { waitUntil: "commit" });
  await expect(visitor.count).toBeVisible();
  await page.clock.fastForward(10_000);
  await expect(page.getByText(A_PART_IS_MISSING)).toBeVisible();
  release();
  await visitor.isLive();
  await expect(page.getByText(A_PART_IS_MISSING)).toBeHidden();
});

test("a page that takes long to come to life is shown as an old list until it does", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.clock.install();
  const release = await holdScriptsBack(page);
  await page.goto(`/r/${room}`);
  await expect(visitor.count).toBeVisible();
  await expect(visitor.html).not.toHaveAttribute("data-stale");
  await page.clock.fastForward(10_000);
  await expect(page.getByText(A_PART_IS_MISSING)).toBeVisible();

  release();
  await visitor.isLive();
  await expect(visitor.html).not.toHaveAttribute("data-stale");
  await expect(page.getByText(A_PART_IS_MISSING)).toBeHidden();
});

/** Keeps the WASM from the page until the returned function is called: so there is a first paint without it. */
async function holdScriptsBack(page: Page): Promise<() => void> {
  return holdBack(page, "**/*.wasm");
}

/** Keeps these files from the page until the returned function is called. */
async function holdBack(page: Page, files: string): Promise<() => void> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(files, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

/** What the page shows now has been painted. */
async function hasPainted(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))),
  );
}

/** What was moved since the page was opened, and from where to where. */
async function layoutShifts(page: Page): Promise<string[]> {
  return page.evaluate(
    () =>
      new Promise<string[]>((found) => {
        const moved: string[] = [];
        const place = ({ x, y, width, height }: DOMRectReadOnly) => `${x},${y} ${width}x${height}`;
        const observer = new PerformanceObserver((list) => {
          for (const entry of list.getEntriesByType("layout-shift")) {
            for (const { node, previousRect, currentRect } of (entry as LayoutShift).sources) {
              const what = node instanceof Element ? node.outerHTML.slice(0, 80) : node?.textContent;
              moved.push(`${what}: ${place(previousRect)} to ${place(currentRect)}`);
            }
          }
          // The mark is younger than every shift, so all of them have been counted.
          if (list.getEntriesByName("all shifts are counted").length > 0) found(moved);
        });
        observer.observe({ type: "layout-shift", buffered: true });
        observer.observe({ type: "mark", buffered: true });
        requestAnimationFrame(() => performance.mark("all shifts are counted"));
      }),
  );
}

declare global {
  interface Window {
    /** What of a row has changed little by little. */
    faded: string[];
  }
}

/** An entry that TypeScript does not know: see https://wicg.github.io/layout-instability/. */
interface LayoutShift extends PerformanceEntry {
  sources: { node?: Node; previousRect: DOMRectReadOnly; currentRect: DOMRectReadOnly }[];
}
