// Views of one browser share one event stream: browsers open only six HTTP/1.1 connections to a host.

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { openRequests } from "../support/open-requests";
import { siteWithFrames } from "../support/other-site";
import { UNTIL_RECONNECTED, type Visitor } from "../support/visitor";

/** More views than a browser opens connections to a host. */
const VIEWS = 7;

/** Shorter than the silence after which a view looks for a new stream. */
const SOON = { timeout: 5_000 };

/** The URLs of the event streams of a browser that have not ended. */
function streamsOf({ context }: Visitor): () => string[] {
  return openRequests(context, /\/events(\?|$)/);
}

function frames(visitor: Visitor, count: number) {
  return Array.from({ length: count }, (_, index) => visitor.page.frameLocator("iframe").nth(index));
}

test("seven embeds of different rooms on one page are all live over HTTP/1.1", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const rooms = Array.from({ length: VIEWS }, (_, index) => `${room}-${index}`);
  for (const each of rooms) await clients.join(server, each, "Ana");
  const visitor = await newVisitor();
  const streams = streamsOf(visitor);
  const site = await siteWithFrames(rooms.map((each) => `${server.url}/r/${each}/embed`));
  await visitor.page.goto(site.url);
  const embeds = frames(visitor, VIEWS);
  for (const embed of embeds) await expect(embed.getByTestId("count")).toHaveText("1");
  for (const each of rooms) await clients.join(server, each, "Bo");
  for (const embed of embeds) await expect(embed.getByTestId("count")).toHaveText("2");
  await expect.poll(() => streams().length).toBe(1);

  // When some of them go, the others stay live.
  for (const left of [VIEWS - 1, 1]) {
    await visitor.page.evaluate((left) => {
      for (const frame of [...document.querySelectorAll("iframe")].slice(0, -left)) frame.remove();
    }, left);
    const newcomer = left === 1 ? "Di" : "Cy";
    for (const each of rooms.slice(-left)) await clients.join(server, each, newcomer);
    for (const embed of frames(visitor, left)) {
      await expect(embed.getByTestId("count")).toHaveText(left === 1 ? "4" : "3", SOON);
      await expect(embed.getByText("Not live. Reconnecting…")).toBeHidden();
    }
  }
  // The room itself opens in a tab of its own.
  const tab = await visitor.openTab();
  await tab.page.goto(`${server.url}/r/${rooms[0]}`);
  await tab.isLive();
  site.close();
});

test("another view takes over the stream when the page that had it disappears", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.join(server, room, "Ana");
  const visitor = await newVisitor();
  const streams = streamsOf(visitor);
  const site = await siteWithFrames(Array.from({ length: 3 }, () => `${server.url}/r/${room}/embed`));
  await visitor.page.goto(site.url);
  for (const embed of frames(visitor, 3)) await expect(embed.getByTestId("count")).toHaveText("1");
  await clients.join(server, room, "Bo");
  for (const embed of frames(visitor, 3)) await expect(embed.getByTestId("count")).toHaveText("2");
  await expect.poll(() => streams().length).toBe(1);
  // All but the last go, as in a crash without a goodbye.
  const embeds = visitor.page.frames().slice(1, 3);
  for (const embed of embeds) {
    await embed.evaluate(() => {
      BroadcastChannel.prototype.postMessage = () => undefined;
    });
  }
  await visitor.page.evaluate(() => {
    for (const frame of [...document.querySelectorAll("iframe")].slice(0, 2)) frame.remove();
  });
  await clients.join(server, room, "Cy");
  const [last] = frames(visitor, 1);
  await expect(last!.getByTestId("count")).toHaveText("3", UNTIL_RECONNECTED);
  await expect(last!.getByText("Not live. Reconnecting…")).toBeHidden();
  await expect.poll(() => streams().length).toBe(1);
  site.close();
});

test("an embed of another room joins the stream that is open", async ({ newVisitor, server, clients, room }) => {
  const visitor = await newVisitor();
  const streams = streamsOf(visitor);
  const site = await siteWithFrames([`${server.url}/r/${room}-a/embed`]);
  await visitor.page.goto(site.url);
  const [first, second] = frames(visitor, 2);
  await clients.join(server, `${room}-a`, "Ana");
  await expect(first!.getByTestId("count")).toHaveText("1");
  await visitor.page.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.src = url;
    document.body.append(frame);
  }, `${server.url}/r/${room}-b/embed`);
  await expect(second!.getByTestId("count")).toHaveText("0");
  await clients.join(server, `${room}-b`, "Bo");
  await expect(second!.getByTestId("count")).toHaveText("1");
  await clients.join(server, `${room}-a`, "Cy");
  await expect(first!.getByTestId("count")).toHaveText("2");
  // One stream has both rooms.
  await expect.poll(streams).toEqual([expect.stringMatching(/rooms=[^&]*-a,[^&]*-b/)]);
  site.close();
});

test("seven tabs that get no WebSocket are all live by one event stream", async ({
  newVisitor,
  networkTo,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.join(server, room, "Ana");
  const network = await networkTo(server);
  network.setCondition("no-websockets");
  const visitor = await newVisitor({ of: network });
  const streams = streamsOf(visitor);
  const tabs = [visitor];
  while (tabs.length < VIEWS) tabs.push(await visitor.openTab());
  for (const tab of tabs) await tab.page.goto(`/r/${room}`);
  for (const tab of tabs) await tab.isLive(UNTIL_RECONNECTED);
  await clients.join(server, room, "Bo");
  for (const tab of tabs) await tab.shows(["Ana", "Bo"]);
  await expect.poll(() => streams().length).toBe(1);
  // Tabs that close take nothing from the others.
  for (const tab of tabs.slice(0, 3)) await tab.page.close();
  await clients.join(server, room, "Cy");
  for (const tab of tabs.slice(3)) await tab.shows(["Ana", "Bo", "Cy"], SOON);
});

test("an embed in a sandboxed frame is styled and live", async ({ newVisitor, server, clients, room }) => {
  await clients.join(server, room, "Ana");
  const visitor = await newVisitor();
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`], {
    attributes: `sandbox="allow-scripts"`,
  });
  await visitor.page.goto(site.url);
  const [embed] = frames(visitor, 1);
  await expect(embed!.locator(".faces")).toHaveCSS("display", "flex");
  await expect(embed!.getByTestId("count")).toHaveText("1");
  await clients.join(server, room, "Bo");
  await expect(embed!.getByTestId("count")).toHaveText("2");
  await expect(embed!.getByText("Not live. Reconnecting…")).toBeHidden();
  site.close();
});

test("twelve sandboxed embeds on one page are all live over HTTP/1.1", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const rooms = Array.from({ length: 12 }, (_, index) => `${room}-${index}`);
  const visitor = await newVisitor();
  const site = await siteWithFrames(
    rooms.map((each) => `${server.url}/r/${each}/embed`),
    { attributes: `sandbox="allow-scripts"` },
  );
  await visitor.page.goto(site.url);
  const embeds = frames(visitor, rooms.length);
  for (const embed of embeds) await expect(embed.getByTestId("count")).toHaveText("0");
  for (const each of rooms) await clients.join(server, each, "Ana");
  for (const embed of embeds) {
    await expect(embed.getByTestId("count")).toHaveText("1");
    await expect(embed.getByText("Not live. Reconnecting…")).toBeHidden();
  }
  site.close();
});

test("an embed is live where the browser blocks this site's storage", async ({ newVisitor, server, clients, room }) => {
  const visitor = await newVisitor();
  await visitor.page.addInitScript(() => {
    // As in Firefox, where cookies are blocked.
    globalThis.BroadcastChannel = class {
      constructor() {
        throw new DOMException("The operation is insecure.", "SecurityError");
      }
    } as unknown as typeof BroadcastChannel;
  });
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`]);
  await visitor.page.goto(site.url);
  const [embed] = frames(visitor, 1);
  await expect(embed!.getByTestId("count")).toHaveText("0");
  await clients.join(server, room, "Ana");
  await expect(embed!.getByTestId("count")).toHaveText("1");
  await expect(embed!.getByText("Not live. Reconnecting…")).toBeHidden();
  site.close();
});

test("a full room takes nothing from the other embeds, and is live when it has a place", async ({
  newVisitor,
  serverWith,
  clients,
  browserErrors,
  room,
}) => {
  // Of a stream that has no other room yet.
  browserErrors.areExpected(/status of 503/);
  // The embed asks why, and by then there may be a place.
  browserErrors.areExpected(NO_CONNECTION);
  const server = await serverWith(["--max-sockets-per-room", "2"]);
  const rooms = [`${room}-a`, `${room}-b`, `${room}-full`];
  for (const each of rooms) await clients.join(server, each, "Ana");
  const bo = await clients.join(server, rooms[2]!, "Bo");
  const visitor = await newVisitor();
  const site = await siteWithFrames(rooms.map((each) => `${server.url}/r/${each}/embed`));
  await visitor.page.goto(site.url);
  const [first, second, full] = frames(visitor, 3);
  await expect(full!.getByText("Not live. This room is full. Try again later.")).toBeVisible();
  for (const embed of [first, second]) await expect(embed!.getByText("Not live. Reconnecting…")).toBeHidden();
  bo.abandon();
  await expect(full!.locator(".old")).toBeHidden(UNTIL_RECONNECTED);
  site.close();
});

test("the rooms that one stream does not take are told at once", async ({ newVisitor, room }) => {
  const { page } = await newVisitor();
  await page.goto(`/r/${room}/embed`);
  const { told, requested } = await page.evaluate(async () => {
    const requested: string[] = [];
    globalThis.EventSource = class extends EventTarget {
      constructor(url: URL) {
        super();
        requested.push(String(url.searchParams.get("rooms")));
      }
      close(): void {}
    } as unknown as typeof EventSource;
    const script = "/feed-hub.js";
    const { Hub } = await import(script);
    const told: string[] = [];
    const hub = new Hub((room: string, news: { isLost?: boolean }) => news.isLost && told.push(room));
    for (let number = 1; number <= 51; number += 1) hub.watch(number, { room: `r${number}` });
    while (requested.length === 0) await new Promise(requestAnimationFrame);
    hub.close();
    return { told, requested };
  });
  expect(told).toEqual(["r51"]);
  expect(requested[0]!.split(",")).toHaveLength(50);
});

test("embeds in a cross-origin isolated page are live", async ({ newVisitor, server, clients, room }) => {
  await clients.join(server, room, "Ana");
  const visitor = await newVisitor();
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`], {
    headers: {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    },
  });
  await visitor.page.goto(site.url);
  expect(await visitor.page.evaluate(() => crossOriginIsolated)).toBe(true);
  const [embed] = frames(visitor, 1);
  await expect(embed!.getByTestId("count")).toHaveText("1");
  await clients.join(server, room, "Bo");
  await expect(embed!.getByTestId("count")).toHaveText("2");
  site.close();
});

test("an embed without a free connection says so at once, and is live when there is one", async ({
  newVisitor,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.join(server, room, "Ana");
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.goto(`/r/${room}/embed`);
  await expect(page.getByTestId("count")).toHaveText("1");
  // Another program of this site takes all other connections.
  await page.evaluate(async (room) => {
    const feeds = Array.from({ length: 6 }, () => new EventSource(`/api/rooms/${room}/events`));
    Object.assign(globalThis, { feeds });
    const opened = feeds.slice(0, 5).map((feed) => new Promise((isOpen) => feed.addEventListener("open", isOpen)));
    await Promise.all(opened);
  }, room);
  await clients.join(server, room, "Bo");
  await expect(page.getByText("Not live. Reconnecting…")).toBeVisible();
  await page.evaluate(() => {
    for (const feed of (globalThis as unknown as { feeds: EventSource[] }).feeds) feed.close();
  });
  await expect(page.getByTestId("count")).toHaveText("2", UNTIL_RECONNECTED);
  await expect(page.getByText("Not live. Reconnecting…")).toBeHidden();
});
