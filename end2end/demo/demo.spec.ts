// The moving picture of the README, docs/demo.webp: what Bo sees while Ana joins, reloads and leaves.

import { join } from "node:path";

import { expect, test, type VisitorOptions } from "../support/fixtures";
import { MovingPicture, SCALE, type Window } from "../support/moving-picture";

const PICTURE = join(__dirname, "..", "..", "docs", "demo.webp");
const MOST_BYTES = 600_000;

const ROOM = "design-review";
const WINDOW: VisitorOptions = { viewport: { width: 410, height: 680 }, deviceScaleFactor: SCALE };

test("docs/demo.webp shows a join, a reload and a leave", async ({ browser, newVisitor }) => {
  const [kim, bo, ana] = [await newVisitor(), await newVisitor(WINDOW), await newVisitor(WINDOW)];
  await kim.openAndJoin(ROOM, "Kim");
  await bo.openAndJoin(ROOM, "Bo");
  await ana.open(ROOM);

  const anas: Window = { title: "Ana’s browser", page: ana.page };
  const bos: Window = { title: "Bo’s browser", page: bo.page };
  const picture = await MovingPicture.begin(browser);
  let caption = "Ana types her name.";
  const show = (milliseconds: number) => picture.add([anas, bos], caption, milliseconds);
  /** What moves is shown in frames of a tenth of a second. */
  const showMovement = async (milliseconds: number) => {
    for (let shown = 0; shown < milliseconds; shown += 100) await show(100);
  };

  await show(400);
  for (const letter of "Ana") {
    await ana.page.keyboard.type(letter);
    await show(150);
  }
  caption = "Ana joins: Bo sees her at once.";
  await ana.page.keyboard.press("Enter");
  await bo.shows(["Kim", "Bo", "Ana"]);
  await showMovement(400);
  await ana.isLive();
  await show(1_050);

  caption = "Ana reloads: Bo sees no change.";
  anas.isLoading = true;
  await show(400);
  await ana.page.reload({ waitUntil: "commit" });
  await showMovement(300);
  await ana.isLive();
  anas.isLoading = false;
  await show(1_100);

  caption = "Ana leaves: Bo sees her go.";
  await ana.leave();
  await bo.shows(["Kim", "Bo"]);
  await showMovement(500);
  await expect(ana.nameField).toBeVisible();
  await show(1_400);

  expect(await picture.write(PICTURE)).toBeLessThan(MOST_BYTES);
});
