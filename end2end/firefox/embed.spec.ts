// The embed of a room in a frame on another site, in Firefox.

import type { Frame } from "puppeteer-core";

import { NO_CONNECTION } from "../support/browser-errors";
import { siteWithFrames, type OtherSite } from "../support/other-site";
import { UNTIL_RECONNECTED } from "../support/visitor";
import { FirefoxElement } from "./driver/element";
import { expect, test } from "./driver/fixtures";
import type { FirefoxVisitor } from "./driver/visitor";

const NAMES = ["Ana Sousa", "<b>Bo</b>", "مريم الحداد", "李小龍", "🙂 Sunny"];

let site: OtherSite | undefined;
test.afterEach(() => site?.close());

/** Opens the other site's page and finds elements in its frame. */
async function embedIn(visitor: FirefoxVisitor, url: string) {
  site = await siteWithFrames([url]);
  await visitor.page.goto(site.url);
  const frame = (): Frame => {
    const [frame] = visitor.page.mainFrame().childFrames();
    if (!frame) throw new Error("The page of the other site has no frame.");
    return frame;
  };
  return {
    count: new FirefoxElement(frame, { testId: "count" }),
    faces: new FirefoxElement(frame, { css: "[aria-label='Who is here'] > li" }),
    notLive: new FirefoxElement(frame, { css: ".old" }),
  };
}

test("the embed shows a live list on another site, and does not join the room", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  const { count, faces } = await embedIn(visitor, `${server.url}/r/${room}/embed`);
  const containing = (names: readonly string[]) => names.map((name) => expect.stringContaining(name));
  await expect.poll(() => count.text()).toBe("5");
  await expect.poll(() => faces.texts()).toEqual(containing(NAMES));

  const olu = await clients.join(server, room, "Olu");
  await expect.poll(() => faces.texts()).toEqual(containing([...NAMES, "Olu"]));
  await expect.poll(() => count.text()).toBe("6");
  olu.send({ event: "leave" });
  await expect.poll(() => faces.texts()).toEqual(containing(NAMES));

  expect((await visitor.wire()).sockets).toEqual([]);
  expect(await visitor.context.cookies()).toEqual([]);
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
  const { faces, notLive } = await embedIn(visitor, `${ownServer.url}/r/${room}/embed`);
  await expect.poll(() => faces.count()).toBe(1);
  await expect.poll(() => notLive.isVisible()).toBe(false);
  await ownServer.kill();
  await expect.poll(() => notLive.isVisible()).toBe(true);
  await ownServer.start();
  await expect.poll(() => notLive.isVisible(), UNTIL_RECONNECTED).toBe(false);
  await clients.join(ownServer, room, "Bo");
  await expect.poll(async () => (await faces.texts()).join()).toContain("Bo");
});
