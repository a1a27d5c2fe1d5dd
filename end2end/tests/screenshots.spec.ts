// Pictures of what visitors do with a page, beside those of its states, to be looked at:
// end2end/screenshots/STATE-SCHEME-WIDTH.png, and the six of a state in end2end/screenshots/sheets/STATE.png.

import { BigRoom } from "../support/big-room";
import { expect, test, type VisitorOptions } from "../support/fixtures";
import { NAMES_OF_ALL_KINDS } from "../support/names";
import { photograph } from "../support/photograph";

const STILL: VisitorOptions = { reducedMotion: "reduce" };

test.beforeEach(({}, testInfo) => testInfo.setTimeout(240_000));

test("a room with thousands of people is photographed, at its top and in its midst", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor(STILL);
  const people = await BigRoom.for(visitor.page, 10_001 - NAMES_OF_ALL_KINDS.length);
  await visitor.open(room);
  for (const name of NAMES_OF_ALL_KINDS) people.join(name);
  await expect(visitor.count).toHaveText("10,001");
  await photograph(visitor.page, "many", { fullPage: false });
  await visitor.findField.fill("e");
  await photograph(visitor.page, "found", { fullPage: false });
  await visitor.findField.fill("nobody is called that");
  await expect(visitor.found).toContainText("No one here matches");
  await photograph(visitor.page, "not-found", { fullPage: false });
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
  await photograph(ana.page, "activity-of-nothing");
  for (const name of NAMES_OF_ALL_KINDS.slice(0, 5)) {
    await crowd.join(server, room, name);
    await expect(ana.happenings.first()).toContainText(name);
  }
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  await expect(ana.you).toContainText("in 2 tabs");
  await ana.muteButton.click();
  await photograph(ana.page, "activity");
});

test("a phone in another language, forced colours and a zoom of 200 % are photographed", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  await crowd.joinInOrder(server, room, NAMES_OF_ALL_KINDS);
  const ana = await newVisitor(STILL);
  await ana.openAndJoin(room, "עדי כהן");
  await ana.page.emulateMedia({ forcedColors: "active" });
  await photograph(ana.page, "forced-colours");
  await ana.page.emulateMedia({ forcedColors: "none" });
  // A zoom of 200 % halves the window's pixels, and doubles those of the screen.
  await ana.page.evaluate(() => (document.documentElement.style.fontSize = "32px"));
  await photograph(ana.page, "large-type");
});
