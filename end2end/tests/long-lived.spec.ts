// Pages that stay open for weeks, and browsers that lack features.

import type { Page } from "@playwright/test";

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import type { Rewrite } from "../support/rewriting-proxy";

/** Makes every page one of an older build. */
const asOlderBuild: Rewrite = (page) => (page.html = page.html.replace(/"build":"\w+"/, '"build":"old"'));

/** Counts the loads of the page from now on. */
function countLoads(page: Page): { count: number } {
  const loads = { count: 0 };
  page.on("load", () => (loads.count += 1));
  return loads;
}

test("page of an older build reloads once it is not used, and only once", async ({ newVisitor, changedBy, browserErrors, room }) => {
  // To the page's clock its socket takes minutes to open.
  browserErrors.areExpected(NO_CONNECTION);
  const visitor = await newVisitor({ of: await changedBy(asOlderBuild) });
  const { page } = visitor;
  await page.clock.install();
  await visitor.open(room);
  await visitor.nameField.fill("Ana");
  const loads = countLoads(page);
  for (let second = 0; second < 60; second += 5) await page.clock.fastForward(5_000);
  expect(loads.count).toBe(0);

  await visitor.nameField.blur();
  const reloaded = page.waitForEvent("load");
  for (let second = 0; second < 60; second += 5) await page.clock.fastForward(5_000).catch(() => undefined);
  await reloaded;
  await visitor.isLive();
  for (let second = 0; second < 60; second += 5) await page.clock.fastForward(5_000);
  expect(loads.count).toBe(1);
});

test("wall of an older build reloads by itself", async ({ newVisitor, changedBy, browserErrors, room }) => {
  browserErrors.areExpected(NO_CONNECTION);
  const visitor = await newVisitor({ of: await changedBy(asOlderBuild) });
  const { page } = visitor;
  await page.clock.install();
  await page.goto(`/r/${room}?wall`);
  await visitor.isLive();
  const reloaded = page.waitForEvent("load");
  for (let second = 0; second < 40; second += 5) await page.clock.fastForward(5_000).catch(() => undefined);
  await reloaded;
  await visitor.isLive();
});

test("embed of an older build reloads by itself", async ({
  newVisitor,
  changedBy,
  server,
  clients,
  browserErrors,
  room,
}) => {
  // By the page's clock its stream is silent, so it asks the server why.
  browserErrors.areExpected(NO_CONNECTION);
  let isFirst = true;
  const firstIsOlder: Rewrite = (page) => {
    if (isFirst) page.html = page.html.replace(/embed\.js\?\w+/, "embed.js?old");
    isFirst = false;
  };
  const { page } = await newVisitor({ of: await changedBy(firstIsOlder) });
  await page.clock.install();
  await page.goto(`/r/${room}/embed`);
  await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
  await clients.join(server, room, "Ana");
  const reloaded = page.waitForEvent("load");
  for (let second = 0; second < 60; second += 5) await page.clock.fastForward(5_000).catch(() => undefined);
  await reloaded;
  await expect(page.getByTestId("count")).toHaveText("1");
  expect(await page.locator("script[src]").getAttribute("src")).not.toContain("old");
});

test("page of the server's build stays", async ({ newVisitor, ownServer, room }) => {
  const visitor = await newVisitor({ of: ownServer });
  const { page } = visitor;
  await visitor.open(room);
  expect(await visitor.html.getAttribute("data-build")).toMatch(/^[0-9a-f]{16}$/);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.reload();
  await visitor.isLive();
  expect(requests.filter((url) => url.includes("new-version"))).toEqual([]);
});

test("wall asks for a wake lock, and again when it is shown again", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.addInitScript(() => {
    const requests: string[] = [];
    const wakeLock = { request: async (kind: string) => requests.push(kind) };
    Object.defineProperty(navigator, "wakeLock", { value: wakeLock });
    Object.assign(window, { requests });
  });
  await page.goto(`/r/${room}?wall`);
  const requests = () => page.evaluate(() => (window as unknown as { requests: string[] }).requests);
  await expect.poll(requests).toEqual(["screen"]);
  await visitor.setVisible(false);
  await visitor.setVisible(true);
  await expect.poll(requests).toEqual(["screen", "screen"]);
});

test("invitation is not shown where popovers are unknown", async ({ newVisitor, changedBy, room }) => {
  const withoutPopovers: Rewrite = (page) => (page.html = page.html.replace(/ popover\w*="\w+"/g, ""));
  const visitor = await newVisitor({ of: await changedBy(withoutPopovers) });
  await visitor.open(room);
  await expect(visitor.invitation).toBeHidden();
  await visitor.join("Ana");
});

test("page works without ResizeObserver", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  await visitor.page.addInitScript("delete globalThis.ResizeObserver");
  await visitor.openAndJoin(room, "Ana");
  await visitor.shows(["Ana"]);
});

test("Escape in an input method does not end a rename", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  await visitor.openAndJoin(room, "Ana");
  await visitor.startRename();
  const press = (isComposing: boolean) =>
    visitor.newNameField.dispatchEvent("keydown", { key: "Escape", isComposing, bubbles: true });
  await press(true);
  await expect(visitor.newNameField).toBeVisible();
  await press(false);
  await expect(visitor.newNameField).toHaveCount(0);
});
