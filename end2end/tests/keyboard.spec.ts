// Keyboard use: all controls are reachable, and the focus is never lost.

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import {
  expectFocusInMain,
  expectTabReachesAllControls,
  tabTo,
} from "../support/keyboard";

const NAMES = ["Ana Sousa", "Kim", "Kim", "Ирина Петрова", "مريم الحداد", "W".repeat(100)];

test("joining, renaming and leaving work by keyboard, and the focus is never lost", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  const { keyboard } = ana.page;
  await ana.open(room);

  // From the top of the page to the name field.
  await ana.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await tabTo(ana.nameField);
  await keyboard.type("Ana");
  await keyboard.press("Enter");
  await expect(ana.you).toContainText("You're on the list as Ana");
  await expectFocusInMain(ana.page);

  await tabTo(ana.renameButton);
  await keyboard.press("Enter");
  await expect(ana.newNameField).toBeFocused();
  await keyboard.press("ControlOrMeta+A");
  await keyboard.type("Ann");
  await keyboard.press("Enter");
  await expect(ana.you).toContainText("You're on the list as Ann");
  await expect(ana.newNameField).toHaveCount(0);
  await expectFocusInMain(ana.page);

  await tabTo(ana.renameButton);
  await keyboard.press("Space");
  await expect(ana.newNameField).toBeFocused();
  await tabTo(ana.cancelButton);
  await keyboard.press("Enter");
  await expect(ana.newNameField).toHaveCount(0);
  await expectFocusInMain(ana.page);

  await tabTo(ana.renameButton);
  await keyboard.press("Enter");
  await expect(ana.newNameField).toBeFocused();
  await keyboard.press("Escape");
  await expect(ana.newNameField).toHaveCount(0);
  await expectFocusInMain(ana.page);

  await tabTo(ana.leaveButton);
  await keyboard.press("Enter");
  await expect(ana.nameField).toBeFocused();
  await ana.shows([]);
});

test("searching, sorting and reading the activity log work by keyboard", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, ["Zoe", "Bo", "Ana"]);
  const visitor = await newVisitor();
  const { keyboard } = visitor.page;
  await visitor.open(room);
  await visitor.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await tabTo(visitor.activity.locator("summary"));
  await keyboard.press("Enter");
  await tabTo(visitor.muteButton);
  await keyboard.press("Space");
  await expect(visitor.muteButton).toHaveAttribute("aria-pressed", "true");
  await tabTo(visitor.searchField);
  await keyboard.type("o");
  await expect(visitor.names).toHaveText(["Zoe", "Bo"]);
  await tabTo(visitor.sortButton);
  await keyboard.press("Space");
  await expect(visitor.names).toHaveText(["Bo", "Zoe"]);
  await expect(visitor.sortButton).toBeFocused();
});

for (const width of [320, 1280]) {
  test(`Tab reaches all controls with a visible focus, in a window of ${width} px`, async ({
    newVisitor,
    server,
    clients,
    browserErrors,
    room,
  }) => {
    browserErrors.areExpected(NO_CONNECTION);
    await clients.joinInOrder(server, room, NAMES);
    const visitor = await newVisitor({ viewport: { width, height: 700 } });
    await visitor.open(room);
    await test.step("before joining", () => expectTabReachesAllControls(visitor.page));
    await visitor.join("Olu");
    const secondTab = await visitor.openTab();
    await secondTab.open(room);
    // A tab in the background is not laid out anew.
    await visitor.page.bringToFront();
    await expect(visitor.switchPersonButton).toBeVisible();
    await test.step("joined", () => expectTabReachesAllControls(visitor.page));
    await visitor.renameButton.click();
    await visitor.activity.locator("summary").click();
    await test.step("renaming", () => expectTabReachesAllControls(visitor.page));
    await visitor.context.setOffline(true);
    await expect(visitor.banner).toBeVisible();
    await test.step("offline", () => expectTabReachesAllControls(visitor.page));
    await visitor.page.getByRole("button", { name: "QR code" }).press("Enter");
    await expect(visitor.page.getByRole("dialog")).toBeVisible();
    await tabTo(visitor.page.getByRole("button", { name: "Close" }));
    await tabTo(visitor.page.getByRole("link", { name: /wall/ }));
    await visitor.page.keyboard.press("Escape");
    await expect(visitor.page.getByRole("button", { name: "QR code" })).toBeFocused();
  });
}

test("the focus stays while other people join and leave", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await ana.leaveButton.focus();
  const bo = await clients.join(server, room, "Bo");
  await ana.shows(["Ana", "Bo"]);
  bo.send({ event: "leave" });
  await ana.shows(["Ana"]);
  await expect(ana.leaveButton).toBeFocused();
});

test("the focus moves out of the banner when the page has reconnected", async ({
  newVisitor,
  ownServer,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  const ana = await newVisitor({ of: ownServer });
  await ana.openAndJoin(room, "Ana");
  await ownServer.kill();
  await ana.isDisconnected();
  await ana.retryNowButton.focus();
  await ownServer.start();
  await ana.isReconnected();
  await expectFocusInMain(ana.page);
});
