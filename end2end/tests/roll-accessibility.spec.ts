// The sheet of the roll with a keyboard, on paper, without scripts, and in every width and direction.

import { expectNoAxeViolations } from "../support/appearance";
import { SCRIPTS_NOT_USED } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll } from "../support/layout";
import { LIST, OTHERWISE, SAME, sheetOf, STRANGERS, withList } from "../support/roll-sheet";
import { takeScreenshots } from "../support/screenshot";

test("the sheet is operated with the keyboard alone", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, ["Zé", "Maria"]);
  const visitor = await newVisitor();
  await visitor.open(room);
  const { page } = visitor;
  const sheet = sheetOf(page);
  const opener = page.getByRole("button", { name: "Take the roll" });
  await opener.focus();
  await page.keyboard.press("Enter");
  await expect(sheet.dialog).toHaveAttribute("data-connected");
  await sheet.field.focus();
  await page.keyboard.insertText("José Silva\nMaria Lopez");
  await expect(sheet.part("questions").getByRole("listitem")).toHaveCount(2);
  // The focus stays in the sheet, whichever way it goes.
  for (let stop = 0; stop < 25; stop += 1) {
    await page.keyboard.press("Tab");
    const beside = page.locator("main :focus:not(#roll-sheet, #roll-sheet *)");
    await expect(beside).toHaveCount(0);
  }
  // After an answer it goes on with the next question, and then with the result.
  await sheet.part("questions").getByRole("button", { name: "Yes" }).first().focus();
  await page.keyboard.press("Enter");
  await expect(sheet.part("questions").getByRole("button", { name: "Yes" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(sheet.headline).toHaveText("2 of 2");
  await expect(sheet.headline).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(sheet.dialog).toBeHidden();
  await expect(opener).toBeFocused();
});

test("a called roll of 200 prints alone, on A4", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, ["Ana Sousa"]);
  const visitor = await newVisitor();
  const names = Array.from({ length: 200 }, (_, index) => `Expected Person ${index + 1}`);
  const sheet = await withList(visitor, room, ["Ana Sousa", ...names]);
  await sheet.button("Call the roll now").click();
  await visitor.page.emulateMedia({ media: "print" });
  await expect(sheet.part("missing")).toBeVisible();
  for (const hidden of [visitor.roster, visitor.roomName, sheet.field, sheet.button("Print roll")]) {
    await expect(hidden).toBeHidden();
  }
  const pdf = (await visitor.page.pdf({ format: "A4" })).toString("latin1");
  const pages = pdf.match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  expect(pages).toBeGreaterThan(1);
  expect(pages).toBeLessThan(7);
});

test("without scripts the sheet has the files of who is here", async ({
  newVisitor,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(SCRIPTS_NOT_USED);
  await clients.join(server, room, "Ana Sousa");
  const visitor = await newVisitor({ javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}`);
  const { dialog, field } = sheetOf(visitor.page);
  await expect(dialog).toBeHidden();
  await visitor.page.getByRole("button", { name: "Take the roll" }).click();
  for (const name of ["Text", "CSV", "Excel", "Print"]) await expect(dialog.getByRole("link", { name })).toBeVisible();
  await expect(field).toBeHidden();
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(dialog).toBeHidden();
});

test("the sheet and the marks look right, in every direction and width", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, [...SAME, ...OTHERWISE.map(([, name]) => name), ...STRANGERS, "Maria"]);
  const visitor = await newVisitor();
  const sheet = await withList(visitor, room, [...LIST, "Maria Silva", "مريم الحداد", "W".repeat(60)]);
  await expect(sheet.part("questions").getByRole("listitem")).toHaveCount(4);
  await takeScreenshots(visitor.page, "roll-sheet", { fullPage: false });
  const targets = await sheet.dialog.locator("button:visible").evaluateAll((buttons) =>
    buttons.filter((button) => !button.matches(".roll *")).map((button) => button.getBoundingClientRect().height),
  );
  expect(Math.min(...targets)).toBeGreaterThanOrEqual(44);
  await visitor.page.evaluate(() => document.documentElement.setAttribute("dir", "rtl"));
  for (const width of [320, 1280]) {
    await visitor.page.setViewportSize({ width, height: 800 });
    await expectNoHorizontalScroll(visitor.page);
    const excess = await sheet.dialog.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
    expect(excess).toBeLessThanOrEqual(0);
    await expectNoAxeViolations(visitor.page);
  }
  await visitor.page.evaluate(() => document.documentElement.removeAttribute("dir"));
  await visitor.page.keyboard.press("Escape");
  await takeScreenshots(visitor.page, "roll-marks");
  await visitor.page.getByRole("button", { name: /^Missing \d/ }).click();
  await expectNoAxeViolations(visitor.page);
});
