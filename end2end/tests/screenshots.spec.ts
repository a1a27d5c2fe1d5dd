// Pictures of every state of the page, to be looked at: end2end/screenshots/STATE-SCHEME-WIDTH.png,
// and the six of a state on a sheet: end2end/screenshots/sheets/STATE.png.

import { BigRoom } from "../support/big-room";
import { NO_CONNECTION, NOT_FOUND, SCRIPTS_NOT_USED } from "../support/complaints";
import { expect, test, type VisitorOptions } from "../support/fixtures";
import { photograph } from "../support/photograph";

/** Twins, other scripts and directions, emoji, and a long name; the visitor is the first of twelve. */
const OTHERS = [
  "Bo",
  "Ирина Петрова",
  "Kim",
  "Kim",
  "مريم الحداد",
  "Jürgen Weiß-Çelik",
  "李小龍",
  "A very long name that does not fit a row",
  "🙂 Sunny",
  "neha",
  "עדי 👩🏽‍🚀 Mae",
];

const STILL: VisitorOptions = { reducedMotion: "reduce" };

test("an empty room is photographed", async ({ newVisitor, room }) => {
  const visitor = await newVisitor(STILL);
  await visitor.open(room);
  await expect(visitor.emptyRoom).toBeVisible();
  await photograph(visitor.page, "empty");
});

test("a person alone in a room is photographed", async ({ newVisitor, room }) => {
  const visitor = await newVisitor(STILL);
  await visitor.openAndJoin(room, "Ana Sousa");
  await photograph(visitor.page, "alone");
});

test("twelve people are photographed, before and after joining", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  const ana = await newVisitor(STILL);
  await ana.openAndJoin(room, "Ana Sousa");
  await crowd.joinInOrder(server, room, OTHERS);
  await ana.shows(["Ana Sousa", ...OTHERS]);
  await photograph(ana.page, "twelve");
  await ana.renameButton.click();
  await expect(ana.newNameField).toBeVisible();
  await photograph(ana.page, "renaming");

  const stranger = await newVisitor(STILL);
  await stranger.open(room);
  await stranger.shows(["Ana Sousa", ...OTHERS]);
  await photograph(stranger.page, "before-joining");
});

test("a refused name is photographed", async ({ newVisitor, server, crowd, room }) => {
  await crowd.joinInOrder(server, room, ["Bo", "Kim"]);
  const visitor = await newVisitor(STILL);
  await visitor.open(room);
  await visitor.nameField.fill("x".repeat(41));
  await visitor.nameField.press("Enter");
  await expect(visitor.nameError).toBeVisible();
  await photograph(visitor.page, "refused");
});

test("a lost connection is photographed", async ({
  newVisitor,
  mortalServer,
  crowd,
  complaints,
  room,
}) => {
  complaints.areProvoked(NO_CONNECTION);
  const ana = await newVisitor({ ...STILL, of: mortalServer });
  await ana.openAndJoin(room, "Ana Sousa");
  await crowd.joinInOrder(mortalServer, room, OTHERS);
  await ana.shows(["Ana Sousa", ...OTHERS]);
  await mortalServer.kill();
  await ana.saysThatTheConnectionIsLost();
  await photograph(ana.page, "reconnecting");
});

test("the 404 page is photographed", async ({ newVisitor, complaints }) => {
  complaints.areProvoked(NOT_FOUND);
  const visitor = await newVisitor(STILL);
  await visitor.page.goto("/r/a_b");
  await photograph(visitor.page, "404");
});

test("the page without scripts is photographed", async ({
  newVisitor,
  server,
  crowd,
  complaints,
  room,
}) => {
  complaints.areProvoked(SCRIPTS_NOT_USED);
  await crowd.joinInOrder(server, room, OTHERS);
  const visitor = await newVisitor({ ...STILL, javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}`);
  await visitor.shows(OTHERS);
  await photograph(visitor.page, "without-scripts");
});

test("a room with thousands of people is photographed, at its top and in its midst", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor(STILL);
  const people = await BigRoom.for(visitor.page, 9_990);
  await visitor.open(room);
  for (const name of OTHERS) people.join(name);
  await expect(visitor.count).toHaveText("10,001");
  await photograph(visitor.page, "many", { fullPage: false });
  await visitor.findField.fill("e");
  await photograph(visitor.page, "found", { fullPage: false });
  await visitor.findField.fill("");
  await visitor.sortButton.click();
  await visitor.page.evaluate(() => scrollTo(0, 30_000));
  await photograph(visitor.page, "scrolled", { fullPage: false });
});

test("someone with a second tab, and what has happened, is photographed", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  const ana = await newVisitor(STILL);
  await ana.openAndJoin(room, "Ana Sousa");
  await ana.activity.locator("summary").click();
  for (const name of OTHERS.slice(0, 5)) {
    await crowd.join(server, room, name);
    await expect(ana.happenings.first()).toContainText(name);
  }
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  await expect(ana.you).toContainText("in 2 tabs");
  await photograph(ana.page, "activity");
});

test("who is away, who is reconnecting and who left is photographed", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  const [, bo, , kim] = await crowd.joinInOrder(server, room, OTHERS);
  const ana = await newVisitor(STILL);
  await ana.openAndJoin(room, "Ana Sousa");
  bo?.send({ event: "visible", visible: false });
  kim?.abandon();
  await expect(ana.roster.locator("[data-state=reconnecting]")).toHaveCount(1);
  await photograph(ana.page, "reconnecting-row");
  await expect(ana.roster.locator("[data-state=away]")).toHaveCount(1, { timeout: 40_000 });
  await photograph(ana.page, "away");
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  await secondTab.leaveButton.click();
  await expect(ana.nameField).toBeVisible();
  await photograph(ana.page, "left");
});

test("a phone in another language, forced colours and a zoom of 200 % are photographed", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  await crowd.joinInOrder(server, room, OTHERS);
  const ana = await newVisitor(STILL);
  await ana.openAndJoin(room, "עדי כהן");
  await ana.page.emulateMedia({ forcedColors: "active" });
  await photograph(ana.page, "forced-colours");
  await ana.page.emulateMedia({ forcedColors: "none" });
  // A zoom of 200 % halves the window's pixels, and doubles those of the screen.
  await ana.page.evaluate(() => (document.documentElement.style.fontSize = "32px"));
  await photograph(ana.page, "large-type");
});
