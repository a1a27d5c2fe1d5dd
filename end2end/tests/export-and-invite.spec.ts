// The invitation, the chart of the last hour, the export, and the pages for missing and full rooms.

import { readFile } from "node:fs/promises";

import type { Page } from "@playwright/test";

import { NOT_FOUND, SCRIPTS_NOT_USED } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll } from "../support/layout";
import { takeScreenshots } from "../support/screenshot";
import { readCode } from "../support/qr-code";

/** All texts of a page as the browser exposes them, with those that only the style sheet has, such as counters. */
async function spokenText(page: Page): Promise<string> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const texts = nodes.filter(({ role }) => role?.value === "StaticText");
  return texts.map(({ name }) => String(name?.value)).join("");
}

/** The files are in the sheet of the roll. */
async function openSheet(page: Page): Promise<void> {
  await page.locator(".page-header .take-the-roll").click();
}

const NAMES = ["Ana Sousa", "=1+1", "李小龍"];

for (const colorScheme of ["light", "dark"] as const) {
  test(`the QR code is readable and leads to the room, in ${colorScheme}`, async ({ newVisitor, room }) => {
    const visitor = await newVisitor({ colorScheme });
    await visitor.open(room);
    const code = visitor.invitation.getByRole("img", { name: /QR code/ });
    await expect(code).toBeHidden();
    await visitor.openInvitation();
    await expect(code).toBeVisible();
    await expect
      .poll(() => code.evaluate((image) => (image as HTMLImageElement).naturalWidth))
      .toBeGreaterThan(0);
    const address = `${new URL(visitor.page.url()).origin}/r/${room}`;
    expect(await readCode(code)).toBe(address);
    await expect(visitor.invitation.getByLabel("Link to this room")).toHaveValue(address);
  });
}

test("the QR code is only loaded when the invitation is opened", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  const codes: string[] = [];
  visitor.page.on("request", (request) => {
    if (request.url().endsWith("qr.svg")) codes.push(request.url());
  });
  await visitor.open(room);
  await visitor.page.waitForLoadState("networkidle");
  expect(codes).toEqual([]);
  await visitor.openInvitation();
  await expect.poll(() => codes.length).toBe(1);
});

test("the list can be downloaded as text and as CSV", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  await visitor.open(room);
  await openSheet(visitor.page);
  for (const [link, extension, name] of [
    ["Text", "txt", "\n=1+1\n"],
    ["CSV", "csv", `\r\n"'=1+1",`],
  ] as const) {
    const downloading = visitor.page.waitForEvent("download");
    await visitor.page.getByRole("link", { name: link }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe(`rollcall-${room}.${extension}`);
    const text = await readFile(await download.path(), "utf8");
    expect(text).toContain(name);
    for (const other of ["Ana Sousa", "李小龍"]) expect(text).toContain(other);
  }
});

test("exports have the visitor's local time, and a separator that suits their language", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor({ locale: "de-DE", timezoneId: "Asia/Kolkata" });
  await visitor.open(room);
  await openSheet(visitor.page);
  const download = async (link: string) => {
    const downloading = visitor.page.waitForEvent("download");
    await visitor.page.getByRole("link", { name: link }).click();
    const file = await downloading;
    return { name: file.suggestedFilename(), content: await readFile(await file.path()) };
  };
  const lines = (await download("CSV")).content.toString("utf8").split("\r\n");
  expect(lines[0]).toBe("\ufeffname;state;here since;id;date;time");
  expect(lines[1]).toMatch(/^"Ana Sousa";"here";"[-0-9]+T[:0-9]+\+05:30";/);
  expect((await download("Text")).content.toString("utf8")).toMatch(/^.*: 3 people, .*\+05:30\n/);
  const workbook = await download("Excel");
  expect(workbook.name).toBe(`rollcall-${room}.xlsx`);
  // A zip archive.
  expect(workbook.content.subarray(0, 2).toString()).toBe("PK");
});

test("a room of a thousand is printed whole, on numbered lines below a repeated head", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const names = Array.from({ length: 1_000 }, (_, index) => `Person ${index + 1} of a long list`);
  await clients.joinTogether(server, room, names);
  const visitor = await newVisitor({ timezoneId: "Asia/Kolkata" });
  await visitor.open(room);
  await expect(visitor.count).toHaveText("1,000");

  // The room's page holds the rows in sight, and says so on paper.
  const note = visitor.page.getByText(/on this paper/);
  await expect(visitor.page.locator("#roster > [aria-setsize]").first()).toBeAttached();
  await expect(note).toBeHidden();
  await visitor.page.emulateMedia({ media: "print" });
  await expect(note).toBeVisible();
  await expect(visitor.page.getByRole("link", { name: "Privacy" })).toBeHidden();
  const rows = await visitor.page.locator("#roster > li").count();
  expect(await spokenText(visitor.page)).toContain(`Only ${rows} of the people on the list are on this paper.`);
  await visitor.page.emulateMedia({ media: "screen" });

  // The dialog itself would print the page while the test does.
  await visitor.page.context().addInitScript(() => {
    window.print = () => document.documentElement.toggleAttribute("data-dialog-was-opened", true);
  });
  await openSheet(visitor.page);
  const opening = visitor.page.waitForEvent("popup");
  await visitor.page.getByRole("link", { name: "Print" }).click();
  const paper = await opening;
  await expect(paper.locator("html")).toHaveAttribute("data-dialog-was-opened");
  await expect(paper.getByRole("row")).toHaveCount(1_001);
  await expect(paper.getByRole("row").last()).toContainText("1000");
  await expect(paper.getByText(/^1,000 people/)).toContainText("UTC+05:30");
  await paper.emulateMedia({ media: "print" });
  const { head, points } = await paper.evaluate(() => {
    const style = (selector: string) => getComputedStyle(document.querySelector(selector) as Element);
    return { head: style("thead").display, points: parseFloat(style("td").fontSize) * 0.75 };
  });
  expect(head).toBe("table-header-group");
  expect(points).toBeGreaterThanOrEqual(10);
  const pdf = (await paper.pdf({ format: "A4" })).toString("latin1");
  const sheets = pdf.match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  expect(sheets).toBeGreaterThan(15);
  expect(sheets).toBeLessThan(40);
});

test("the list for paper is readable on a phone, and leads back to the room", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, ["Maximiliane von Hohenstein-Sigmaringen", "Person 1", "W".repeat(100)]);
  const visitor = await newVisitor({ viewport: { width: 390, height: 800 } });
  await visitor.page.addInitScript("window.print = () => undefined");
  await visitor.page.goto(`/r/${room}/print`);
  await expectNoHorizontalScroll(visitor.page);
  // No word is broken that fits: as wide as its column's longest word needs, a name has as many lines as words.
  const lines = (name: string) =>
    visitor.page.getByText(name, { exact: true }).evaluate((name) => name.getClientRects().length);
  expect(await lines("Person 1")).toBe(1);
  expect(await lines("Maximiliane von Hohenstein-Sigmaringen")).toBeLessThanOrEqual(4);
  await visitor.page.getByRole("link", { name: room }).click();
  await visitor.isLive();
});

test("the page of a list that is whole says nothing more on paper", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  await visitor.openAndJoin(room, "Ana");
  await visitor.page.emulateMedia({ media: "print" });
  await expect(visitor.page.locator("#roster").getByText("Ana")).toBeVisible();
  const note = visitor.page.getByText(/on this paper/);
  await expect(note).toHaveCount(1);
  await expect(note).toBeHidden();
});

test("the list can be copied", async ({ browserErrors, newVisitor, server, clients, room }) => {
  browserErrors.areExpected(/status of 503/);
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor({ permissions: ["clipboard-read", "clipboard-write"] });
  await visitor.open(room);
  const { page } = visitor;
  await openSheet(page);
  const copy = page.getByRole("button", { name: "Copy", exact: true });
  await copy.click();
  await expect(page.getByText("Copied", { exact: true })).toBeVisible();
  await expect(copy).toBeFocused();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  for (const name of NAMES) expect(text).toContain(name);

  await page.route("**/roll.txt*", (route) => route.fulfill({ status: 503 }));
  await copy.click();
  await expect(page.getByText("Download the file instead")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(text);
});

test("the chart of the last hour is in the first HTML, and is updated", async ({
  newVisitor,
  server,
  clients,
  request,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES);
  const html = await (await request.get(`${server.url}/r/${room}`)).text();
  expect(html).toMatch(/<path class="line" d="M\d+ [^"]+"\/><\/svg><figcaption>[^<]*3 people/);

  const visitor = await newVisitor();
  await visitor.open(room);
  const picture = visitor.page.getByTestId("past-hour");
  await expect(picture).toContainText(/3 people/);
  await clients.joinInOrder(server, room, ["Olu", "Kim"]);
  // A page that becomes visible fetches the chart at once; otherwise it does once a minute.
  await visitor.setVisible(false);
  await visitor.setVisible(true);
  await expect(picture).toContainText(/5 people/);
  await expect(picture.locator("path")).toHaveCount(2);
});

test("without scripts the invitation, the chart and the downloads work", async ({
  newVisitor,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(SCRIPTS_NOT_USED);
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor({ javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}`);
  await expect(visitor.page.getByTestId("past-hour")).toContainText("3 people");
  await openSheet(visitor.page);
  await expect(visitor.page.getByRole("link", { name: "CSV" })).toBeVisible();
  await visitor.page.getByRole("button", { name: "Close" }).click();
  await visitor.openInvitation();
  const { invitation } = visitor;
  await expect(invitation.getByRole("img", { name: /QR code/ })).toBeVisible();
  await expect(invitation.getByLabel("Link to this room")).toHaveValue(visitor.page.url());
  await expect(invitation.getByRole("button", { name: "Copy" })).toBeHidden();
  await expect(invitation.getByRole("button", { name: "Share" })).toBeHidden();
});

test("an invalid room name leads to a page that suggests a valid one", async ({
  newVisitor,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NOT_FOUND);
  const visitor = await newVisitor();
  await visitor.page.goto(`/r/_${room}_`);
  await visitor.page.getByRole("link", { name: `Go to the room ${room}` }).click();
  await visitor.isLive();
  expect(new URL(visitor.page.url()).pathname).toBe(`/r/${room}`);
});

test("a full room refuses the next visitor and still shows its list", async ({
  newVisitor,
  serverWith,
  clients,
  room,
}) => {
  const small = await serverWith(["--max-people-per-room", "2"]);
  await clients.joinInOrder(small, room, ["Ana", "Bo"]);
  const visitor = await newVisitor({ of: small });
  await visitor.open(room);
  await visitor.nameField.fill("Kim");
  await visitor.joinButton.click();
  await expect(visitor.nameError).toHaveText(/full/);
  await visitor.shows(["Ana", "Bo"]);
});

test("the invitation can be closed by keyboard, and is captured in screenshots", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, [...NAMES, "Bo", "Kim", "Olu"]);
  const visitor = await newVisitor({ reducedMotion: "reduce" });
  await visitor.open(room);
  await visitor.openInvitation();
  await expect(visitor.page.getByRole("dialog", { name: `Invite to ${room}` })).toBeVisible();
  await visitor.page.getByRole("img", { name: /QR code/ }).scrollIntoViewIfNeeded();
  await takeScreenshots(visitor.page, "invitation");
  // Escape closes it, and so does the button.
  await visitor.page.keyboard.press("Escape");
  await expect(visitor.page.getByRole("dialog")).toBeHidden();
  await visitor.openInvitation();
  await visitor.page.getByRole("button", { name: "Close" }).click();
  await expect(visitor.page.getByRole("dialog")).toBeHidden();
});

test("the invitation begins at its top, closes once the keyboard leaves it, and gives the focus back", async ({
  newVisitor,
  room,
}) => {
  // A window of 1280 by 1024 pixels at a zoom of 400 %.
  const visitor = await newVisitor({ viewport: { width: 320, height: 256 } });
  const { page } = visitor;
  await visitor.openAndJoin(room, "Ana");
  const invite = page.locator(".page-header .invite");
  const panel = page.locator("#invitation");
  const close = panel.locator(".close");
  await invite.click();
  await expect(close).toBeFocused();
  await expect(close).toBeInViewport({ ratio: 1 });
  await expect(panel.getByRole("heading")).toBeInViewport({ ratio: 1 });
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await expect(invite).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(close).toBeFocused();
  // Its button closes it as well.
  await page.keyboard.press("Shift+Tab");
  await expect(invite).toBeFocused();
  await expect(panel).toBeVisible();
  await page.keyboard.press("Shift+Tab");
  await expect(panel).toBeHidden();
});

test("a menu closes once the keyboard leaves it", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  await visitor.openAndJoin(room, "Ana");
  for (const [button, menu] of [
    [page.locator(".page-header .more"), page.locator("#menu")],
    [visitor.ownMenuButton, visitor.ownMenu],
  ] as const) {
    await button.press("Enter");
    await expect(menu).toBeVisible();
    await button.press("Shift+Tab");
    await expect(menu).toBeHidden();
    await button.press("Enter");
    const choices = menu.locator("button:enabled:visible, a:visible, summary:visible");
    await choices.last().focus();
    await expect(menu).toBeVisible();
    await page.keyboard.press("Tab");
    await expect(menu).toBeHidden();
  }
});

test("the links in the footer open another tab, so that a visitor stays on the list", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  await visitor.openAndJoin(room, "Ana");
  const links = visitor.page.locator("footer a");
  await expect(links).toHaveCount(3);
  for (const link of await links.all()) await expect(link).toHaveAttribute("target", "_blank");
});
