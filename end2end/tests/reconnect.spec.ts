// Lost connections: the page shows it, keeps the list, and reconnects by itself.

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { UNTIL_RECONNECTED, UNTIL_A_ROW_IS_REMOVED } from "../support/visitor";

test.beforeEach(({ browserErrors }) => browserErrors.areExpected(NO_CONNECTION));

test("everyone is listed again after the server was killed and restarted", async ({
  newVisitor,
  ownServer,
  room,
}) => {
  const ana = await newVisitor({ of: ownServer });
  const bo = await newVisitor({ of: ownServer });
  await ana.openAndJoin(room, "Ana");
  await bo.openAndJoin(room, "Bo");
  const ids = [await ana.ownId(), await bo.ownId()];
  await ana.shows(["Ana", "Bo"]);

  await ownServer.kill();
  for (const visitor of [ana, bo]) {
    await visitor.isDisconnected();
    // The list and the visitor's own status are kept.
    await visitor.shows(["Ana", "Bo"]);
    await expect(visitor.you).toBeVisible();
  }

  await ownServer.start();
  for (const visitor of [ana, bo]) await visitor.isReconnected();
  for (const visitor of [ana, bo]) {
    await visitor.shows(["Ana", "Bo"], UNTIL_RECONNECTED);
    for (const id of ids) await expect(visitor.rowWithId(id)).toHaveCount(1);
  }
  await expect(ana.ownRow.locator("bdi.user-name")).toHaveText("Ana");
  await expect(bo.ownRow.locator("bdi.user-name")).toHaveText("Bo");
  await ana.isListedAs("Ana");

  // The new sockets work.
  await bo.leave();
  for (const visitor of [ana, bo]) await visitor.shows(["Ana"]);
});

test("a watching page reconnects too, and people who left meanwhile are removed", async ({
  newVisitor,
  ownServer,
  clients,
  room,
}) => {
  const watcher = await newVisitor({ of: ownServer });
  await clients.joinInOrder(ownServer, room, ["Bo", "Kim"]);
  await watcher.open(room);
  await watcher.shows(["Bo", "Kim"]);

  await ownServer.kill();
  await watcher.isDisconnected();
  await watcher.shows(["Bo", "Kim"]);
  await ownServer.start();
  await clients.join(ownServer, room, "Ana");
  await watcher.isReconnected();
  // The next process holds the rows of the killed one for a while.
  await watcher.shows(["Ana"], UNTIL_A_ROW_IS_REMOVED);
  await expect(watcher.nameField).toBeVisible();
});

test("a server that shuts down closes its sockets with 1012, and pages reconnect", async ({
  newVisitor,
  ownServer,
  clients,
  room,
}) => {
  const ana = await newVisitor({ of: ownServer });
  await ana.openAndJoin(room, "Ana");
  const program = await clients.join(ownServer, room, "A program");
  const silent = await clients.connect(ownServer, room);

  expect(await ownServer.terminate()).toBe(0);
  expect(await program.closed).toBe(1012);
  expect(await silent.closed).toBe(1012);
  await ana.isDisconnected();

  await ownServer.start();
  await ana.isReconnected();
  // The client does not reconnect: its row stays until the end of the grace period.
  await ana.shows(["Ana"], UNTIL_A_ROW_IS_REMOVED);
});

test("a new name that is saved offline is seen once the page is connected, as its form says", async ({
  newVisitor,
  ownServer,
  room,
}) => {
  const ana = await newVisitor({ of: ownServer });
  await ana.openAndJoin(room, "Ana");
  await ana.context.setOffline(true);
  await ana.isDisconnected();
  await ana.startRename();
  await expect(ana.page.getByText("Everyone sees the change as soon as you're connected.")).toBeVisible();
  await ana.newNameField.fill("Anna");
  await ana.saveButton.click();
  await ana.context.setOffline(false);
  await ana.isReconnected();
  await ana.shows(["Anna"]);
});

test("Join shows that it waits for the connection, and a phone says that the page is offline", async ({
  newVisitor,
  ownServer,
  room,
}) => {
  const ana = await newVisitor({ of: ownServer, viewport: { width: 390, height: 844 } });
  const status = ana.page.locator(".status");
  await ana.open(room);
  await ana.isLive();
  await expect(status).toHaveCSS("clip-path", "inset(50%)");
  await ana.context.setOffline(true);
  await ana.isDisconnected();
  await expect(status).toHaveText("Offline", { useInnerText: true });
  await expect(status).toHaveCSS("clip-path", "none");
  await ana.nameField.fill("Ana");
  await ana.joinButton.click();
  await expect(ana.joinButton).toHaveAttribute("aria-busy", "true");
  await ana.context.setOffline(false);
  await ana.shows(["Ana"], { timeout: 40_000 });
});

test("an offline browser shows it, and catches up when it is online again", async ({
  newVisitor,
  ownServer,
  clients,
  room,
}) => {
  const ana = await newVisitor({ of: ownServer });
  await ana.openAndJoin(room, "Ana");
  await ana.context.setOffline(true);
  await ana.isDisconnected();
  await expect(ana.banner).toContainText(/offline/i);
  await clients.join(ownServer, room, "Bo");
  await ana.shows(["Ana"]);

  await ana.context.setOffline(false);
  await ana.isReconnected();
  await ana.shows(["Ana", "Bo"]);
  await ana.isListedAs("Ana");
});

test("Retry now reconnects at once", async ({ newVisitor, ownServer, room }) => {
  const ana = await newVisitor({ of: ownServer });
  // The test controls the page's clock, so no attempt of the page's own is due.
  await ana.page.clock.install();
  await ana.openAndJoin(room, "Ana");
  await ana.page.clock.pauseAt(Date.now() + 2_000);
  await ownServer.kill();
  await ana.isDisconnected();
  await ownServer.start();
  expect(ana.wire.sockets).toHaveLength(1);

  await ana.retryNowButton.click();
  await ana.isReconnected();
  await ana.shows(["Ana"]);
  expect(ana.wire.sockets).toHaveLength(2);
});

test("a name that is submitted while disconnected joins after the reconnect", async ({
  newVisitor,
  ownServer,
  room,
}) => {
  const ana = await newVisitor({ of: ownServer });
  await ana.open(room);
  await ownServer.kill();
  await ana.isDisconnected();
  await ana.nameField.fill("Ana");
  await ana.nameField.press("Enter");
  await ownServer.start();
  await ana.isReconnected();
  await ana.shows(["Ana"]);
  await ana.isListedAs("Ana");
});

test("a page that loads normally never shows the banner", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  await ana.page.addInitScript(() => {
    const check = () => {
      const banner = document.querySelector('[data-testid="connection"]');
      if (banner) Object.assign(window, { aBannerWasSeen: true });
    };
    new MutationObserver(check).observe(document, { childList: true, subtree: true });
  });
  await ana.openAndJoin(room, "Ana");
  await ana.page.reload();
  await ana.isLive();
  expect(await ana.page.evaluate(() => "aBannerWasSeen" in window)).toBe(false);
});
