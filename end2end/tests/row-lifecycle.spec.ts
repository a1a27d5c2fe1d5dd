// "The life of a row" of docs/protocol.md, in real browsers: what other people see when a page is
// reloaded, duplicated, hidden, restored from the back/forward cache, disconnected, or closed.

import type { Locator, WebSocketRoute } from "@playwright/test";

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { disconnectedUsers, changesIn, newUsers, type ClientFrame } from "../support/protocol";
import { UNTIL_AWAY, UNTIL_RECONNECTED, UNTIL_A_ROW_IS_REMOVED, Visitor } from "../support/visitor";

/** A person's row in an observer's list. */
function row(observer: Visitor, id: string): Locator {
  return observer.rowWithId(id);
}

/** Records the changes that the server sends to an observer from now on. */
function recordChanges(observer: Visitor): { changes: () => ReturnType<typeof changesIn> } {
  const before = observer.wire.received.length;
  return { changes: () => changesIn(observer.wire.received.slice(before)) };
}

test.describe("tabs", () => {
  test("a second tab changes nothing for other people", async ({
    pair,
    server,
    clients,
    room,
  }) => {
    const { ana, bo } = pair;
    await bo.shows(["Ana", "Bo"]);

    const bosChanges = recordChanges(bo);
    const secondTab = await ana.openTab();
    await secondTab.open(room);
    for (const tab of [ana, secondTab]) await tab.isListedAs("Ana");
    await ana.page.close();
    // A later join arrives, so an update about the closed tab would have arrived too.
    const program = await clients.join(server, room, "A program");
    await bo.shows(["Ana", "Bo", "A program"]);
    expect(bosChanges.changes()).toMatchObject([{ new_user: [{ id: await program.id() }] }]);
    expect(bosChanges.changes()).toHaveLength(1);
  });

  test("a duplicated tab gets an id of its own, and both tabs stay connected", async ({ pair }) => {
    const { ana, bo } = pair;
    const bosChanges = recordChanges(bo);

    // A page that is opened by another starts with a copy of its sessionStorage, like a duplicate.
    const opened = ana.context.waitForEvent("page");
    await ana.page.evaluate(() => void window.open(window.location.href));
    const duplicate = new Visitor(await opened);
    await duplicate.isLive();
    await duplicate.isListedAs("Ana");
    await duplicate.leave();
    await bo.shows(["Bo"]);
    expect(ana.wire.sockets).toHaveLength(1);
    expect(bosChanges.changes()).toMatchObject([{ disconnect_user: { left: [expect.any(String)] } }]);
  });

  test("a page whose tab id is in use reconnects under another one, unnoticed by other people", async ({
    pair,
    room,
  }) => {
    const { ana, bo } = pair;
    await ana.shows(["Ana", "Bo"]);
    const tabs = (visitor: Visitor) =>
      visitor.wire.sent.flatMap((frame) => (frame.tab === undefined ? [] : [frame.tab]));
    const [first] = tabs(ana);
    if (first === undefined) throw new Error("A page names its tab.");
    const bosChanges = recordChanges(bo);

    // The copy has the id of the first tab, as after a crash of the browser.
    const copy = await ana.openTab();
    await copy.page.addInitScript((tab) => sessionStorage.setItem("rollcall-tab", tab), first);
    await copy.open(room);
    await expect.poll(() => ana.wire.sockets.length).toBe(2);
    await ana.isReconnected();
    expect(tabs(copy)).toEqual([first]);
    await expect.poll(() => tabs(ana).at(-1)).not.toBe(first);
    for (const tab of [ana, copy]) await tab.isListedAs("Ana");
    // The tabs don't replace each other's sockets again.
    await bo.rename("Bob");
    for (const visitor of [ana, copy, bo]) await visitor.shows(["Ana", "Bob"]);
    expect(ana.wire.sockets).toHaveLength(2);
    expect(copy.wire.sockets).toHaveLength(1);
    expect(bosChanges.changes()).toHaveLength(1);
  });

  test("a tab that was frozen during a leave does not list its person again", async ({
    newVisitor,
    browserErrors,
    room,
  }) => {
    browserErrors.areExpected(NO_CONNECTION);
    const bo = await newVisitor();
    await bo.openAndJoin(room, "Bo");
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const frozen = await ana.openTab();
    // Only this tab loses its network for a while.
    let isFrozen = false;
    const sockets: WebSocketRoute[] = [];
    await frozen.page.routeWebSocket(/socket$/, (socket) => {
      if (isFrozen) return void socket.close();
      socket.connectToServer();
      sockets.push(socket);
    });
    await frozen.page.route(/\/events(\?|$)/, async (route) => route.abort());
    await frozen.open(room);
    await frozen.isListedAs("Ana");

    isFrozen = true;
    for (const socket of sockets) await socket.close();
    await frozen.isDisconnected();
    await ana.leave();
    await bo.shows(["Bo"]);
    await expect(frozen.you).toBeVisible();

    isFrozen = false;
    await frozen.isReconnected();
    await frozen.shows(["Bo"]);
    await expect(frozen.nameField).toBeVisible();
    const listed = newUsers(bo.wire.received).filter((user) => user.name === "Ana");
    expect(listed).toHaveLength(1);
    // Joining again in one tab joins in both.
    await ana.join("Ana");
    for (const tab of [ana, frozen]) await tab.isListedAs("Ana");
  });

  test("a tab shows that the person left in another tab", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const secondTab = await ana.openTab();
    await secondTab.open(room);
    await secondTab.leave();
    const departureNotice = (visitor: Visitor) => visitor.page.getByTestId("farewell");
    await expect(departureNotice(ana)).toHaveText("You left in another tab.");
    await expect(departureNotice(secondTab)).toHaveCount(0);
    await ana.join("Ana");
    await expect(departureNotice(ana)).toHaveCount(0);
  });
});

test.describe("leaving and returning", () => {
  test("a page that is restored from the back/forward cache resumes", async ({
    playwright,
    browserName,
    launchOptions,
    browserErrors,
    newVisitor,
    server,
    room,
  }) => {
    // Playwright disables the back/forward cache by default.
    const browser = await playwright[browserName].launch({
      ...launchOptions,
      ignoreDefaultArgs: ["--disable-back-forward-cache"],
    });
    try {
      const context = await browser.newContext({ baseURL: server.url });
      browserErrors.listenTo(context);
      const ana = new Visitor(await context.newPage());
      const bo = await newVisitor();
      // Playwright reports no events of a cached page: the page has to record them.
      await ana.page.addInitScript(() => {
        const notes = { timesKept: 0, sent: [] as unknown[] };
        Object.assign(window, { notes });
        addEventListener("pageshow", (event) => (notes.timesKept += Number(event.persisted)));
        const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (text) {
          notes.sent.push(JSON.parse(text as string));
          send.call(this, text);
        };
      });
      const notes = async () =>
        ana.page.evaluate(
          () =>
            (window as unknown as { notes: { timesKept: number; sent: ClientFrame[] } }).notes,
        );
      const goBack = async () => ana.page.evaluate(() => history.back());
      await ana.openAndJoin(room, "Ana");
      await bo.openAndJoin(room, "Bo");
      await ana.shows(["Ana", "Bo"]);
      const [tab] = (await notes()).sent.flatMap((frame) => frame.tab ?? []);

      // Back at once: other people notice nothing.
      const bosChanges = recordChanges(bo);
      await ana.page.goto(`/r/${room}-next-door`);
      await goBack();
      await expect(ana.roomName).toHaveText(room);
      await ana.isReconnected();
      expect((await notes()).timesKept).toBe(1);
      const first = (await notes()).sent.filter((frame) => frame.since);
      expect(first).toHaveLength(2);
      expect(first.at(-1)).toMatchObject({ event: "got_a_new_user", name: "Ana", tab });
      expect(bosChanges.changes()).toEqual([]);

      // Back after longer: the row was removed and is added again.
      await ana.page.goto(`/r/${room}-next-door`);
      await bo.shows(["Bo"], UNTIL_A_ROW_IS_REMOVED);
      await goBack();
      await expect(ana.roomName).toHaveText(room);
      for (const visitor of [ana, bo]) await visitor.shows(["Bo", "Ana"]);
      await ana.isReconnected();
      expect((await notes()).timesKept).toBe(2);
    } finally {
      await browser.close();
    }
  });

  test("a prerendered page opens no socket", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    await ana.page.addInitScript(() => {
      Object.defineProperty(document, "prerendering", { value: true, configurable: true });
    });
    await ana.page.goto(`/r/${room}`);
    await expect(ana.html).toHaveAttribute("data-hydrated", "true");
    await ana.setVisible(true);
    expect(ana.wire.sockets).toEqual([]);
    await ana.page.evaluate(() => {
      Object.defineProperty(document, "prerendering", { value: false, configurable: true });
      document.dispatchEvent(new Event("prerenderingchange"));
    });
    await ana.isLive();
    expect(ana.wire.sockets).toHaveLength(1);
  });

  test("the first socket resumes from the list in the first HTML", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    await clients.join(server, room, "Bo");
    const ana = await newVisitor();
    await ana.open(room);
    expect(ana.wire.sent[0]).toMatchObject({
      event: "watch",
      since: { epoch: expect.any(String), seq: expect.any(Number) },
    });
    expect(ana.wire.received.map((frame) => frame.event)).not.toContain("existing_users");
    await ana.shows(["Bo"]);
  });

  test("closing the page removes the row after a moment, with the reason", async ({ pair }) => {
    const { ana, bo } = pair;
    const boId = await bo.ownId();
    await expect(ana.activityEntries.first()).toHaveText("Bo joined");
    await bo.context.close();
    await ana.shows(["Ana"], UNTIL_A_ROW_IS_REMOVED);
    await expect(ana.activityEntries.first()).toHaveText("Bo left");
    const last = changesIn(ana.wire.received).at(-1);
    expect(last?.disconnect_user).toEqual({ closed: [boId] });
  });

  test("leaving removes the row at once, with the reason", async ({ pair }) => {
    const { ana, bo } = pair;
    const boId = await bo.ownId();
    // Wait for it: a join and a departure in one batch are not announced.
    await expect(ana.activityEntries.first()).toHaveText("Bo joined");
    await bo.leave();
    await ana.shows(["Ana"]);
    await expect(ana.activityEntries.first()).toHaveText("Bo left");
    const last = changesIn(ana.wire.received).at(-1);
    expect(last?.disconnect_user).toEqual({ left: [boId] });
  });
});

test("a person whom the operator removed sees it, and can join again", async ({
  pair,
  server,
  room,
}) => {
  const { ana, bo } = pair;
  await expect(ana.activityEntries.first()).toHaveText("Bo joined");
  const boId = await bo.ownId();
  expect(await server.remove(room, boId)).toBe(204);
  for (const visitor of [ana, bo]) await visitor.shows(["Ana"]);
  await expect(ana.activityEntries.first()).toHaveText("Bo was removed");
  expect(changesIn(ana.wire.received).at(-1)?.disconnect_user).toEqual({ removed: [boId] });
  await expect(bo.page.getByTestId("farewell")).toContainText("removed you from the list");
  // A reload does not list them again; joining does.
  await bo.page.reload();
  await bo.isLive();
  await bo.shows(["Ana"]);
  await bo.join("Bo");
  for (const visitor of [ana, bo]) await visitor.shows(["Ana", "Bo"]);
});

test("a person whose page is hidden for 30 s is away, and here again when it is visible", async ({
  pair,
  room,
}) => {
  const { ana, bo } = pair;
  const anasRow = row(bo, await ana.ownId());
  await ana.setVisible(false);
  await expect(anasRow).toHaveAttribute("data-state", "away", UNTIL_AWAY);
  await expect(anasRow).toContainText("away");
  // A second, visible tab makes the person here.
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  await expect(anasRow).toHaveAttribute("data-state", "here");
  await secondTab.page.close();
  await expect(anasRow).toHaveAttribute("data-state", "away", UNTIL_AWAY);
  await ana.setVisible(true);
  await expect(anasRow).toHaveAttribute("data-state", "here");
  expect(disconnectedUsers(bo.wire.received)).toEqual([]);
});

test.describe("a failing network", () => {
  test.beforeEach(({ browserErrors }) => browserErrors.areExpected(NO_CONNECTION));

  test("a row is reconnecting during an outage of 5 s, and is kept", async ({
    newVisitor,
    networkTo,
    server,
    room,
  }) => {
    const network = await networkTo(server);
    const ana = await newVisitor({ of: network });
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    await ana.shows(["Ana", "Bo"]);
    const anaId = await ana.ownId();
    const bosChanges = recordChanges(bo);

    network.setCondition("down");
    await expect(row(bo, anaId)).toHaveAttribute("data-state", "reconnecting");
    await ana.isDisconnected();
    const age = async () => Number(/List from (\d+) sec\. ago/.exec(await ana.banner.innerText())?.[1] ?? 0);
    const ageAtFirst = await age();
    await expect.poll(age).toBeGreaterThanOrEqual(ageAtFirst + 5);
    network.setCondition("clear");
    await ana.isReconnected();
    await expect(row(bo, anaId)).toHaveAttribute("data-state", "here");
    expect(bosChanges.changes()).toEqual([
      { user_changed: { reconnecting: [anaId] } },
      { user_changed: { here: [anaId] } },
    ]);
    await expect(ana.missed).toBeHidden();
  });

  test("a row is removed after an outage of a minute, and the page shows the missed changes in one line", async ({
    newVisitor,
    networkTo,
    server,
    clients,
    room,
  }) => {
    const network = await networkTo(server);
    const ana = await newVisitor({ of: network });
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    const kim = await clients.join(server, room, "Kim");
    await ana.shows(["Ana", "Bo", "Kim"]);
    const anaId = await ana.ownId();

    await ana.context.setOffline(true);
    network.setCondition("down");
    await expect(ana.banner).toContainText("You're offline.");
    await bo.shows(["Bo", "Kim"], UNTIL_A_ROW_IS_REMOVED);
    await expect(bo.activityEntries.first()).toHaveText("Ana disconnected");
    expect(changesIn(bo.wire.received).at(-1)?.disconnect_user).toEqual({ lost: [anaId] });
    await kim.leave();
    await clients.joinInOrder(server, room, ["Cy", "Di", "Ed"]);
    // The page keeps the list, dimmed and with its age.
    await ana.shows(["Ana", "Bo", "Kim"]);
    await expect(ana.html).toHaveAttribute("data-stale", "true");
    await expect(ana.banner).toContainText("List from 1 min. ago", { timeout: 80_000 });

    network.setCondition("clear");
    await ana.context.setOffline(false);
    await ana.isReconnected();
    for (const visitor of [ana, bo]) await visitor.shows(["Bo", "Cy", "Di", "Ed", "Ana"]);
    await expect(ana.missed).toContainText(
      "While you were offline: Cy and 2 others joined, Kim left",
    );
    await expect(ana.announcer).toContainText("Connected again. While you were offline: Cy");

    // A second outage before the line is dismissed: one line shows both.
    await ana.context.setOffline(true);
    network.setCondition("down");
    await expect(ana.banner).toContainText(/List from ([6-9]|1\d) sec\. ago/);
    await clients.join(server, room, "Fay");
    network.setCondition("clear");
    await ana.context.setOffline(false);
    await ana.isReconnected();
    await expect(ana.missed).toContainText(
      "While you were offline: Cy and 3 others joined, Kim left",
    );
    await expect(ana.announcer).toContainText("Connected again. While you were offline: Fay joined");
    await ana.missed.getByRole("button", { name: "Dismiss" }).click();
    await expect(ana.missed).toBeHidden();
    await ana.isListedAs("Ana");
  });

  test("a silent connection times out on both sides", async ({
    newVisitor,
    networkTo,
    server,
    room,
  }) => {
    const network = await networkTo(server);
    const ana = await newVisitor({ of: network });
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    const anaId = await ana.ownId();
    const bosChanges = recordChanges(bo);

    network.setCondition("silent");
    await expect(row(bo, anaId)).toHaveAttribute("data-state", "reconnecting", { timeout: 20_000 });
    await expect(ana.banner).toBeVisible({ timeout: 20_000 });
    // The age counts from the last frame, and not from the timeout.
    await expect(ana.banner).toContainText(/List from 1[5-9] sec\. ago/);
    network.setCondition("clear");
    await ana.isReconnected();
    await expect(row(bo, anaId)).toHaveAttribute("data-state", "here");
    expect(disconnectedUsers(bo.wire.received)).toEqual([]);
    expect(bosChanges.changes().at(-1)).toEqual({ user_changed: { here: [anaId] } });
  });

  test("the list is live over the feed where WebSockets are blocked, and the page says that joining is not possible", async ({
    newVisitor,
    networkTo,
    server,
    clients,
    browserErrors,
    room,
  }) => {
    browserErrors.areExpected(/status of 403/);
    const network = await networkTo(server);
    network.setCondition("no-websockets");
    const ana = await newVisitor({ of: network });
    await clients.join(server, room, "Bo");
    await ana.page.goto(`/r/${room}`);
    await ana.isLive(UNTIL_RECONNECTED);
    const sentence = ana.page.getByTestId("only-watching");
    await expect(sentence).toContainText("watching only", UNTIL_RECONNECTED);
    await expect(ana.banner).toHaveCount(0);
    const cy = await clients.join(server, room, "Cy");
    await ana.shows(["Bo", "Cy"]);
    await cy.leave();
    await ana.shows(["Bo"], UNTIL_A_ROW_IS_REMOVED);

    // Nobody can join until the network lets WebSockets through: the reason stands in place of the form.
    await expect(ana.nameField).toBeHidden();
    network.setCondition("clear");
    await expect(ana.nameField).toBeVisible(UNTIL_RECONNECTED);
    await ana.join("Ana");
    await ana.shows(["Bo", "Ana"]);
    await expect(sentence).toBeHidden();
    await ana.isListedAs("Ana");
    await ana.isLive();
  });
});
