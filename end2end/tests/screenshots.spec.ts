// Pictures of every state of the page, to be looked at: end2end/screenshots/STATE-SCHEME-WIDTH.png.

import { join } from "node:path";

import type { Page } from "@playwright/test";

import { NO_CONNECTION, NOT_FOUND, SCRIPTS_NOT_USED } from "../support/complaints";
import { expect, test, type VisitorOptions } from "../support/fixtures";
import { hasComeToRest } from "../support/layout";

const FOLDER = join(__dirname, "..", "screenshots");

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

/** The whole page in light and dark, on a phone, a tablet and a desk. */
async function photograph(page: Page, state: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [320, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await hasComeToRest(page);
      const path = join(FOLDER, `${state}-${colorScheme}-${width}.png`);
      await page.screenshot({ path, fullPage: true, animations: "disabled" });
    }
  }
}
