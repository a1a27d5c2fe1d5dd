// Keyboard use in Firefox: controls are reachable by Tab, and the focus is never lost.

import { startAtTheTop } from "../support/keyboard";
import { expect, test } from "./driver/fixtures";
import type { FirefoxElement } from "./driver/element";
import type { FirefoxVisitor } from "./driver/visitor";

/** The most tab stops of a page. */
const MOST_STOPS = 30;

/**
 * Presses Tab until the target has the focus. After the last control the focus leaves the page for Firefox's
 * own buttons, and does not come back.
 */
async function tabTo(visitor: FirefoxVisitor, target: FirefoxElement): Promise<void> {
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    if (!(await visitor.page.evaluate(() => document.hasFocus()))) break;
    if (await target.isFocused()) return;
    await visitor.page.keyboard.press("Tab");
  }
  throw new Error("The tab key does not lead to the element.");
}

/** An element in `<main>` has the focus, so that keyboard navigation continues there. */
async function expectFocusInMain(visitor: FirefoxVisitor): Promise<void> {
  await expect
    .poll(() => visitor.page.evaluate(() => document.activeElement?.closest("main") !== null))
    .toBe(true);
}

test("joining, renaming and leaving work by keyboard, and the focus is never lost", async ({
  newVisitor,
  room,
}) => {
  const ana = await newVisitor();
  const { keyboard } = ana.page;
  const { nameField, ownMenuButton, renameButton, newNameField, cancelButton, leaveButton } = ana.elements;
  await ana.open(room);
  await startAtTheTop(ana.page);

  await tabTo(ana, nameField);
  await keyboard.type("Ana");
  await keyboard.press("Enter");
  await ana.isListedAs("Ana");
  await expectFocusInMain(ana);

  await tabTo(ana, ownMenuButton);
  await keyboard.press("Enter");
  await tabTo(ana, renameButton);
  await keyboard.press("Enter");
  await expect.poll(() => newNameField.isFocused()).toBe(true);
  await keyboard.press("End");
  await keyboard.press("Backspace");
  await keyboard.type("n");
  await keyboard.press("Enter");
  await ana.isListedAs("Ann");
  await expect.poll(() => newNameField.count()).toBe(0);
  await expect.poll(() => ownMenuButton.isFocused()).toBe(true);

  await keyboard.press(" ");
  await tabTo(ana, renameButton);
  await keyboard.press(" ");
  await expect.poll(() => newNameField.isFocused()).toBe(true);
  await tabTo(ana, cancelButton);
  await keyboard.press("Enter");
  await expect.poll(() => newNameField.count()).toBe(0);
  await expect.poll(() => ownMenuButton.isFocused()).toBe(true);

  await keyboard.press("Enter");
  await tabTo(ana, renameButton);
  await keyboard.press("Enter");
  await expect.poll(() => newNameField.isFocused()).toBe(true);
  await keyboard.press("Escape");
  await expect.poll(() => newNameField.count()).toBe(0);
  await expect.poll(() => ownMenuButton.isFocused()).toBe(true);

  await keyboard.press("Enter");
  await tabTo(ana, leaveButton);
  await keyboard.press("Enter");
  await expect.poll(() => nameField.isFocused()).toBe(true);
  await ana.shows([]);
});

test("the focus stays while other people join and leave", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await ana.openOwnMenu();
  await ana.elements.leaveButton.focus();
  const bo = await clients.join(server, room, "Bo");
  await ana.shows(["Ana", "Bo"]);
  bo.send({ event: "leave" });
  await ana.shows(["Ana"]);
  expect(await ana.elements.leaveButton.isFocused()).toBe(true);
});
