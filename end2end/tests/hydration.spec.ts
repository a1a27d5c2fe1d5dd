// Hydration: it changes nothing visible, in any state of the first HTML.
// The fixtures fail every test in which the console has messages.

import type { Page } from "@playwright/test";

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { expectNoAxeViolations, inEveryAppearance } from "../support/appearance";

/** The states of the first HTML: how many other people are in the room, and whether the visitor is listed. */
const STATES = [
  { state: "an empty room", others: 0 },
  { state: "a visitor alone", others: 0, name: "Ana Sousa" },
  { state: "a few people", others: 5 },
  { state: "a few people, and the visitor", others: 5, name: "Kim" },
  { state: "two hundred people", others: 200 },
  { state: "two hundred people, and the visitor", others: 199, name: "W".repeat(100) },
  { state: "more people than the first HTML lists", others: 230 },
  { state: "more people than the first HTML lists, and the visitor", others: 230, name: "Kim" },
  { state: "a wall", others: 9, query: "?wall" },
  { state: "a wall with two hundred people", others: 200, query: "?wall" },
] as const;

const NOT_LOADED = /This page didn't load fully/;
const BLOCKED = /a content blocker or your network blocks a file/;

const NAMES = ["Kim", "Kim", "مريم الحداد", "李小龍", "🙂 Sunny"];

for (const { state, others, ...rest } of STATES) {
  const { name, query } = { name: undefined, query: "", ...rest };
  test(`hydration causes no layout shift: ${state}`, async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    test.setTimeout(180_000);
    const names = Array.from({ length: others }, (_, index) => NAMES[index] ?? `Person ${index}`);
    await clients.joinInOrder(server, room, names);
    const visitor = await newVisitor();
    if (name !== undefined) await visitor.openAndJoin(room, name);
    const count = String(others + (name === undefined ? 0 : 1));
    await inEveryAppearance(visitor.page, async () => {
      const release = await delayScripts(visitor.page);
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

test("a page that nobody changed is hydrated as it is", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, [...NAMES, "<b>&amp;</b>"]);
  const visitor = await newVisitor();
  const requests: string[] = [];
  visitor.page.on("request", (request) => requests.push(request.url()));
  await visitor.page.addInitScript(recordNodes);
  for (const address of [`/r/${room}`, `/r/${room}?wall`]) {
    await visitor.page.goto(address);
    await visitor.isLive();
    expect(await visitor.page.evaluate(replacedNodes)).toEqual([]);
  }
  await visitor.openAndJoin(room, "Ana");
  await visitor.page.reload();
  await visitor.isLive();
  expect(await visitor.page.evaluate(replacedNodes)).toEqual([]);
  expect(requests.filter((url) => /recovery|parts/.test(url))).toEqual([]);
});

test("a page works whatever another program stores in its history entry", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  await visitor.page.addInitScript(() => {
    if (location.protocol === "http:") history.replaceState({ failures: 5, builds: 5, typed: {} }, "");
  });
  await visitor.page.goto(`/r/${room}`);
  await visitor.isLive();
});

test("every script names the build, so that no cache holds one of another build", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const scripts: string[] = [];
  visitor.page.on("request", (request) => {
    if (request.resourceType() === "script") scripts.push(new URL(request.url()).pathname + new URL(request.url()).search);
  });
  await visitor.page.goto(`/r/${room}`);
  await visitor.isLive();
  await visitor.page.goto(`/r/${room}/embed`);
  await expect.poll(() => scripts.join(" ")).toContain("feed-hub.js");
  await visitor.page.goto(`/r/${room}/print`);
  await expect.poll(() => scripts.join(" ")).toContain("print.js");
  expect(scripts.filter((path) => !/\/pkg\/|\.js\?[0-9a-f]{16}$/.test(path))).toEqual([]);
});

test("text that was typed before hydration is kept", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  const release = await delayScripts(ana.page);
  await ana.page.goto(`/r/${room}`);
  await ana.nameField.fill("Ana");
  release();
  await ana.isLive();
  await expect(ana.nameField).toHaveValue("Ana");
  await ana.joinButton.click();
  await ana.shows(["Ana"]);
});

for (const way of ["with the button", "with Enter"] as const) {
  test(`whoever joins ${way} before hydration is listed after it`, async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    const release = await delayScripts(ana.page);
    await ana.page.goto(`/r/${room}`);
    await expect(ana.joinButton).toBeEnabled();
    await ana.nameField.fill("An");
    await (way === "with Enter" ? ana.nameField.press("Enter") : ana.joinButton.click());
    await expect(ana.joinButton).toHaveAttribute("aria-busy", "true");
    await ana.nameField.fill("Ana");
    release();
    await ana.shows(["Ana"]);
    await ana.leave();
    await expect(ana.joinButton).not.toHaveAttribute("aria-busy");
  });
}

test("until it is hydrated, a page says that it connects and not that it is offline", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  await ana.page.clock.install();
  const release = await delayScripts(ana.page);
  await ana.page.goto(`/r/${room}`);
  const status = ana.page.locator(".status");
  await expect(status).toHaveText("Connecting…", { useInnerText: true });
  // It is marked as stale after 10 s.
  await ana.page.clock.runFor(11_000);
  await expect(ana.html).toHaveAttribute("data-stale");
  await expect(status).toHaveText("Connecting…", { useInnerText: true });
  release();
  await ana.isLive();
  await expect(status).toHaveText("Live", { useInnerText: true });
});

test("who joins without a name before hydration is asked for one after it", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  const release = await delayScripts(ana.page);
  await ana.page.goto(`/r/${room}`);
  await ana.joinButton.click();
  await expect(ana.joinButton).toHaveAttribute("aria-busy", "true");
  release();
  await expect(ana.nameError).toHaveText("Enter your name.");
  await expect(ana.joinButton).not.toHaveAttribute("aria-busy");
  // The same refusal again changes nothing in the page.
  await ana.joinButton.click();
  await expect(ana.joinButton).not.toHaveAttribute("aria-busy");
});

test("who joins before a page that was changed on its way is rendered anew is listed", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  const release = await delayScripts(ana.page);
  await ana.page.goto(`/r/${room}`);
  await ana.nameField.fill("Ana");
  await ana.nameField.press("Enter");
  await ana.page.evaluate(() => document.querySelector(".card")!.prepend("added"));
  release();
  await ana.shows(["Ana"]);
});

test("no row fades in if the page was laid out before its style sheet arrived", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.addInitScript(() => {
    Object.assign(window, { faded: [] });
    addEventListener("transitionrun", ({ target, propertyName }) => {
      if (target instanceof Element && target.closest("#roster")) window.faded.push(propertyName);
    });
  });
  const release = await delayFiles(page, "**/*.css");
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

test("a page whose WASM fails to load shows it, and can be reloaded", async ({
  newVisitor,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  browserErrors.areExpected(/Failed to fetch/);
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(`/r/${room}`);
  await expect(page.getByText(BLOCKED)).toBeVisible();
  await expect(visitor.html).not.toHaveAttribute("data-hydrated");
  await expect(visitor.joinButton).toBeHidden();
  await expectNoAxeViolations(page);
  // The list follows nevertheless.
  await clients.join(server, room, "Zoe");
  await visitor.shows([...NAMES, "Zoe"]);

  await page.unroute("**/*.wasm");
  await page.getByRole("link", { name: "Reload" }).click();
  await visitor.isLive();
  await expect(page.getByText(BLOCKED)).toBeHidden();
});

test("a page whose script never loads shows it", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.clock.install();
  const release = await delayFiles(page, "**/hour-chart.js*");
  await page.goto(`/r/${room}`, { waitUntil: "commit" });
  await expect(visitor.count).toBeVisible();
  await page.clock.fastForward(10_000);
  await expect(page.getByText(NOT_LOADED)).toBeVisible();
  release();
  await visitor.isLive();
  await expect(page.getByText(NOT_LOADED)).toBeHidden();
});

test("a page that takes long to hydrate is shown as stale until it is hydrated", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.clock.install();
  const release = await delayScripts(page);
  await page.goto(`/r/${room}`);
  await expect(visitor.count).toBeVisible();
  await expect(visitor.html).not.toHaveAttribute("data-stale");
  await page.clock.fastForward(10_000);
  await expect(page.getByText(NOT_LOADED)).toBeVisible();

  release();
  await visitor.isLive();
  await expect(visitor.html).not.toHaveAttribute("data-stale");
  await expect(page.getByText(NOT_LOADED)).toBeHidden();
});

/** Runs in the page: keeps the nodes of the first HTML, but for the chart, which is drawn anew, and times of day. */
function recordNodes(): void {
  addEventListener("DOMContentLoaded", () => {
    const walker = document.createTreeWalker(document.querySelector("main")!);
    window.firstNodes = [];
    while (walker.nextNode()) {
      const { currentNode } = walker;
      if (!currentNode.parentElement?.closest(".past-hour, .since, .at")) window.firstNodes.push(currentNode);
    }
  });
}

/** Runs in the page: which of those nodes are not in the page any more. */
function replacedNodes(): string[] {
  const replaced = window.firstNodes.filter((node) => !node.isConnected);
  return replaced.map((node) => (node instanceof Element ? node.outerHTML : `${node.nodeName} ${node.nodeValue}`));
}

/** Delays the WASM until the returned function is called, so that the first paint is without it. */
async function delayScripts(page: Page): Promise<() => void> {
  return delayFiles(page, "**/*.wasm");
}

/** Delays these files until the returned function is called. */
async function delayFiles(page: Page, files: string): Promise<() => void> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(files, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

/** The current state of the page was painted. */
async function hasPainted(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))),
  );
}

/** The layout shifts since the page was opened, with their positions. */
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
          // The mark is later than every shift, so all of them are reported.
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
    /** The properties of rows that had transitions. */
    faded: string[];
    /** The nodes of the first HTML. */
    firstNodes: Node[];
  }
}

/** An entry that TypeScript has no type for: see https://wicg.github.io/layout-instability/. */
interface LayoutShift extends PerformanceEntry {
  sources: { node?: Node; previousRect: DOMRectReadOnly; currentRect: DOMRectReadOnly }[];
}
