// Browsers whose cookies do not come back: the page works, and says at once what it can't do.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test as base } from "../support/fixtures";
import { siteWithFrames } from "../support/other-site";
import { ReverseProxy } from "../support/reverse-proxy";
import { takeScreenshots } from "../support/screenshot";
import { Visitor } from "../support/visitor";

/** Chromium's setting for a site's cookies that refuses them. */
const BLOCK = 2;

const SENTENCE =
  "Your browser or network blocks this site's cookies, so each reload, reconnect or tab lists you as a new person. " +
  "To stay the same person, allow them and reload.";

interface Fixtures {
  /** A visitor with a browser of their own that is set to refuse all cookies, and any other storage with them. */
  refusing: Visitor;
  /** A proxy that drops all cookies, in front of a server of its own. */
  cookieless: ReverseProxy;
}

const test = base.extend<Fixtures>({
  refusing: async ({ playwright, launchOptions, server, browserErrors }, use, testInfo) => {
    const profile = testInfo.outputPath("profile");
    const preferences = { profile: { default_content_setting_values: { cookies: BLOCK } } };
    mkdirSync(join(profile, "Default"), { recursive: true });
    writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
    const options = { ...launchOptions, baseURL: server.url };
    const context = await playwright.chromium.launchPersistentContext(profile, options);
    browserErrors.listenTo(context);
    await use(new Visitor(await context.newPage()));
    await context.close();
  },
  cookieless: async ({ serverWith }, use) => {
    const proxy = await ReverseProxy.start({ dropsCookies: true });
    proxy.leadsTo(await serverWith([]));
    await use(proxy);
    proxy.dispose();
  },
});

test("page in a browser that refuses cookies says so at once, and works", async ({ refusing, server, clients, room }) => {
  test.setTimeout(180_000);
  const { page } = refusing;
  const sentence = page.getByText(SENTENCE);
  await refusing.open(room);
  // `navigator.cookieEnabled` is true nevertheless.
  expect(await refusing.context.cookies()).toEqual([]);
  await expect(sentence).toBeVisible();
  await expect(page.getByRole("status").filter({ has: sentence })).toHaveCount(1);
  await takeScreenshots(page, "without-cookies");
  await refusing.join("Ana");
  await clients.join(server, room, "Bo");
  await refusing.shows(["Ana", "Bo"]);
  await expect(sentence).toBeVisible();
  const tab = await refusing.openTab();
  await tab.openAndJoin(room, "Ada");
  await refusing.shows(["Ana", "Bo", "Ada"]);
  await page.reload();
  await refusing.isLive();
  await expect(sentence).toBeVisible();
  await refusing.join("Kim");
  expect(await refusing.context.cookies()).toEqual([]);
});

test("embed in a browser that refuses cookies follows the room, and its link joins", async ({ refusing, server, room }) => {
  const { page, context } = refusing;
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`]);
  await page.goto(site.url);
  const frame = page.frameLocator("iframe");
  const opened = context.waitForEvent("page");
  await frame.getByRole("link", { name: "Join" }).click();
  const tab = new Visitor(await opened);
  await expect(tab.page.getByText(SENTENCE)).toBeVisible();
  await tab.join("Ana");
  await page.bringToFront();
  await expect(frame.getByRole("listitem")).toContainText(["Ana"]);
  await expect(frame.getByText("Not live").filter({ visible: true })).toHaveCount(0);
  site.close();
});

test("page whose cookie is lost on the way says so", async ({ cookieless, newVisitor, room }) => {
  const visitor = await newVisitor({ of: cookieless });
  await visitor.open(room);
  await expect(visitor.page.getByText(SENTENCE)).toBeVisible();
});

test("page whose cookie comes back says nothing, and asks once", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  const sentence = page.getByText(SENTENCE);
  const answers: string[] = [];
  let answer = (): void => undefined;
  const released = new Promise<void>((go) => (answer = go));
  await page.route("**/cookie-check", async (route) => {
    await released;
    const response = await route.fetch();
    answers.push(await response.text());
    await route.fulfill({ response });
  });
  const answered = page.waitForResponse("**/cookie-check");
  await visitor.open(room);
  // However long the answer takes, nothing flashes up.
  await expect(sentence).toBeHidden();
  answer();
  await (await answered).finished();
  await visitor.join("Ana");
  await expect(sentence).toBeHidden();
  await page.reload();
  await visitor.isLive();
  await expect(sentence).toBeHidden();
  expect(answers).toEqual([JSON.stringify({ has_cookie: true })]);
});

test("page that gets no answer about its cookie says nothing", async ({ newVisitor, browserErrors, room }) => {
  browserErrors.areExpected(NO_CONNECTION);
  browserErrors.areExpected(/status of 403/);
  const answers = [{ status: 403, body: "Forbidden" }, { json: {} }, { body: "<p>Please log in.</p>" }];
  for (const answer of [undefined, ...answers]) {
    const visitor = await newVisitor();
    await visitor.page.route("**/cookie-check", (route) => (answer ? route.fulfill(answer) : route.abort()));
    await visitor.open(room);
    await visitor.join("Ana");
    await expect(visitor.page.getByText(SENTENCE)).toBeHidden();
    await visitor.leave();
  }
});

test("a person without cookies joins, and is gone after leaving", async ({ cookieless, newVisitor, room }) => {
  const [ana, bo] = [await newVisitor({ of: cookieless }), await newVisitor({ of: cookieless })];
  await ana.openAndJoin(room, "Ana");
  await bo.openAndJoin(room, "Bo");
  await ana.shows(["Ana", "Bo"]);
  await ana.leave();
  await bo.shows(["Bo"]);
  expect(await ana.context.cookies()).toEqual([]);
});

test("without cookies a reload is another person, and tabs are different people", async ({
  cookieless,
  newVisitor,
  room,
}) => {
  const [ana, bo] = [await newVisitor({ of: cookieless }), await newVisitor({ of: cookieless })];
  await bo.openAndJoin(room, "Bo");
  await ana.openAndJoin(room, "Ana");
  await bo.shows(["Bo", "Ana"]);
  // The old row goes like that of a closed page.
  await ana.page.reload();
  await ana.isLive();
  await expect(ana.nameField).toBeVisible();
  await bo.shows(["Bo"], { timeout: 8_000 });
  await ana.join("Ana");
  await bo.shows(["Bo", "Ana"]);
  const tab = await ana.openTab();
  await tab.open(room);
  await expect(tab.nameField).toBeVisible();
  await tab.join("Ada");
  for (const visitor of [ana, bo, tab]) await visitor.shows(["Bo", "Ana", "Ada"]);
  expect(await ana.context.cookies()).toEqual([]);
});
