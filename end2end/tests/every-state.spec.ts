// Every state of the page, with a few people in the room and with two hundred: light and dark, on a
// phone, a tablet and a desk it is photographed, axe finds nothing in it, and nothing is scrolled sideways.

import { NO_CONNECTION, NOT_FOUND, SCRIPTS_NOT_USED } from "../support/complaints";
import { expect, test, type VisitorOptions } from "../support/fixtures";
import { expectNothingForAxe, inEveryLook, showAsWithoutScripts } from "../support/looks";
import { NAMES_OF_ALL_KINDS } from "../support/names";
import { photograph } from "../support/photograph";

/** Three that look the same, one that only differs in case, and one that only looks different. */
const TWINS = ["Pope", "Роре", "pope", "Pope", "Popé"];

const STILL: VisitorOptions = { reducedMotion: "reduce" };

const UNTIL_AWAY = { timeout: 45_000 };

/** Names for so many. */
function people(count: number): string[] {
  return Array.from({ length: count }, (_, index) => NAMES_OF_ALL_KINDS[index] ?? `Person ${index + 1}`);
}

test.beforeEach(({}, testInfo) => testInfo.setTimeout(240_000));

test("an empty room", async ({ newVisitor, room }) => {
  const visitor = await newVisitor(STILL);
  await visitor.open(room);
  await expect(visitor.emptyRoom).toBeVisible();
  await photograph(visitor.page, "empty");
});

test("alone", async ({ newVisitor, room }) => {
  const visitor = await newVisitor(STILL);
  await visitor.openAndJoin(room, "Ana Sousa");
  await photograph(visitor.page, "alone");
});

test("an address that is no room", async ({ newVisitor, complaints }) => {
  complaints.areProvoked(NOT_FOUND);
  const visitor = await newVisitor(STILL);
  await visitor.page.goto("/r/a_b");
  await photograph(visitor.page, "404");
});

test("what is kept of a visitor", async ({ newVisitor }) => {
  const visitor = await newVisitor(STILL);
  await visitor.page.goto("/privacy");
  await photograph(visitor.page, "privacy");
});

for (const count of [NAMES_OF_ALL_KINDS.length, 200]) {
  const isMany = count > NAMES_OF_ALL_KINDS.length;
  const names = people(count);
  const inTheRoom = `, with ${count} people in the room`;
  // What stands below what a window shows is only more of the same.
  const shot = { fullPage: !isMany };
  const called = (state: string) => (isMany ? `${state}-of-${count}` : state);

  test(`before joining${inTheRoom}`, async ({ newVisitor, server, crowd, room }) => {
    await crowd.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.open(room);
    await expect(visitor.count).toHaveText(String(count));
    await photograph(visitor.page, called("before-joining"), shot);
  });

  test(`joined${inTheRoom}`, async ({ newVisitor, server, crowd, room }) => {
    const visitor = await newVisitor(STILL);
    await visitor.openAndJoin(room, "Ana Sousa");
    await crowd.joinInOrder(server, room, names);
    await expect(visitor.count).toHaveText(String(count + 1));
    await photograph(visitor.page, called("joined"), shot);
  });

  test(`a refused name${inTheRoom}`, async ({ newVisitor, server, crowd, room }) => {
    await crowd.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.open(room);
    await visitor.nameField.fill("x".repeat(41));
    await visitor.nameField.press("Enter");
    await expect(visitor.nameError).toBeVisible();
    await photograph(visitor.page, called("refused"), shot);
  });

  test(`a new name asked for${inTheRoom}`, async ({ newVisitor, server, crowd, room }) => {
    await crowd.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.openAndJoin(room, "W".repeat(40));
    await visitor.renameButton.click();
    await expect(visitor.newNameField).toBeVisible();
    await photograph(visitor.page, called("renaming"), shot);
  });

  test(`a full room${inTheRoom}`, async ({ newVisitor, serverWith, crowd, room }) => {
    const full = await serverWith(["--max-people-per-room", String(count)]);
    await crowd.joinInOrder(full, room, names);
    const visitor = await newVisitor({ ...STILL, of: full });
    await visitor.open(room);
    await visitor.nameField.fill("One more");
    await visitor.joinButton.click();
    await expect(visitor.nameError).toHaveText(/full/);
    await photograph(visitor.page, called("full"), shot);
  });

  test(`others reconnecting, then away, then left elsewhere${inTheRoom}`, async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    const [bo, , kim] = await crowd.joinInOrder(server, room, names);
    const ana = await newVisitor(STILL);
    await ana.openAndJoin(room, "Ana Sousa");
    bo?.send({ event: "visible", visible: false });
    kim?.abandon();
    await expect(ana.roster.locator("[data-state=reconnecting]")).toHaveCount(1);
    await ana.page.screenshot({ path: `screenshots/${called("reconnecting-row")}.png` });
    await expect(ana.roster.locator("[data-state=away]")).toHaveCount(1, UNTIL_AWAY);
    await photograph(ana.page, called("away"), shot);
    const secondTab = await ana.openTab();
    await secondTab.open(room);
    await secondTab.leaveButton.click();
    await expect(ana.nameField).toBeVisible();
    await photograph(ana.page, called("left"), shot);
  });

  test(`reconnecting${inTheRoom}`, async ({ newVisitor, mortalServer, crowd, complaints, room }) => {
    complaints.areProvoked(NO_CONNECTION);
    const ana = await newVisitor({ ...STILL, of: mortalServer });
    await crowd.joinInOrder(mortalServer, room, names);
    await ana.openAndJoin(room, "Ana Sousa");
    await mortalServer.kill();
    await ana.saysThatTheConnectionIsLost();
    await photograph(ana.page, called("reconnecting"), shot);
  });

  test(`offline, and told afterwards what was missed${inTheRoom}`, async ({
    newVisitor,
    networkBefore,
    server,
    crowd,
    complaints,
    room,
  }) => {
    complaints.areProvoked(NO_CONNECTION);
    const [bo] = await crowd.joinInOrder(server, room, names);
    const network = await networkBefore(server);
    const ana = await newVisitor({ ...STILL, of: network });
    await ana.openAndJoin(room, "Ana Sousa");
    // The browser says so of itself, and leaves sockets open; the network ends them.
    await ana.context.setOffline(true);
    network.turn("down");
    await expect(ana.banner).toContainText("You're offline.");
    await photograph(ana.page, called("offline"), shot);
    await bo?.leave();
    await crowd.joinInOrder(server, room, ["Cy", "Di", "Ed"]);
    await expect(ana.banner).toContainText(/updated (\d{2,} s|\d+ min) ago/);
    network.turn("clear");
    await ana.context.setOffline(false);
    await ana.hasHealed();
    await expect(ana.missed).toContainText("Cy and 2 others joined");
    await photograph(ana.page, called("missed"), shot);
  });

  test(`a wall${inTheRoom}`, async ({ newVisitor, server, crowd, room }) => {
    await crowd.joinInOrder(server, room, names);
    const wall = await newVisitor(STILL);
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    await expect(wall.count).toHaveText(String(count));
    await photograph(wall.page, called("wall"), shot);
  });

  test(`an embed${inTheRoom}`, async ({ newVisitor, server, crowd, room }) => {
    await crowd.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.page.goto(`/r/${room}/embed`);
    await expect(visitor.page.getByTestId("count")).toHaveText(String(count));
    await photograph(visitor.page, called("embed"), shot);
  });

  test(`without scripts${inTheRoom}`, async ({ newVisitor, server, crowd, complaints, room }) => {
    complaints.areProvoked(SCRIPTS_NOT_USED);
    await crowd.joinInOrder(server, room, names);
    const visitor = await newVisitor({ ...STILL, javaScriptEnabled: false });
    await visitor.page.goto(`/r/${room}`);
    await expect(visitor.count).toHaveText(String(count));
    await photograph(visitor.page, called("without-scripts"), { ...shot, axe: false });

    const likeness = await newVisitor(STILL);
    await showAsWithoutScripts(likeness.page);
    await likeness.page.goto(`/r/${room}`);
    await expect(likeness.page.getByText(/JavaScript/)).toBeVisible();
    await expect(likeness.nameField).toBeHidden();
    await inEveryLook(likeness.page, () => expectNothingForAxe(likeness.page));
  });
}

for (const count of [TWINS.length, 200]) {
  test(`twins, ${count} of them`, async ({ newVisitor, server, crowd, room }) => {
    const names = Array.from({ length: count }, (_, index) => TWINS[index % TWINS.length] ?? "");
    await crowd.joinInOrder(server, room, names);
    const visitor = await newVisitor(STILL);
    await visitor.openAndJoin(room, "Pope");
    await expect(visitor.count).toHaveText(String(count + 1));
    await photograph(visitor.page, count === 200 ? "twins-of-200" : "twins", {
      fullPage: count < 200,
    });
  });
}
