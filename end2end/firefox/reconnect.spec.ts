// Lost connections in Firefox: the page shows it, keeps the list, and reconnects by itself.

import { NO_CONNECTION } from "../support/browser-errors";
import { UNTIL_RECONNECTED } from "../support/visitor";
import { expect, test } from "./driver/fixtures";

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
    expect(await visitor.elements.you.isVisible()).toBe(true);
  }

  await ownServer.start();
  for (const visitor of [ana, bo]) await visitor.isReconnected();
  for (const visitor of [ana, bo]) {
    await visitor.shows(["Ana", "Bo"], UNTIL_RECONNECTED);
    for (const id of ids) expect(await visitor.rowWithId(id).count()).toBe(1);
  }
  // The new sockets work.
  await bo.leave();
  for (const visitor of [ana, bo]) await visitor.shows(["Ana"]);
});

test("other people see nothing of a server that is shut down and started again", async ({
  newVisitor,
  ownServer,
  room,
}) => {
  const ana = await newVisitor({ of: ownServer });
  const bo = await newVisitor({ of: ownServer });
  await ana.openAndJoin(room, "Ana");
  await bo.openAndJoin(room, "Bo");
  await ana.shows(["Ana", "Bo"]);
  expect(await ownServer.terminate()).toBe(0);
  await ownServer.start();
  for (const visitor of [ana, bo]) {
    await expect.poll(async () => (await visitor.wire()).sockets.length, UNTIL_RECONNECTED).toBeGreaterThan(1);
    await visitor.isReconnected();
    await visitor.shows(["Ana", "Bo"]);
    expect(await visitor.elements.missed.isVisible()).toBe(false);
  }
});

test("an offline browser shows it, and catches up when it is online again", async ({
  newVisitor,
  networkTo,
  ownServer,
  clients,
  room,
}) => {
  const network = await networkTo(ownServer);
  const ana = await newVisitor({ of: network });
  await ana.openAndJoin(room, "Ana");
  await ana.page.setOfflineMode(true);
  network.setCondition("down");
  await ana.isDisconnected();
  await expect.poll(() => ana.elements.banner.text()).toMatch(/offline/i);
  await clients.join(ownServer, room, "Bo");
  await ana.shows(["Ana"]);

  network.setCondition("clear");
  await ana.page.setOfflineMode(false);
  await ana.isReconnected();
  await ana.shows(["Ana", "Bo"]);
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
  network.setCondition("silent");
  await bo.showsState(anaId, "reconnecting", { timeout: 20_000 });
  await ana.isDisconnected();
  network.setCondition("clear");
  await ana.isReconnected();
  await bo.showsState(anaId, "here");
});

test("the list is live over the feed where WebSockets are blocked", async ({
  newVisitor,
  networkTo,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(/status of 403 .*\/socket\)/);
  const network = await networkTo(server);
  network.setCondition("no-websockets");
  const ana = await newVisitor({ of: network });
  await clients.join(server, room, "Bo");
  await ana.goto(`/r/${room}`);
  await ana.isLive(UNTIL_RECONNECTED);
  const cy = await clients.join(server, room, "Cy");
  await ana.shows(["Bo", "Cy"]);
  await cy.leave();
  await ana.shows(["Bo"]);
});
