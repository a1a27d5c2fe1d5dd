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
  await ana.isListedAs("Ana");
  await expectFocusInMain(ana.page);

  await tabTo(ana.ownMenuButton);
  await keyboard.press("Enter");
  await tabTo(ana.renameButton);
  await keyboard.press("Enter");
  await expect(ana.newNameField).toBeFocused();
  await keyboard.press("ControlOrMeta+A");
  await keyboard.type("Ann");
  await keyboard.press("Enter");
  await ana.isListedAs("Ann");
  await expect(ana.newNameField).toHaveCount(0);
  // The form replaces the menu and its button, and the button takes the focus back.
  await expect(ana.ownMenuButton).toBeFocused();

  await keyboard.press("Space");
  await tabTo(ana.renameButton);
  await keyboard.press("Space");
  await expect(ana.newNameField).toBeFocused();
  await tabTo(ana.cancelButton);
  await keyboard.press("Enter");
  await expect(ana.newNameField).toHaveCount(0);
  await expect(ana.ownMenuButton).toBeFocused();

  await keyboard.press("Enter");
  await tabTo(ana.renameButton);
  await keyboard.press("Enter");
  await expect(ana.newNameField).toBeFocused();
  await keyboard.press("Escape");
  await expect(ana.newNameField).toHaveCount(0);
  await expect(ana.ownMenuButton).toBeFocused();

  // Escape closes the menu, and changes nothing else.
  await keyboard.press("Enter");
  await tabTo(ana.leaveButton);
  await keyboard.press("Escape");
  await expect(ana.ownMenu).toBeHidden();
  await expect(ana.ownMenuButton).toBeFocused();
  await keyboard.press("Enter");
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
  // Few enough for one look are not searched, and few enough entries of the activity all shown.
  const [cy] = await clients.joinInOrder(server, room, ["Cy", "Ana", "Bo", "Zoe", "Di", "Ed", "Fay", "Gil"]);
  for (let change = 1; change <= 7; change += 1) cy!.send({ event: "rename", name: `Cy ${change}` });
  const visitor = await newVisitor();
  const { keyboard } = visitor.page;
  await visitor.open(room);
  await visitor.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await tabTo(visitor.activity.getByRole("list"));
  await expect(visitor.activityEntries.filter({ visible: true })).toHaveCount(6);
  await tabTo(visitor.activity.locator("summary"));
  await keyboard.press("Enter");
  await expect(visitor.activityEntries.filter({ visible: true }).nth(6)).toBeVisible();
  await tabTo(visitor.searchField);
  await keyboard.type("o");
  await expect(visitor.names).toHaveText(["Bo", "Zoe"]);
  await tabTo(visitor.menuButton);
  await keyboard.press("Enter");
  await tabTo(visitor.newestFirstButton);
  await keyboard.press("Space");
  await expect(visitor.names).toHaveText(["Zoe", "Bo"]);
  await expect(visitor.newestFirstButton).toBeFocused();
  await tabTo(visitor.announceButton);
  await keyboard.press("Space");
  await expect(visitor.announceButton).toHaveAttribute("aria-pressed", "false");
  await keyboard.press("Escape");
  await expect(visitor.menu).toBeHidden();
  await expect(visitor.menuButton).toBeFocused();
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
    await test.step("joined", () => expectTabReachesAllControls(visitor.page));
    await visitor.startRename();
    await test.step("renaming", () => expectTabReachesAllControls(visitor.page));
    await visitor.context.setOffline(true);
    await expect(visitor.banner).toBeVisible();
    await test.step("offline", () => expectTabReachesAllControls(visitor.page));
    await visitor.inviteButton.press("Enter");
    await expect(visitor.page.getByRole("dialog")).toBeVisible();
    await expect(visitor.invitation.getByRole("button", { name: "Close", exact: true })).toBeFocused();
    await tabTo(visitor.invitation.getByRole("button", { name: "Copy", exact: true }));
    await tabTo(visitor.invitation.getByRole("link", { name: /wall/ }));
    await visitor.page.keyboard.press("Escape");
    await expect(visitor.invitation).toBeHidden();
    await expect(visitor.inviteButton).toBeFocused();
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
  await ana.openOwnMenu();
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
