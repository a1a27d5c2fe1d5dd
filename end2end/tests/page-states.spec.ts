// Screenshots of every state of the page, with a few people and with two hundred, in light and dark, on a phone, a
// tablet and a desktop. No state has axe violations or horizontal scrolling.

import { NO_CONNECTION, NOT_FOUND, SCRIPTS_NOT_USED } from "../support/browser-errors";
import { UNTIL_AWAY } from "../support/visitor";
import { expect, test, type VisitorOptions } from "../support/fixtures";
import { expectNoAxeViolations, inEveryAppearance, emulateDisabledScripts } from "../support/appearance";
import { NAMES_OF_ALL_KINDS } from "../support/names";
import { takeScreenshots } from "../support/screenshot";

/** Three names that look the same, one that differs in case, and one that differs in an accent. */
const TWINS = ["Pope", "Роре", "pope", "Pope", "Popé"];

const STILL: VisitorOptions = { reducedMotion: "reduce" };

/** So many names. */
function people(count: number): string[] {
  return Array.from({ length: count }, (_, index) => NAMES_OF_ALL_KINDS[index] ?? `Person ${index + 1}`);
}

test.beforeEach(({}, testInfo) => testInfo.setTimeout(240_000));

test("an empty room", async ({ newVisitor, room }) => {
  const visitor = await newVisitor(STILL);
  await visitor.open(room);
  await expect(visitor.emptyRoom).toBeVisible();
  await takeScreenshots(visitor.page, "empty");
});

test("alone", async ({ newVisitor, room }) => {
  const visitor = await newVisitor(STILL);
  await visitor.openAndJoin(room, "Ana Sousa");
  await takeScreenshots(visitor.page, "alone");
});

test("an address without a room", async ({ newVisitor, browserErrors }) => {
  browserErrors.areExpected(NOT_FOUND);
  const visitor = await newVisitor(STILL);
  await visitor.page.goto("/r/a_b");
  await takeScreenshots(visitor.page, "404");
});

test("the privacy page", async ({ newVisitor }) => {
  const visitor = await newVisitor(STILL);
  await visitor.page.goto("/privacy");
  await takeScreenshots(visitor.page, "privacy");
});

for (const count of [NAMES_OF_ALL_KINDS.length, 200]) {
  const isMany = count > NAMES_OF_ALL_KINDS.length;
  const names = people(count);
  const inTheRoom = `, with ${count} people in the room`;
  // Below the window there are only more rows.
  const shot = { fullPage: !isMany };
  const called = (state: string) => (isMany ? `${state}-of-${count}` : state);

  test(`before joining${inTheRoom}`, async ({ newVisitor, server, clients, room }) => {
    await clients.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.open(room);
    await expect(visitor.count).toHaveText(String(count));
    await takeScreenshots(visitor.page, called("before-joining"), shot);
  });

  test(`joined${inTheRoom}`, async ({ newVisitor, server, clients, room }) => {
    const visitor = await newVisitor(STILL);
    await visitor.openAndJoin(room, "Ana Sousa");
    await clients.joinInOrder(server, room, names);
    await expect(visitor.count).toHaveText(String(count + 1));
    await takeScreenshots(visitor.page, called("joined"), shot);
  });

  test(`a refused name${inTheRoom}`, async ({ newVisitor, server, clients, room }) => {
    await clients.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.open(room);
    await visitor.nameField.fill("x".repeat(101));
    await visitor.nameField.press("Enter");
    await expect(visitor.nameError).toBeVisible();
    await takeScreenshots(visitor.page, called("refused"), shot);
  });

  test(`a new name asked for${inTheRoom}`, async ({ newVisitor, server, clients, room }) => {
    await clients.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.openAndJoin(room, "W".repeat(100));
    await visitor.startRename();
    await takeScreenshots(visitor.page, called("renaming"), shot);
  });

  test(`a full room${inTheRoom}`, async ({ newVisitor, serverWith, clients, room }) => {
    const full = await serverWith(["--max-people-per-room", String(count)]);
    await clients.joinInOrder(full, room, names);
    const visitor = await newVisitor({ ...STILL, of: full });
    await visitor.open(room);
    await visitor.nameField.fill("One more");
    await visitor.joinButton.click();
    await expect(visitor.nameError).toHaveText(/full/);
    await takeScreenshots(visitor.page, called("full"), shot);
  });

  test(`other people reconnecting, then away, then a leave in another tab${inTheRoom}`, async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const [bo, , kim] = await clients.joinInOrder(server, room, names);
    const ana = await newVisitor(STILL);
    await ana.openAndJoin(room, "Ana Sousa");
    bo?.send({ event: "visible", visible: false });
    kim?.abandon();
    await expect(ana.roster.locator("[data-state=reconnecting]")).toHaveCount(1);
    await ana.page.screenshot({ path: `screenshots/${called("reconnecting-row")}.png` });
    // Those who are away come last, which in a long list is out of view.
    await ana.page.getByRole("button", { name: "Away 1" }).click(UNTIL_AWAY);
    await expect(ana.rows).toHaveCount(1);
    await expect(ana.rows).toHaveAttribute("data-state", "away");
    await ana.page.getByRole("button", { name: /^All / }).click();
    await takeScreenshots(ana.page, called("away"), shot);
    const secondTab = await ana.openTab();
    await secondTab.open(room);
    await secondTab.leave();
    await expect(ana.nameField).toBeVisible();
    await takeScreenshots(ana.page, called("left"), shot);
  });

  test(`reconnecting${inTheRoom}`, async ({ newVisitor, ownServer, clients, browserErrors, room }) => {
    browserErrors.areExpected(NO_CONNECTION);
    const ana = await newVisitor({ ...STILL, of: ownServer });
    await clients.joinInOrder(ownServer, room, names);
    await ana.openAndJoin(room, "Ana Sousa");
    await ownServer.kill();
    await ana.isDisconnected();
    await takeScreenshots(ana.page, called("reconnecting"), shot);
  });

  test(`offline, and then the changes of the outage${inTheRoom}`, async ({
    newVisitor,
    networkTo,
    server,
    clients,
    browserErrors,
    room,
  }) => {
    browserErrors.areExpected(NO_CONNECTION);
    const [bo] = await clients.joinInOrder(server, room, names);
    const network = await networkTo(server);
    const ana = await newVisitor({ ...STILL, of: network });
    await ana.openAndJoin(room, "Ana Sousa");
    // The browser reports that it is offline but keeps its sockets; the network closes them.
    await ana.context.setOffline(true);
    network.setCondition("down");
    await expect(ana.banner).toContainText("You're offline.");
    await takeScreenshots(ana.page, called("offline"), shot);
    await bo?.leave();
    await clients.joinInOrder(server, room, ["Cy", "Di", "Ed"]);
    await expect(ana.banner).toContainText(/List from (\d{2,} sec|\d+ min)\. ago/);
    network.setCondition("clear");
    await ana.context.setOffline(false);
    await ana.isReconnected();
    await expect(ana.missed).toContainText("Cy and 2 others joined");
    await takeScreenshots(ana.page, called("missed"), shot);
  });

  test(`kiosk mode${inTheRoom}`, async ({ newVisitor, server, clients, room }) => {
    await clients.joinInOrder(server, room, names);
    const wall = await newVisitor(STILL);
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    await expect(wall.count).toHaveText(String(count));
    await takeScreenshots(wall.page, called("wall"), shot);
  });

  test(`an embed${inTheRoom}`, async ({ newVisitor, server, clients, room }) => {
    await clients.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.page.goto(`/r/${room}/embed`);
    await expect(visitor.page.getByTestId("count")).toHaveText(String(count));
    await takeScreenshots(visitor.page, called("embed"), shot);
  });

  test(`without scripts${inTheRoom}`, async ({ newVisitor, server, clients, browserErrors, room }) => {
    browserErrors.areExpected(SCRIPTS_NOT_USED);
    await clients.joinInOrder(server, room, names);
    const visitor = await newVisitor({ ...STILL, javaScriptEnabled: false });
    await visitor.page.goto(`/r/${room}`);
    await expect(visitor.count).toHaveText(String(count));
    await takeScreenshots(visitor.page, called("without-scripts"), { ...shot, axe: false });

    const likeness = await newVisitor(STILL);
    await emulateDisabledScripts(likeness.page);
    await likeness.page.goto(`/r/${room}`);
    await expect(likeness.page.getByText(/JavaScript/)).toBeVisible();
    await expect(likeness.nameField).toBeHidden();
    await inEveryAppearance(likeness.page, () => expectNoAxeViolations(likeness.page));
  });
}

for (const count of [TWINS.length, 200]) {
  test(`equal names, ${count} of them`, async ({ newVisitor, server, clients, room }) => {
    const names = Array.from({ length: count }, (_, index) => TWINS[index % TWINS.length] ?? "");
    await clients.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.openAndJoin(room, "Pope");
    await expect(visitor.count).toHaveText(String(count + 1));
    await takeScreenshots(visitor.page, count === 200 ? "twins-of-200" : "twins", {
      fullPage: count < 200,
    });
  });
}
