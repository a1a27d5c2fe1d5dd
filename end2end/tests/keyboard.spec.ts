// The keyboard alone is enough, leads everywhere, and is never lost.

import { NO_CONNECTION } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import {
  expectKeyboardIsSomewhere,
  expectTheKeyboardLeadsEverywhere,
  tabTo,
} from "../support/keyboard";

const NAMES = ["Ana Sousa", "Kim", "Kim", "Ирина Петрова", "مريم الحداد", "W".repeat(40)];

test("the keyboard alone is enough to join, rename and leave, and is never lost", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  const { keyboard } = ana.page;
  await ana.open(room);

  // Into the field from the top of the page.
  await ana.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await tabTo(ana.nameField);
  await keyboard.type("Ana");
  await keyboard.press("Enter");
  await expect(ana.you).toContainText("You're on the list as Ana");
  await expectKeyboardIsSomewhere(ana.page);

  await tabTo(ana.renameButton);
  await keyboard.press("Enter");
  await expect(ana.newNameField).toBeFocused();
  await keyboard.press("ControlOrMeta+A");
  await keyboard.type("Ann");
  await keyboard.press("Enter");
  await expect(ana.you).toContainText("You're on the list as Ann");
  await expect(ana.newNameField).toHaveCount(0);
  await expectKeyboardIsSomewhere(ana.page);

  await tabTo(ana.renameButton);
  await keyboard.press("Space");
  await expect(ana.newNameField).toBeFocused();
  await tabTo(ana.cancelButton);
  await keyboard.press("Enter");
  await expect(ana.newNameField).toHaveCount(0);
  await expectKeyboardIsSomewhere(ana.page);

  await tabTo(ana.renameButton);
  await keyboard.press("Enter");
  await expect(ana.newNameField).toBeFocused();
  await keyboard.press("Escape");
  await expect(ana.newNameField).toHaveCount(0);
  await expectKeyboardIsSomewhere(ana.page);

  await tabTo(ana.leaveButton);
  await keyboard.press("Enter");
  await expect(ana.nameField).toBeFocused();
  await ana.shows([]);
});

test("the keyboard alone is enough to find somebody, to change the order and to read what happened", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  await crowd.joinInOrder(server, room, ["Zoe", "Bo", "Ana"]);
  const visitor = await newVisitor();
  const { keyboard } = visitor.page;
  await visitor.open(room);
  await visitor.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await tabTo(visitor.activity.locator("summary"));
  await keyboard.press("Enter");
  await tabTo(visitor.muteButton);
  await keyboard.press("Space");
  await expect(visitor.muteButton).toHaveAttribute("aria-pressed", "true");
  await tabTo(visitor.findField);
  await keyboard.type("o");
  await expect(visitor.names).toHaveText(["Zoe", "Bo"]);
  await tabTo(visitor.sortButton);
  await keyboard.press("Space");
  await expect(visitor.names).toHaveText(["Bo", "Zoe"]);
  await expect(visitor.sortButton).toBeFocused();
});

for (const width of [320, 1280]) {
  test(`the keyboard leads to everything, and is seen wherever it is, in a window of ${width} px`, async ({
    newVisitor,
    server,
    crowd,
    complaints,
    room,
  }) => {
    complaints.areProvoked(NO_CONNECTION);
    await crowd.joinInOrder(server, room, NAMES);
    const visitor = await newVisitor({ viewport: { width, height: 700 } });
    await visitor.open(room);
    await test.step("before joining", () => expectTheKeyboardLeadsEverywhere(visitor.page));
    await visitor.join("Olu");
    const secondTab = await visitor.openTab();
    await secondTab.open(room);
    await expect(visitor.someoneElseButton).toBeVisible();
    await test.step("joined", () => expectTheKeyboardLeadsEverywhere(visitor.page));
    await visitor.renameButton.click();
    await visitor.activity.locator("summary").click();
    await test.step("renaming", () => expectTheKeyboardLeadsEverywhere(visitor.page));
    await visitor.context.setOffline(true);
    await expect(visitor.banner).toBeVisible();
    await test.step("offline", () => expectTheKeyboardLeadsEverywhere(visitor.page));
    await visitor.page.getByRole("button", { name: "QR code" }).press("Enter");
    await expect(visitor.page.getByRole("dialog")).toBeVisible();
    await tabTo(visitor.page.getByRole("button", { name: "Close" }));
    await tabTo(visitor.page.getByRole("link", { name: /wall/ }));
    await visitor.page.keyboard.press("Escape");
    await expect(visitor.page.getByRole("button", { name: "QR code" })).toBeFocused();
  });
}

test("the keyboard stays where it is while others come and go", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await ana.leaveButton.focus();
  const bo = await crowd.join(server, room, "Bo");
  await ana.shows(["Ana", "Bo"]);
  bo.send({ event: "leave" });
  await ana.shows(["Ana"]);
  await expect(ana.leaveButton).toBeFocused();
});

test("the keyboard is not lost with the banner when the page has healed", async ({
  newVisitor,
  mortalServer,
  complaints,
  room,
}) => {
  complaints.areProvoked(NO_CONNECTION);
  const ana = await newVisitor({ of: mortalServer });
  await ana.openAndJoin(room, "Ana");
  await mortalServer.kill();
  await ana.saysThatTheConnectionIsLost();
  await ana.tryNowButton.focus();
  await mortalServer.start();
  await ana.hasHealed();
  await expectKeyboardIsSomewhere(ana.page);
});
