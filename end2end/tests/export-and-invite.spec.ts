// The invitation, the chart of the last hour, the export, and the pages for missing and full rooms.

import { readFile } from "node:fs/promises";

import { NOT_FOUND, SCRIPTS_NOT_USED } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { takeScreenshots } from "../support/screenshot";
import { readCode } from "../support/qr-code";

const NAMES = ["Ana Sousa", "=1+1", "李小龍"];

for (const colorScheme of ["light", "dark"] as const) {
  test(`the QR code is readable and leads to the room, in ${colorScheme}`, async ({ newVisitor, room }) => {
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

test("the QR code is only loaded when the invitation is opened", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const codes: string[] = [];
  visitor.page.on("request", (request) => {
    if (request.url().endsWith("qr.svg")) codes.push(request.url());
  });
  await visitor.open(room);
  await visitor.page.waitForLoadState("networkidle");
  expect(codes).toEqual([]);
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

test("the list can be copied", async ({ browserErrors, newVisitor, server, clients, room }) => {
  browserErrors.areExpected(/status of 503/);
  await clients.joinInOrder(server, room, NAMES);
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
  await expect(visitor.page.getByRole("link", { name: "CSV" })).toBeVisible();
  await visitor.page.getByRole("button", { name: "QR code" }).click();
  await expect(visitor.page.getByRole("img", { name: /QR code/ })).toBeVisible();
  await expect(visitor.page.getByRole("button", { name: "Copy link" })).toBeHidden();
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
  await visitor.page.getByRole("button", { name: "QR code" }).click();
  await expect(visitor.page.getByRole("dialog", { name: "Invite" })).toBeVisible();
  await visitor.page.getByRole("img", { name: /QR code/ }).scrollIntoViewIfNeeded();
  await takeScreenshots(visitor.page, "invitation");
  // Escape closes it, and so does the button.
  await visitor.page.keyboard.press("Escape");
  await expect(visitor.page.getByRole("dialog")).toBeHidden();
  await visitor.page.getByRole("button", { name: "QR code" }).click();
  await visitor.page.getByRole("button", { name: "Close" }).click();
  await expect(visitor.page.getByRole("dialog")).toBeHidden();
});
