// What stands beside the list: the invitation, the last hour, the roll; and the pages of the other states.

import { readFile } from "node:fs/promises";

import { NOT_FOUND, SCRIPTS_NOT_USED } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import { photograph } from "../support/photograph";
import { readCode } from "../support/qr-code";

const NAMES = ["Ana Sousa", "=1+1", "李小龍"];

for (const colorScheme of ["light", "dark"] as const) {
  test(`a camera finds the room by its code, in ${colorScheme}`, async ({ newVisitor, room }) => {
    const visitor = await newVisitor({ colorScheme });
    await visitor.open(room);
    const code = visitor.page.getByRole("img", { name: /QR code/ });
    await expect(code).toBeHidden();
    await visitor.page.getByRole("button", { name: "QR code" }).click();
    await expect(code).toBeVisible();
    await expect
      .poll(() => code.evaluate((image) => (image as HTMLImageElement).naturalWidth))
      .toBeGreaterThan(0);
    const address = `${new URL(visitor.page.url()).origin}/r/${room}`;
    expect(await readCode(code)).toBe(address);
    await expect(visitor.page.getByText(address, { exact: true })).toBeVisible();
  });
}

test("the code is not fetched by those who do not look at it", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const codes: string[] = [];
  visitor.page.on("request", (request) => {
    if (request.url().endsWith("qr.svg")) codes.push(request.url());
  });
  await visitor.open(room);
  await visitor.page.waitForLoadState("networkidle");
  expect(codes).toEqual([]);
});

test("the roll can be downloaded as text and as a table", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  await crowd.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  await visitor.open(room);
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

test("the roll can be copied", async ({ complaints, newVisitor, server, crowd, room }) => {
  complaints.areProvoked(/status of 503/);
  await crowd.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor({ permissions: ["clipboard-read", "clipboard-write"] });
  await visitor.open(room);
  const { page } = visitor;
  const copy = page.getByRole("button", { name: "Copy", exact: true });
  await copy.click();
  await expect(page.getByText("Copied", { exact: true })).toBeVisible();
  await expect(copy).toBeFocused();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  for (const name of NAMES) expect(text).toContain(name);

  await page.route("**/roll.txt", (route) => route.fulfill({ status: 503 }));
  await copy.click();
  await expect(page.getByText("Download the file instead")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(text);
});

test("the picture of the last hour is in the first HTML, and moves", async ({
  newVisitor,
  server,
  crowd,
  request,
  room,
}) => {
  await crowd.joinInOrder(server, room, NAMES);
  const html = await (await request.get(`${server.url}/r/${room}`)).text();
  expect(html).toMatch(/<path class="line" d="M\d+ [^"]+"\/><\/svg><figcaption>[^<]*3 people/);

  const visitor = await newVisitor();
  await visitor.open(room);
  const picture = visitor.page.getByTestId("past-hour");
  await expect(picture).toContainText(/3 people/);
  await crowd.joinInOrder(server, room, ["Olu", "Kim"]);
  // A page that is shown again asks at once; else a minute has to pass.
  await visitor.isSeen(false);
  await visitor.isSeen(true);
  await expect(picture).toContainText(/5 people/);
  await expect(picture.locator("path")).toHaveCount(2);
});

test("without scripts there is all that needs none", async ({
  newVisitor,
  server,
  crowd,
  complaints,
  room,
}) => {
  complaints.areProvoked(SCRIPTS_NOT_USED);
  await crowd.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor({ javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}`);
  await expect(visitor.page.getByTestId("past-hour")).toContainText("3 people");
  await expect(visitor.page.getByRole("link", { name: "CSV" })).toBeVisible();
  await visitor.page.getByRole("button", { name: "QR code" }).click();
  await expect(visitor.page.getByRole("img", { name: /QR code/ })).toBeVisible();
  await expect(visitor.page.getByRole("button", { name: "Copy link" })).toBeHidden();
});

test("a name that is no room leads to the one that was meant", async ({
  newVisitor,
  complaints,
  room,
}) => {
  complaints.areProvoked(NOT_FOUND);
  const visitor = await newVisitor();
  await visitor.page.goto(`/r/_${room}_`);
  await visitor.page.getByRole("link", { name: `Go to the room ${room}` }).click();
  await visitor.isLive();
  expect(new URL(visitor.page.url()).pathname).toBe(`/r/${room}`);
});

test("a full room says so to the next who comes, and shows who is in it", async ({
  newVisitor,
  serverWith,
  crowd,
  room,
}) => {
  const small = await serverWith(["--max-people-per-room", "2"]);
  await crowd.joinInOrder(small, room, ["Ana", "Bo"]);
  const visitor = await newVisitor({ of: small });
  await visitor.open(room);
  await visitor.nameField.fill("Kim");
  await visitor.joinButton.click();
  await expect(visitor.nameError).toHaveText(/full/);
  await visitor.shows(["Ana", "Bo"]);
});

test("the invitation is photographed, and is put away by the keyboard", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  await crowd.joinInOrder(server, room, [...NAMES, "Bo", "Kim", "Olu"]);
  const visitor = await newVisitor({ reducedMotion: "reduce" });
  await visitor.open(room);
  await visitor.page.getByRole("button", { name: "QR code" }).click();
  await expect(visitor.page.getByRole("dialog", { name: "Invite" })).toBeVisible();
  await visitor.page.getByRole("img", { name: /QR code/ }).scrollIntoViewIfNeeded();
  await photograph(visitor.page, "invitation");
  // The keyboard alone puts it away again, and so does a button.
  await visitor.page.keyboard.press("Escape");
  await expect(visitor.page.getByRole("dialog")).toBeHidden();
  await visitor.page.getByRole("button", { name: "QR code" }).click();
  await visitor.page.getByRole("button", { name: "Close" }).click();
  await expect(visitor.page.getByRole("dialog")).toBeHidden();
});
