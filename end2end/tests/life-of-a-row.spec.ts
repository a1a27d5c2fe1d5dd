// "The life of a row" of docs/protocol.md, in real browsers: what the others see when a page is
// reloaded, duplicated, hidden, kept for coming back to, cut off, or closed.

import type { Locator, WebSocketRoute } from "@playwright/test";

import { NO_CONNECTION } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import { disconnectedUsers, happenings, newUsers, type ClientFrame } from "../support/protocol";
import { UNTIL_A_PAGE_HAS_HEALED, UNTIL_A_ROW_IS_GONE, Visitor } from "../support/visitor";

/** How long the server waits before it calls somebody away, and some more. */
const UNTIL_AWAY = { timeout: 45_000 };

/** What a list shows of somebody's row. */
function row(observer: Visitor, id: string): Locator {
  return observer.rowWithId(id);
}

/** What an observer has been told since this was called. */
function watching(observer: Visitor): { told: () => ReturnType<typeof happenings> } {
  const before = observer.wire.received.length;
  return { told: () => happenings(observer.wire.received.slice(before)) };
}

test.describe("tabs", () => {
  test("a second tab is nothing to the others, and the pages count themselves", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    const ana = await newVisitor();
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    await bo.shows(["Ana", "Bo"]);
    await expect(ana.you).not.toContainText(/in \d+ tabs/);

    const bosView = watching(bo);
    const secondTab = await ana.openTab();
    await secondTab.open(room);
    for (const tab of [ana, secondTab]) {
      await expect(tab.you).toContainText("You're on the list as Ana, in 2 tabs");
    }
    await ana.page.close();
    await expect(secondTab.you).not.toContainText(/in \d+ tabs/);
    // Who came and went after that proves that it would have been told by now.
    const program = await crowd.join(server, room, "A program");
    await bo.shows(["Ana", "Bo", "A program"]);
    expect(bosView.told()).toMatchObject([{ new_user: [{ id: await program.id() }] }]);
    expect(bosView.told()).toHaveLength(1);
  });

  test("a duplicated tab takes another name, and the two live side by side", async ({
    newVisitor,
    room,
  }) => {
    const ana = await newVisitor();
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    const bosView = watching(bo);

    // A page that is opened by another begins with a copy of its sessionStorage, as a duplicate.
    const opened = ana.context.waitForEvent("page");
    await ana.page.evaluate(() => void window.open(window.location.href));
    const duplicate = new Visitor(await opened);
    await duplicate.isLive();
    await expect(duplicate.you).toContainText("in 2 tabs");
    await duplicate.leaveButton.click();
    await bo.shows(["Bo"]);
    expect(ana.wire.sockets).toHaveLength(1);
    expect(bosView.told()).toMatchObject([{ disconnect_user: { left: [expect.any(String)] } }]);
  });

  test("a page whose name was taken comes back under another one, and nobody sees it", async ({
    newVisitor,
    room,
  }) => {
    const ana = await newVisitor();
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    await ana.shows(["Ana", "Bo"]);
    const tabs = (visitor: Visitor) =>
      visitor.wire.sent.flatMap((frame) => (frame.tab === undefined ? [] : [frame.tab]));
    const [first] = tabs(ana);
    if (first === undefined) throw new Error("A page names its tab.");
    const bosView = watching(bo);

    // The copy believes that it is the first, as after a crash of the browser.
    const copy = await ana.openTab();
    await copy.page.addInitScript((tab) => sessionStorage.setItem("rollcall-tab", tab), first);
    await copy.open(room);
    await expect.poll(() => ana.wire.sockets.length).toBe(2);
    await ana.hasHealed();
    expect(tabs(copy)).toEqual([first]);
    await expect.poll(() => tabs(ana).at(-1)).not.toBe(first);
    for (const tab of [ana, copy]) await expect(tab.you).toContainText("in 2 tabs");
    // They do not fight: nobody lost a socket again.
    await bo.renameButton.click();
    await bo.newNameField.fill("Bob");
    await bo.saveButton.click();
    for (const visitor of [ana, copy, bo]) await visitor.shows(["Ana", "Bob"]);
    expect(ana.wire.sockets).toHaveLength(2);
    expect(copy.wire.sockets).toHaveLength(1);
    expect(bosView.told()).toHaveLength(1);
  });

  test("a tab that slept through a leave does not list its person again", async ({
    newVisitor,
    complaints,
    room,
  }) => {
    complaints.areProvoked(NO_CONNECTION);
    const bo = await newVisitor();
    await bo.openAndJoin(room, "Bo");
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const sleeping = await ana.openTab();
    // For this tab alone the network goes away and comes back.
    let isAsleep = false;
    const sockets: WebSocketRoute[] = [];
    await sleeping.page.routeWebSocket(/socket$/, (socket) => {
      if (isAsleep) return void socket.close();
      socket.connectToServer();
      sockets.push(socket);
    });
    await sleeping.page.route("**/events", async (route) => route.abort());
    await sleeping.open(room);
    await expect(sleeping.you).toContainText("You're on the list as Ana");

    isAsleep = true;
    for (const socket of sockets) await socket.close();
    await sleeping.saysThatTheConnectionIsLost();
    await ana.leaveButton.click();
    await bo.shows(["Bo"]);
    await expect(sleeping.you).toBeVisible();

    isAsleep = false;
    await sleeping.hasHealed();
    await sleeping.shows(["Bo"]);
    await expect(sleeping.nameField).toBeVisible();
    const listed = newUsers(bo.wire.received).filter((user) => user.name === "Ana");
    expect(listed).toHaveLength(1);
    // Who joins again in one of them is there in both.
    await ana.join("Ana");
    await expect(sleeping.you).toContainText("You're on the list as Ana, in 2 tabs");
  });

  test("who is off the list because of another tab is told so", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const secondTab = await ana.openTab();
    await secondTab.open(room);
    await secondTab.leaveButton.click();
    const farewell = (visitor: Visitor) => visitor.page.getByTestId("farewell");
    await expect(farewell(ana)).toHaveText("You left in another tab.");
    await expect(farewell(secondTab)).toHaveCount(0);
    await ana.join("Ana");
    await expect(farewell(ana)).toHaveCount(0);
  });
});

test.describe("going and coming back", () => {
  test("a page that the browser kept goes on where it was", async ({
    playwright,
    browserName,
    launchOptions,
    complaints,
    newVisitor,
    server,
    room,
  }) => {
    // Browsers under test keep no pages, unless they are told to.
    const browser = await playwright[browserName].launch({
      ...launchOptions,
      ignoreDefaultArgs: ["--disable-back-forward-cache"],
    });
    try {
      const context = await browser.newContext({ baseURL: server.url });
      complaints.listenTo(context);
        const ana = new Visitor(await context.newPage());
      const bo = await newVisitor();
      // Of what a kept page does, the browser reports nothing: the page has to note it.
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

      // Back at once: nobody sees it.
      const bosView = watching(bo);
      await ana.page.goto(`/r/${room}-next-door`);
      await goBack();
      await expect(ana.roomName).toHaveText(room);
      await ana.hasHealed();
      expect((await notes()).timesKept).toBe(1);
      const first = (await notes()).sent.filter((frame) => frame.since);
      expect(first).toHaveLength(2);
      expect(first.at(-1)).toMatchObject({ event: "got_a_new_user", name: "Ana", tab });
      expect(bosView.told()).toEqual([]);

      // Away for longer: off the list, and on it again with the page.
      await ana.page.goto(`/r/${room}-next-door`);
      await bo.shows(["Bo"], UNTIL_A_ROW_IS_GONE);
      await goBack();
      await expect(ana.roomName).toHaveText(room);
      for (const visitor of [ana, bo]) await visitor.shows(["Bo", "Ana"]);
      await ana.hasHealed();
      expect((await notes()).timesKept).toBe(2);
    } finally {
      await browser.close();
    }
  });

  test("a page that nobody has asked for yet opens nothing", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    await ana.page.addInitScript(() => {
      Object.defineProperty(document, "prerendering", { value: true, configurable: true });
    });
    await ana.page.goto(`/r/${room}`);
    await expect(ana.html).toHaveAttribute("data-hydrated", "true");
    await ana.isSeen(true);
    expect(ana.wire.sockets).toEqual([]);
    await ana.page.evaluate(() => {
      Object.defineProperty(document, "prerendering", { value: false, configurable: true });
      document.dispatchEvent(new Event("prerenderingchange"));
    });
    await ana.isLive();
    expect(ana.wire.sockets).toHaveLength(1);
  });

  test("the first socket goes on from the list in the first HTML", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    await crowd.join(server, room, "Bo");
    const ana = await newVisitor();
    await ana.open(room);
    expect(ana.wire.sent[0]).toMatchObject({
      event: "watch",
      since: { epoch: expect.any(String), seq: expect.any(Number) },
    });
    expect(ana.wire.received.map((frame) => frame.event)).not.toContain("existing_users");
    await ana.shows(["Bo"]);
  });

  test("who closes the page is gone after a moment, and it is told why", async ({
    newVisitor,
    room,
  }) => {
    const ana = await newVisitor();
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    const boId = await bo.ownId();
    await expect(ana.news).toHaveText("Bo joined");
    await bo.context.close();
    await ana.shows(["Ana"], UNTIL_A_ROW_IS_GONE);
    await expect(ana.news).toHaveText("Bo left");
    const last = happenings(ana.wire.received).at(-1);
    expect(last?.disconnect_user).toEqual({ closed: [boId] });
  });

  test("who leaves is gone at once, and it is told why", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    const boId = await bo.ownId();
    // Who only passes by is not mentioned.
    await expect(ana.news).toHaveText("Bo joined");
    await bo.leaveButton.click();
    await ana.shows(["Ana"]);
    await expect(ana.news).toHaveText("Bo left");
    const last = happenings(ana.wire.received).at(-1);
    expect(last?.disconnect_user).toEqual({ left: [boId] });
  });
});

test("whom the operator removes is off the list, is told so, and may come again", async ({
  newVisitor,
  server,
  room,
}) => {
  const ana = await newVisitor();
  const bo = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await bo.openAndJoin(room, "Bo");
  await expect(ana.news).toHaveText("Bo joined");
  const boId = await bo.ownId();
  expect(await server.remove(room, boId)).toBe(204);
  for (const visitor of [ana, bo]) await visitor.shows(["Ana"]);
  await expect(ana.news).toHaveText("Bo was removed");
  expect(happenings(ana.wire.received).at(-1)?.disconnect_user).toEqual({ removed: [boId] });
  await expect(bo.page.getByTestId("farewell")).toContainText("removed from the list");
  // Nor does a reload list them again, but their own wish does.
  await bo.page.reload();
  await bo.isLive();
  await bo.shows(["Ana"]);
  await bo.join("Bo");
  for (const visitor of [ana, bo]) await visitor.shows(["Ana", "Bo"]);
});

test("who has not looked at the page for 30 s is away, and here again when they do", async ({
  newVisitor,
  room,
}) => {
  const ana = await newVisitor();
  const bo = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await bo.openAndJoin(room, "Bo");
  const anasRow = row(bo, await ana.ownId());
  await ana.isSeen(false);
  await expect(anasRow).toHaveAttribute("data-state", "away", UNTIL_AWAY);
  await expect(anasRow).toContainText("away");
  // A second tab that is in front of somebody has its vote.
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  await expect(anasRow).toHaveAttribute("data-state", "here");
  await secondTab.page.close();
  await expect(anasRow).toHaveAttribute("data-state", "away", UNTIL_AWAY);
  await ana.isSeen(true);
  await expect(anasRow).toHaveAttribute("data-state", "here");
  expect(disconnectedUsers(bo.wire.received)).toEqual([]);
});

test.describe("a network that fails", () => {
  test.beforeEach(({ complaints }) => complaints.areProvoked(NO_CONNECTION));

  test("offline for 5 s is dimmed at once, and nothing more", async ({
    newVisitor,
    networkBefore,
    server,
    room,
  }) => {
    const network = await networkBefore(server);
    const ana = await newVisitor({ of: network });
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    await ana.shows(["Ana", "Bo"]);
    const anaId = await ana.ownId();
    const bosView = watching(bo);

    network.turn("down");
    await expect(row(bo, anaId)).toHaveAttribute("data-state", "reconnecting");
    await ana.saysThatTheConnectionIsLost();
    const age = async () => Number(/updated (\d+) s/.exec(await ana.banner.innerText())?.[1] ?? 0);
    const ageAtFirst = await age();
    await expect.poll(age).toBeGreaterThanOrEqual(ageAtFirst + 5);
    network.turn("clear");
    await ana.hasHealed();
    await expect(row(bo, anaId)).toHaveAttribute("data-state", "here");
    expect(bosView.told()).toEqual([
      { user_changed: { reconnecting: [anaId] } },
      { user_changed: { here: [anaId] } },
    ]);
    await expect(ana.missed).toBeHidden();
  });

  test("offline for a minute is off the list, and hears what it missed in one line", async ({
    newVisitor,
    networkBefore,
    server,
    crowd,
    room,
  }) => {
    const network = await networkBefore(server);
    const ana = await newVisitor({ of: network });
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    const kim = await crowd.join(server, room, "Kim");
    await ana.shows(["Ana", "Bo", "Kim"]);
    const anaId = await ana.ownId();

    await ana.context.setOffline(true);
    network.turn("down");
    await expect(ana.banner).toContainText("You're offline.");
    await bo.shows(["Bo", "Kim"], UNTIL_A_ROW_IS_GONE);
    await expect(bo.news).toHaveText("Ana disconnected");
    expect(happenings(bo.wire.received).at(-1)?.disconnect_user).toEqual({ lost: [anaId] });
    await kim.leave();
    await crowd.joinInOrder(server, room, ["Cy", "Di", "Ed"]);
    // The list is kept, dimmed and dated.
    await ana.shows(["Ana", "Bo", "Kim"]);
    await expect(ana.html).toHaveAttribute("data-stale", "true");
    await expect(ana.banner).toContainText("updated 1 min ago", { timeout: 80_000 });

    network.turn("clear");
    await ana.context.setOffline(false);
    await ana.hasHealed();
    for (const visitor of [ana, bo]) await visitor.shows(["Bo", "Cy", "Di", "Ed", "Ana"]);
    await expect(ana.missed).toContainText(
      "While you were offline: Cy and 2 others joined, Kim left",
    );
    await expect(ana.announcer).toContainText("Connected again. While you were offline: Cy");

    // Away once more, without having read it: one line tells of both.
    await ana.context.setOffline(true);
    network.turn("down");
    await expect(ana.banner).toContainText(/updated ([6-9]|1\d) s ago/);
    await crowd.join(server, room, "Fay");
    network.turn("clear");
    await ana.context.setOffline(false);
    await ana.hasHealed();
    await expect(ana.missed).toContainText(
      "While you were offline: Cy and 3 others joined, Kim left",
    );
    await expect(ana.announcer).toContainText("Connected again. While you were offline: Fay joined");
    await ana.missed.getByRole("button", { name: "Dismiss" }).click();
    await expect(ana.missed).toBeHidden();
    await expect(ana.you).toContainText("You're on the list as Ana");
  });

  test("a connection that falls silent is noticed on both sides", async ({
    newVisitor,
    networkBefore,
    server,
    room,
  }) => {
    const network = await networkBefore(server);
    const ana = await newVisitor({ of: network });
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    const anaId = await ana.ownId();
    const bosView = watching(bo);

    network.turn("silent");
    await expect(row(bo, anaId)).toHaveAttribute("data-state", "reconnecting", { timeout: 20_000 });
    await expect(ana.banner).toBeVisible({ timeout: 20_000 });
    // The list was right when the server was last heard, and not when that was noticed.
    await expect(ana.banner).toContainText(/updated 1[5-9] s ago/);
    network.turn("clear");
    await ana.hasHealed();
    await expect(row(bo, anaId)).toHaveAttribute("data-state", "here");
    expect(disconnectedUsers(bo.wire.received)).toEqual([]);
    expect(bosView.told().at(-1)).toEqual({ user_changed: { here: [anaId] } });
  });

  test("where no WebSocket gets through, the list is live and the page says what is missing", async ({
    newVisitor,
    networkBefore,
    server,
    crowd,
    complaints,
    room,
  }) => {
    complaints.areProvoked(/status of 403/);
    const network = await networkBefore(server);
    network.turn("no-websockets");
    const ana = await newVisitor({ of: network });
    await crowd.join(server, room, "Bo");
    await ana.page.goto(`/r/${room}`);
    await ana.isLive(UNTIL_A_PAGE_HAS_HEALED);
    const sentence = ana.page.getByTestId("only-watching");
    await expect(sentence).toContainText("watching only", UNTIL_A_PAGE_HAS_HEALED);
    await expect(ana.banner).toHaveCount(0);
    const cy = await crowd.join(server, room, "Cy");
    await ana.shows(["Bo", "Cy"]);
    await cy.leave();
    await ana.shows(["Bo"], UNTIL_A_ROW_IS_GONE);

    // What was asked for is not lost, should the network let it through one day.
    await ana.nameField.fill("Ana");
    await ana.joinButton.click();
    network.turn("clear");
    await ana.shows(["Bo", "Ana"], UNTIL_A_PAGE_HAS_HEALED);
    await expect(sentence).toHaveCount(0);
    await expect(ana.you).toContainText("You're on the list as Ana");
    await ana.isLive();
  });
});
