// Screenshots of further situations, for people to look at:
// end2end/screenshots/STATE-SCHEME-WIDTH.png, and the six of a state in end2end/screenshots/sheets/STATE.png.

import { BigRoom } from "../support/big-room";
import { expect, test, type VisitorOptions } from "../support/fixtures";
import { NAMES_OF_ALL_KINDS } from "../support/names";
import { takeScreenshots } from "../support/screenshot";

const STILL: VisitorOptions = { reducedMotion: "reduce" };

test.beforeEach(({}, testInfo) => testInfo.setTimeout(240_000));

test("screenshots of a room with thousands of people, at the top and in the middle", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor(STILL);
  const people = await BigRoom.for(visitor.page, 10_001 - NAMES_OF_ALL_KINDS.length);
  await visitor.open(room);
  for (const name of NAMES_OF_ALL_KINDS) people.join(name);
  await expect(visitor.count).toHaveText("10,001");
  await takeScreenshots(visitor.page, "many", { fullPage: false });
  await visitor.searchField.fill("e");
  await takeScreenshots(visitor.page, "found", { fullPage: false });
  await visitor.searchField.fill("nobody is called that");
  await expect(visitor.found).toContainText("No one here matches");
  await takeScreenshots(visitor.page, "not-found", { fullPage: false });
  await visitor.searchField.fill("");
  await visitor.toggle("newestFirstButton");
  await visitor.page.evaluate(() => scrollTo(0, 30_000));
  await takeScreenshots(visitor.page, "scrolled", { fullPage: false });
});

test("screenshots of the menus and the activity log", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const ana = await newVisitor(STILL);
  await ana.openAndJoin(room, "Ana Sousa");
  await takeScreenshots(ana.page, "activity-of-nothing");
  for (const name of NAMES_OF_ALL_KINDS.slice(0, 8)) {
    await clients.join(server, room, name);
    await expect(ana.activityEntries.first()).toContainText(name);
  }
  await ana.activity.getByText("Show all").click();
  await takeScreenshots(ana.page, "activity");
  await ana.openOwnMenu();
  await takeScreenshots(ana.page, "own-menu", { fullPage: false });
  await ana.closeMenu();
  await ana.toggle("newestFirstButton");
  await ana.openMenu();
  await takeScreenshots(ana.page, "menu", { fullPage: false });
});

test("screenshots of a phone in another language, forced colours and a zoom of 200 %", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES_OF_ALL_KINDS);
  const ana = await newVisitor(STILL);
  await ana.openAndJoin(room, "עדי כהן");
  await ana.page.emulateMedia({ forcedColors: "active" });
  await takeScreenshots(ana.page, "forced-colours");
  await ana.page.emulateMedia({ forcedColors: "none" });
  // A zoom of 200 % halves the window's pixels, and doubles those of the screen.
  await ana.page.evaluate(() => (document.documentElement.style.fontSize = "32px"));
  await takeScreenshots(ana.page, "large-type");
});
