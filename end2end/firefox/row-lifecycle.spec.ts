// "The life of a row" of docs/protocol.md in Firefox: what other people see when a page is reloaded,
// left and gone back to, hidden, disconnected, or closed.

import { NO_CONNECTION } from "../support/browser-errors";
import { changesIn, type Difference } from "../support/protocol";
import { UNTIL_A_ROW_IS_REMOVED } from "../support/visitor";
import { expect, test } from "./driver/fixtures";
import type { FirefoxVisitor } from "./driver/visitor";

/** Longer than the server waits until it marks a person as away. */
const UNTIL_AWAY = { timeout: 45_000 };

/** The changes that the server sends to an observer from now on. */
async function recordChanges(observer: FirefoxVisitor): Promise<() => Promise<Difference[]>> {
  const before = (await observer.wire()).received.length;
  return async () => changesIn((await observer.wire()).received.slice(before));
}

test("other people do not notice a reload", async ({ pair, server, clients, room }) => {
  const { ana, bo } = pair;
  await bo.shows(["Ana", "Bo"]);
  const bosChanges = await recordChanges(bo);
  await ana.page.reload();
  await ana.isLive();
  await ana.isListedAs("Ana");
  await ana.shows(["Ana", "Bo"]);
  // A later join arrives, so an update about the reload would have arrived too.
  const program = await clients.join(server, room, "A program");
  await bo.shows(["Ana", "Bo", "A program"]);
  expect(await bosChanges()).toMatchObject([{ new_user: [{ id: await program.id() }] }]);
});

test("a second tab changes nothing for other people", async ({
  pair,
  server,
  clients,
  room,
}) => {
  const { ana, bo } = pair;
  await bo.shows(["Ana", "Bo"]);
  const bosChanges = await recordChanges(bo);
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  for (const tab of [ana, secondTab]) await tab.isListedAs("Ana");
  await ana.page.close();
  const program = await clients.join(server, room, "A program");
  await bo.shows(["Ana", "Bo", "A program"]);
  expect(await bosChanges()).toMatchObject([{ new_user: [{ id: await program.id() }] }]);
});

test("a tab shows that the person left in another tab", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  await secondTab.leave();
  await expect.poll(() => ana.elements.farewell.text()).toBe("You left in another tab.");
  expect(await secondTab.elements.farewell.count()).toBe(0);
});

test("going back to the page is like a reload", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  const bo = await newVisitor();
  // Firefox keeps no page with an open WebSocket in its back/forward cache, so it loads the page anew.
  const goBack = async () => {
    await ana.page.goBack();
    await ana.isLive();
  };
  await ana.openAndJoin(room, "Ana");
  await bo.openAndJoin(room, "Bo");
  await ana.shows(["Ana", "Bo"]);

  // Back at once: other people notice nothing.
  const bosChanges = await recordChanges(bo);
  await ana.open(`${room}-next-door`);
  await goBack();
  await ana.isListedAs("Ana");
  expect(await bosChanges()).toEqual([]);

  // Back after longer: the row was removed, and the page asks again, with the name filled in.
  await ana.open(`${room}-next-door`);
  await bo.shows(["Bo"], UNTIL_A_ROW_IS_REMOVED);
  await goBack();
  await ana.shows(["Bo"]);
  await ana.elements.joinButton.click();
  for (const visitor of [ana, bo]) await visitor.shows(["Bo", "Ana"]);
});

test("closing the page removes the row after a moment, with the reason", async ({ pair }) => {
  const { ana, bo } = pair;
  const boId = await bo.ownId();
  await expect.poll(() => ana.lastActivity()).toBe("Bo joined");
  await bo.page.close();
  await ana.shows(["Ana"], UNTIL_A_ROW_IS_REMOVED);
  await expect.poll(() => ana.lastActivity()).toBe("Bo left");
  const last = changesIn((await ana.wire()).received).at(-1);
  expect(last?.disconnect_user).toEqual({ closed: [boId] });
});

test("leaving removes the row at once, with the reason", async ({ pair }) => {
  const { ana, bo } = pair;
  const boId = await bo.ownId();
  await expect.poll(() => ana.lastActivity()).toBe("Bo joined");
  await bo.leave();
  await ana.shows(["Ana"]);
  const last = changesIn((await ana.wire()).received).at(-1);
  expect(last?.disconnect_user).toEqual({ left: [boId] });
});

test("a person whose tab is hidden for 30 s is away, and here again when it is visible", async ({
  pair,
}) => {
  const { ana, bo } = pair;
  const anaId = await ana.ownId();
  // Another tab of the window hides the page, as in life: Chromium's tests imitate the event.
  const otherTab = await ana.openTab();
  await expect.poll(() => ana.page.evaluate(() => document.visibilityState)).toBe("hidden");
  await bo.showsState(anaId, "away", UNTIL_AWAY);
  await otherTab.page.close();
  await ana.page.bringToFront();
  await bo.showsState(anaId, "here");
  expect((await ana.wire()).sockets).toHaveLength(1);
});

test("a row is reconnecting during an outage of 5 s, and is kept", async ({
  newVisitor,
  networkTo,
  browserErrors,
  server,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  const network = await networkTo(server);
  const ana = await newVisitor({ of: network });
  const bo = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await bo.openAndJoin(room, "Bo");
  await ana.shows(["Ana", "Bo"]);
  const anaId = await ana.ownId();
  const bosChanges = await recordChanges(bo);

  network.setCondition("down");
  await bo.showsState(anaId, "reconnecting");
  await ana.isDisconnected();
  const age = async () =>
    Number(/List from (\d+) sec\. ago/.exec((await ana.elements.banner.text()) ?? "")?.[1] ?? 0);
  await expect.poll(age).toBeGreaterThanOrEqual(5);
  network.setCondition("clear");
  await ana.isReconnected();
  await bo.showsState(anaId, "here");
  expect(await bosChanges()).toEqual([
    { user_changed: { reconnecting: [anaId] } },
    { user_changed: { here: [anaId] } },
  ]);
});
