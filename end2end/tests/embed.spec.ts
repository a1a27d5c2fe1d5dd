// The embed of a room in a frame on another site.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import AxeBuilder from "@axe-core/playwright";
import type { FrameLocator, Locator, Page, Route } from "@playwright/test";

import { expectNoAxeViolations } from "../support/appearance";
import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll } from "../support/layout";
import { numberedPeople } from "../support/names";
import { siteWithFrames } from "../support/other-site";
import { UNTIL_AWAY, UNTIL_RECONNECTED, Visitor } from "../support/visitor";

/** The most bytes that the embed may transfer, as sent. */
const MOST_BYTES = 22_000;

const NAMES = ["Ana Sousa", "<b>Bo</b>", "مريم الحداد", "李小龍", "🙂 Sunny"];

test("the embed shows a live list on another site, and does not join the room", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`]);
  await visitor.page.goto(site.url);
  const frame = visitor.page.frameLocator("iframe");
  const faces = frame.getByRole("list", { name: "Who is here" }).getByRole("listitem");
  await expect(frame.getByTestId("count")).toHaveText("5");
  await expect(faces).toContainText(NAMES);

  const olu = await clients.join(server, room, "Olu");
  await expect(faces).toContainText([...NAMES, "Olu"]);
  await expect(frame.getByTestId("count")).toHaveText("6");
  olu.send({ event: "leave" });
  await expect(faces).toContainText(NAMES);
  await expect(faces).toHaveCount(NAMES.length);

  expect(visitor.wire.sockets).toEqual([]);
  expect(await visitor.context.cookies()).toEqual([]);
  site.close();
});

test("the embed transfers few bytes, whatever happens in the room", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const names = numberedPeople(200);
  await clients.joinTogether(server, room, names);
  const visitor = await newVisitor();
  const sizes: Promise<number>[] = [];
  const paths: string[] = [];
  visitor.page.on("requestfinished", (request) => {
    paths.push(new URL(request.url()).pathname);
    sizes.push(
      request.sizes().then(({ responseBodySize, responseHeadersSize }) => {
        return responseBodySize + responseHeadersSize;
      }),
    );
  });
  await visitor.page.goto(`/r/${room}/embed`);
  await expect(visitor.page.getByRole("listitem")).toHaveCount(24);
  await visitor.page.waitForLoadState("load");
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  console.log(`The embed transfers ${bytes} bytes: ${paths.join(" ")}.`);
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  expect(paths.filter((path) => path.endsWith(".wasm"))).toEqual([]);

  // Many changes at once cause few requests.
  const before = paths.length;
  const more = Array.from({ length: 60 }, (_, index) => `Newcomer ${index + 1}`);
  await clients.joinTogether(server, room, more);
  await expect(visitor.page.getByTestId("count")).toHaveText("260");
  expect(paths.length - before).toBeLessThan(20);
});

test("the embed shows when it is not live, and reconnects by itself", async ({
  newVisitor,
  ownServer,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.joinInOrder(ownServer, room, ["Ana"]);
  const visitor = await newVisitor({ of: ownServer });
  await visitor.page.goto(`/r/${room}/embed`);
  const notLive = visitor.page.getByText("Not live. Reconnecting…");
  await expect(notLive).toBeHidden();
  await ownServer.kill();
  await expect(notLive).toBeVisible();
  await ownServer.start();
  await expect(notLive).toBeHidden(UNTIL_RECONNECTED);
  await clients.join(ownServer, room, "Bo");
  await expect(visitor.page.getByRole("listitem").filter({ hasText: "Bo" })).toHaveCount(1);
});

test("a failed update is shown as not live and retried later, and the focus is kept", async ({
  newVisitor,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.joinInOrder(server, room, ["Ana"]);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.clock.install();
  await page.goto(`/r/${room}/embed`);
  const link = page.getByRole("link", { name: room });
  await link.focus();
  const faces = page.getByRole("listitem");
  await clients.join(server, room, "Bo");
  await expect(faces).toHaveCount(2);
  await expect(link).toBeFocused();

  // The request fails, or a proxy answers in the server's place.
  for (const [answer, newcomer, count] of [
    [(route: Route) => route.abort(), "Cy", 3],
    [(route: Route) => route.fulfill({ body: "<p>Please log in.</p>" }), "Di", 4],
  ] as const) {
    await page.route("**/embed", answer);
    await clients.join(server, room, newcomer);
    await expect(page.getByText("Not live. Reconnecting…")).toBeVisible();
    await expect(faces).toHaveCount(count - 1);
    await page.unroute("**/embed");
    await page.clock.fastForward(15_000);
    await expect(faces).toHaveCount(count);
    await expect(page.getByText("Not live. Reconnecting…")).toBeHidden();
  }
  await expect(link).toBeFocused();
});

test("a change during an update causes another update", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, ["Ana"]);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.goto(`/r/${room}/embed`);
  const faces = page.getByRole("listitem");
  await expect(faces).toHaveCount(1);
  let bring = (): void => undefined;
  const brought = new Promise<void>((resolve) => (bring = resolve));
  const drawn = new Promise<void>((resolve) => {
    void page.route("**/embed", async (route) => {
      const answer = await route.fetch();
      resolve();
      await brought;
      await route.fulfill({ response: answer });
    });
  });
  await clients.join(server, room, "Bo");
  await drawn;
  // The event of Cy's join comes while an older rendering is on its way.
  await page.evaluate(
    (room) =>
      new Promise((isOpen) => {
        const feed = new EventSource(`/api/rooms/${room}/events`);
        feed.addEventListener("existing_users", isOpen);
        feed.addEventListener("changes", () => (document.title = "told"));
      }),
    room,
  );
  await clients.join(server, room, "Cy");
  await expect(page).toHaveTitle("told");
  bring();
  await expect(faces).toHaveCount(3);
});

test("an embed whose feed is silent shows that it is not live", async ({
  newVisitor,
  networkTo,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.joinInOrder(server, room, ["Ana"]);
  const network = await networkTo(server);
  const visitor = await newVisitor({ of: network });
  const { page } = visitor;
  await page.clock.install();
  const feed = page.waitForResponse(/\/events/);
  await page.goto(`/r/${room}/embed`);
  await feed;
  await expect(page.getByRole("listitem")).toHaveCount(1);
  await expect(page.getByText("Not live. Reconnecting…")).toBeHidden();
  network.setCondition("silent");
  await page.clock.fastForward(15_000);
  await expect(page.getByText("Not live. Reconnecting…")).toBeVisible();
  network.setCondition("clear");
  await page.clock.fastForward(15_000);
  await expect(page.getByText("Not live. Reconnecting…")).toBeHidden();
});

test("the embed has no axe violations and no horizontal scrolling", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const visitor = await newVisitor({ reducedMotion: "reduce" });
  const names = Array.from({ length: 30 }, (_, index) => `${NAMES[index % 5]} ${index}`);
  await clients.joinInOrder(server, room, names);
  await visitor.page.goto(`/r/${room}/embed`);
  for (const colorScheme of ["light", "dark"] as const) {
    await visitor.page.emulateMedia({ colorScheme });
    for (const width of [200, 320, 800]) {
      await visitor.page.setViewportSize({ width, height: 300 });
      await expectNoHorizontalScroll(visitor.page);
      expect((await new AxeBuilder({ page: visitor.page }).analyze()).violations).toEqual([]);
    }
  }
});

test("without scripts the embed is shown and reloads by itself", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, ["Ana", "Bo"]);
  const visitor = await newVisitor({ javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}/embed`);
  await expect(visitor.page.getByTestId("count")).toHaveText("2");
  await expect(visitor.page.locator("meta[http-equiv=refresh]")).toHaveCount(1);
});

/** Nothing in the embed looks live, and it says why. */
async function expectFrozen(embed: FrameLocator | Page): Promise<void> {
  await expect(embed.getByText("Not live: JavaScript is off or blocked here.")).toBeVisible();
  const avatar = embed.locator(".avatar");
  await expect(avatar).toHaveCSS("filter", "grayscale(1)");
  const [mark, panel] = await avatar.evaluate((avatar) => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.backgroundColor = "var(--panel)";
    return [getComputedStyle(avatar, "::after"), getComputedStyle(probe)].map((style) => style.backgroundColor);
  });
  expect(mark).toBe(panel);
}

test("an embed whose script does not run does not look live", async ({
  newVisitor,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  browserErrors.areExpected(/sandboxed|allow-scripts/);
  await clients.join(server, room, "Ana");
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`], { attributes: "sandbox" });
  const visitor = await newVisitor();
  await visitor.page.goto(site.url);
  await expectFrozen(visitor.page.frameLocator("iframe"));
  site.close();
  const blocked = (await newVisitor()).page;
  await blocked.route(/\/embed\.js/, (route) => route.abort());
  await blocked.goto(`/r/${room}/embed`);
  await expectFrozen(blocked);
  // Without the shared stream it fetches the list.
  for (const file of [/\/feed\.js/, /nothing/]) {
    const { page } = await newVisitor();
    await page.route(file, (route) => route.abort());
    await page.goto(`/r/${room}/embed`);
    await expect(page.locator("html")).toHaveAttribute("data-hydrated");
    await expect(page.getByText("Not live").filter({ visible: true })).toHaveCount(0);
  }
});

/** Takes so many connections to a server, until the returned function is called. */
async function takeConnections(server: { url: string }, count: number): Promise<() => void> {
  const { hostname, port } = new URL(server.url);
  const sockets = Array.from({ length: count }, () => connect(Number(port), hostname));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  return () => sockets.forEach((socket) => socket.destroy());
}

const MAX_CONNECTIONS = 12;

for (const [what, attributes, javaScriptEnabled] of [
  ["a frame", "", true],
  ["a sandboxed frame", 'sandbox="allow-scripts"', true],
  ["a frame without scripts", "", false],
] as const) {
  test(`${what} that the server rejects says why, and loads the embed later`, async ({
    newVisitor,
    serverWith,
    browserErrors,
    room,
  }) => {
    browserErrors.areExpected(/status of 429/);
    browserErrors.areExpected(NO_CONNECTION);
    const server = await serverWith(["--max-connections-per-address", String(MAX_CONNECTIONS)]);
    // Scripts are switched off for the process of a page. A frame of another site has a process of its own, for which
    // that may come too late: then neither its scripts nor what stands in for them count.
    const host = javaScriptEnabled ? "localhost" : "127.0.0.1";
    const site = await siteWithFrames([`${server.url}/r/${room}/embed`], { attributes, host });
    const { page } = await newVisitor({ javaScriptEnabled });
    const release = await takeConnections(server, MAX_CONNECTIONS);
    await page.goto(site.url);
    const frame = page.frameLocator("iframe");
    await expect(frame.getByText("Too much comes from your network at the moment.")).toBeVisible();
    await expect(frame.getByText("This view tries again by itself.")).toBeVisible();
    if (javaScriptEnabled) {
      const alone = await page.context().newPage();
      await alone.goto(`${server.url}/r/${room}/embed`);
      await expect(alone.getByText("Too much comes from your network at the moment.")).toBeVisible();
      await expectNoAxeViolations(alone);
      await alone.close();
    }
    release();
    await expect(frame.getByText("Nobody here yet")).toBeVisible(UNTIL_RECONNECTED);
    site.close();
  });
}

test("an embed whose script is rejected loads again later", async ({ newVisitor, browserErrors, room }) => {
  browserErrors.areExpected(/status of 429/);
  const { page } = await newVisitor();
  await page.clock.install();
  await page.route(/\/embed\.js/, (route) => route.fulfill({ status: 429, body: "Too many connections." }));
  await page.goto(`/r/${room}/embed`);
  await expect(page.locator("html")).not.toHaveAttribute("data-hydrated");
  await page.unroute(/\/embed\.js/);
  const loaded = page.waitForEvent("load");
  await page.clock.fastForward(30_000);
  await loaded;
  await expect(page.locator("html")).toHaveAttribute("data-hydrated");
});

test("a rejected frame stays a page while the server is away", async ({
  newVisitor,
  serverWith,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(/status of 429/);
  browserErrors.areExpected(NO_CONNECTION);
  const server = await serverWith(["--max-connections-per-address", String(MAX_CONNECTIONS)]);
  const { page } = await newVisitor({ of: server });
  await page.clock.install();
  await takeConnections(server, MAX_CONNECTIONS);
  await page.goto(`/r/${room}/embed`);
  const sentence = page.getByText("Too much comes from your network at the moment.");
  await expect(sentence).toBeVisible();
  await server.kill();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const failed = page.waitForEvent("requestfailed");
    await page.clock.fastForward(10_000);
    await failed;
  }
  await expect(sentence).toBeVisible();
  await server.start();
  const loaded = page.waitForEvent("load");
  await page.clock.fastForward(10_000);
  await loaded;
  await expect(page.getByText("Nobody here yet")).toBeVisible();
});

test("an embed whose update is refused says why, and asks again when it may", async ({
  newVisitor,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(/status of (429|503)/);
  // A clock that jumps makes the feed look silent.
  browserErrors.areExpected(NO_CONNECTION);
  await clients.joinInOrder(server, room, ["Ana"]);
  const { page } = await newVisitor();
  await page.clock.install();
  await page.goto(`/r/${room}/embed`);
  const faces = page.getByRole("listitem");
  await expect(faces).toHaveCount(1);
  for (const [answer, words, newcomer, count] of [
    [
      { status: 429, headers: { "retry-after": "60" }, body: "<p><b data-refusal>Too many requests.</b></p>" },
      "Not live. Too many requests.",
      "Bo",
      3,
    ],
    // A proxy has a page of its own.
    [{ status: 503, headers: { "retry-after": "60" }, body: "<p>Busy</p>" }, "Not live. Reconnecting…", "Cy", 5],
  ] as const) {
    let requests = 0;
    await page.route("**/embed", (route) => {
      requests += 1;
      return route.fulfill({ contentType: "text/html", ...answer });
    });
    await clients.join(server, room, newcomer);
    await expect(async () => {
      await page.clock.fastForward(1_200);
      await expect(page.getByText(words)).toBeVisible({ timeout: 500 });
    }).toPass();
    await page.clock.fastForward(55_000);
    // Another change does not make it ask either.
    await clients.join(server, room, `${newcomer} 2`);
    expect(requests).toBe(1);
    await page.unroute("**/embed");
    await page.clock.fastForward(66_000);
    await expect(faces).toHaveCount(count);
    await expect(page.getByText("Not live").filter({ visible: true })).toHaveCount(0);
  }
});

test("an embed of a full room says so, and follows it when there is a place", async ({
  newVisitor,
  serverWith,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(/status of 503/);
  browserErrors.areExpected(NO_CONNECTION);
  const server = await serverWith(["--max-sockets-per-room", "1"]);
  const ana = await clients.join(server, room, "Ana");
  const { page } = await newVisitor({ of: server, viewport: { width: 400, height: 160 } });
  await page.goto(`/r/${room}/embed`);
  const sentence = page.getByText("Not live. This room is full. Try again later.");
  await expect(sentence).toBeInViewport({ ratio: 1, ...UNTIL_RECONNECTED });
  await expect(page.locator(".face:not(.only-heard) .avatar")).toBeInViewport({ ratio: 1 });
  await ana.leave();
  ana.abandon();
  await expect(sentence).toBeHidden(UNTIL_RECONNECTED);
  await expect(page.getByText("Nobody here yet")).toBeVisible();
});

test("a frame of 400 × 160 keeps its faces while it is not live", async ({
  newVisitor,
  ownServer,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.joinInOrder(ownServer, room, ["Ana"]);
  const { page } = await newVisitor({ of: ownServer, viewport: { width: 400, height: 160 } });
  await page.goto(`/r/${room}/embed`);
  await expect(page.locator("html")).toHaveAttribute("data-fit");
  await ownServer.kill();
  await expect(page.getByText("Not live. Reconnecting…")).toBeInViewport({ ratio: 1 });
  await expect(page.locator(".face:not(.only-heard) .avatar")).toBeInViewport({ ratio: 1 });
  await expect(page.locator(".rest:not([hidden])")).toHaveCount(0);
});

test("an embed of a room that can't exist says so, and its links open a tab", async ({
  newVisitor,
  server,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(/status of 404/);
  const visitor = await newVisitor();
  const site = await siteWithFrames([`${server.url}/r/${room}_é/embed`]);
  await visitor.page.goto(site.url);
  const frame = visitor.page.frameLocator("iframe");
  await expect(frame.getByRole("heading", { name: "Page not found" })).toBeVisible();
  const opened = visitor.context.waitForEvent("page");
  await frame.getByRole("link", { name: "Go to the lobby" }).click();
  await new Visitor(await opened).isLive();
  site.close();
});

test("the links of a sandboxed frame as the README proposes it open a tab", async ({
  newVisitor,
  server,
  room,
}) => {
  const readme = readFileSync(join(__dirname, "../../README.md"), "utf8");
  const attributes = /`(sandbox="[^"]+")`/.exec(readme)![1]!;
  const visitor = await newVisitor();
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`], { attributes });
  await visitor.page.goto(site.url);
  const opened = visitor.context.waitForEvent("page");
  await visitor.page.frameLocator("iframe").getByRole("link", { name: "Join" }).click();
  await new Visitor(await opened).join("Ana");
  site.close();
});

/** How much of an element is visible in its frame, from 0 to 1. */
async function visibleRatio(element: Locator): Promise<number> {
  return element.evaluate(
    (element) =>
      new Promise<number>((resolve) => {
        new IntersectionObserver(([entry], observer) => {
          observer.disconnect();
          resolve(entry?.intersectionRatio ?? 0);
        }).observe(element);
      }),
  );
}

for (const [people, height] of [
  [2, 160],
  [13, 160],
  [13, 220],
  [60, 160],
  [60, 400],
] as const) {
  test(`a frame of 400 × ${height} shows whole faces of ${people} people and names of three`, async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const names = numberedPeople(people);
    await clients.joinInOrder(server, room, names);
    const { page } = await newVisitor({ viewport: { width: 400, height }, reducedMotion: "reduce" });
    await page.goto(`/r/${room}/embed`);
    await expect(page.locator("html")).toHaveAttribute("data-fit");
    // Nothing is cut, and the frame does not scroll.
    const parts = page.locator(".count, h1 a, .face:not(.only-heard) .avatar, .rest:not([hidden]), .names");
    for (const part of await parts.all()) {
      await expect(part).toBeInViewport({ ratio: 1 });
      expect(await visibleRatio(part)).toBeGreaterThan(0.99);
    }
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(height);
    // Those who are not drawn are counted.
    const drawn = await page.locator(".face:not(.only-heard)").count();
    expect(drawn).toBeGreaterThan(0);
    const rest = page.locator(".rest:not([hidden])");
    if (drawn < people) await expect(rest).toHaveText(`+${people - drawn}`);
    else await expect(rest).toHaveCount(0);
    const [first, second, third] = names;
    await expect(page.locator(".names")).toHaveText(
      people > 2 ? `${first}, ${second}, ${third} and ${people - 3} more` : `${first} and ${second}`,
    );
    // Screen readers hear everyone who has a face.
    await expect(page.getByRole("listitem")).toHaveCount(Math.min(people, 24));
  });
}

test("the names of an embed stay on one line, however long they are", async ({ newVisitor, server, clients, room }) => {
  const long = "Wolfeschlegelsteinhausenbergerdorff";
  await clients.joinInOrder(server, room, [long, `${long} 2`, `${long} 3`, "Di", "Ed"]);
  const { page } = await newVisitor({ viewport: { width: 400, height: 160 } });
  await page.goto(`/r/${room}/embed`);
  await expectNoHorizontalScroll(page);
  const more = page.locator(".names span").last();
  await expect(more).toHaveText(" and 2 more");
  await expect(more).toBeInViewport({ ratio: 1 });
  for (const name of await page.locator(".names bdi").all()) {
    expect((await name.boundingBox())!.width).toBeGreaterThan(20);
  }
});

test("the embed of an empty room has a link to join it in a tab of its own", async ({ newVisitor, server, room }) => {
  const visitor = await newVisitor();
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`]);
  await visitor.page.goto(site.url);
  const frame = visitor.page.frameLocator("iframe");
  await expect(frame.getByText("Nobody here yet · Join")).toBeVisible();
  const colour = await frame.locator(".nobody").evaluate((text) => getComputedStyle(text).color);
  await expect(frame.getByRole("link", { name: "Join" })).toHaveCSS("color", colour);
  const opened = visitor.context.waitForEvent("page");
  await frame.getByRole("link", { name: "Join" }).click();
  const tab = new Visitor(await opened);
  await tab.join("Ana");
  await expect(frame.getByText("Nobody here yet")).toBeHidden();
  await expect(frame.getByRole("listitem")).toContainText(["Ana"]);
  site.close();
});

test("the embed tells the page around it the height that it needs", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, numberedPeople(20));
  const visitor = await newVisitor();
  const { page } = visitor;
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`]);
  await page.addInitScript((origin) => {
    if (top !== self) return;
    // What the README proposes.
    addEventListener("message", ({ data, origin: from, source }) => {
      if (from !== origin || data?.type !== "rollcall:height") return;
      const frames = [...document.querySelectorAll("iframe")];
      const frame = frames.find(({ contentWindow }) => contentWindow === source);
      if (frame) frame.height = data.height;
    });
  }, server.url);
  await page.goto(site.url);
  await expect(page.locator("iframe")).not.toHaveAttribute("height", "240");
  const frame = page.frameLocator("iframe");
  await expect(frame.locator(".face.only-heard")).toHaveCount(0);
  await expect(frame.locator(".rest:not([hidden])")).toHaveCount(0);
  const [needed, given] = await frame
    .locator("html")
    .evaluate((html) => [html.querySelector(".names")!.getBoundingClientRect().bottom, innerHeight]);
  expect(given! - needed!).toBeGreaterThanOrEqual(0);
  expect(given! - needed!).toBeLessThan(20);
  site.close();
});

test("the embed counts those who are here, and tells the states apart by shape and tooltip", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.join(server, room, "Hera");
  const awad = await clients.join(server, room, "Awad");
  const rhea = await clients.join(server, room, "Rhea");
  awad.send({ event: "visible", visible: false });
  const { page } = await newVisitor({ reducedMotion: "reduce" });
  await page.goto(`/r/${room}/embed`);
  await expect(page.getByText("2 here now · 1 away")).toBeVisible(UNTIL_AWAY);
  await expect(page).toHaveTitle(/^\(2\) /);
  rhea.abandon();
  const face = (name: string) => page.locator(`.face[title^="${name}"]`);
  await expect(face("Rhea")).toHaveAttribute("title", "Rhea, reconnecting…");
  await expect(face("Awad")).toHaveAttribute("title", "Awad, away");
  await expect(face("Hera")).toHaveAttribute("title", "Hera");
  // Without colours: the silhouettes of the marks differ in many pixels, and not in their texture.
  const shapes = new Set<string>();
  for (const name of ["Hera", "Awad", "Rhea"]) {
    shapes.add(
      await face(name).locator(".avatar").evaluate((avatar) => {
        const { width, height, content, borderRadius } = getComputedStyle(avatar, "::after");
        const { outlineStyle } = getComputedStyle(avatar);
        return content === "none" ? `ring ${outlineStyle}` : `mark ${width} × ${height}, ${borderRadius}`;
      }),
    );
  }
  expect([...shapes]).toEqual(["mark 13px × 13px, 50%", "mark 18px × 7px, 2px", "ring dashed"]);
});
