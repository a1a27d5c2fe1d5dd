// A new room, and what its host can do.

import type { Locator } from "@playwright/test";

import { expectNoAxeViolations } from "../support/appearance";
import { SCRIPTS_NOT_USED } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { takeScreenshots } from "../support/screenshot";
import { Visitor } from "../support/visitor";

/** Chromium's message when a request is refused. */
const REFUSED = /status of 40[34]/;

/** The panel of the room's host. */
class HostPanel {
  readonly details: Locator;
  readonly status: Locator;

  constructor(readonly visitor: Visitor) {
    this.details = visitor.page.locator("details.host");
    this.status = this.details.getByRole("status");
  }

  async open(): Promise<void> {
    // A host finds it open.
    await expect(this.details).toHaveAttribute("open", "");
  }

  button(name: string): Locator {
    return this.details.getByRole("button", { name, exact: true });
  }

  /** Presses a button of the panel, and the same in the dialog that asks. */
  async confirm(name: string): Promise<void> {
    await this.button(name).click();
    await this.details.getByRole("dialog").getByRole("button", { name, exact: true }).click();
  }
}

/** Makes a room on the page for it. Returns both of its links. */
async function makeRoom({ page }: Visitor, title: string): Promise<{ everybody: string; host: string }> {
  await page.goto("/new");
  await page.getByLabel("Title").fill(title);
  await page.getByRole("button", { name: "Create room" }).click();
  const [everybody, host] = await page.locator(".links .address").allTextContents();
  if (!everybody || !host) throw new Error("The page has no two links.");
  return { everybody, host };
}

test("a room is made without scripts, and has a link for everybody and one for the host", async ({
  newVisitor,
  browserErrors,
  server,
}) => {
  browserErrors.areExpected(SCRIPTS_NOT_USED);
  const ana = await newVisitor({ javaScriptEnabled: false });
  const { everybody, host } = await makeRoom(ana, "Monday stand-up");
  const room = new RegExp(`^${server.url}/r/monday-stand-up-[a-z0-9]{8}$`);
  expect(everybody).toMatch(room);
  expect(host.replace(/#host=[0-9a-f]{32}$/, "")).toBe(everybody);
  for (const button of await ana.page.getByRole("button").all()) await expect(button).toBeHidden();
  await ana.page.getByRole("link", { name: "Open the room" }).click();
  await expect(ana.page).toHaveURL(everybody);
});

test("the pages of a new room can be used by everybody", async ({ newVisitor }) => {
  const ana = await newVisitor();
  await ana.page.goto("/new");
  await takeScreenshots(ana.page, "new-room");
  const { host } = await makeRoom(ana, "Montagsrunde der Klasse 7b, Raum 204, bei Frau Käßbohrer");
  await takeScreenshots(ana.page, "host-links");
  await ana.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await ana.page.getByRole("button", { name: "Host link" }).click();
  await expect.poll(() => ana.page.evaluate(() => navigator.clipboard.readText())).toBe(host);
});

test("a host removes somebody, who reads it and joins again", async ({ newVisitor, clients, server }) => {
  const [maker, host, bo] = await Promise.all([newVisitor(), newVisitor(), newVisitor()]);
  const links = await makeRoom(maker, "Team");
  const room = links.everybody.split("/").at(-1) ?? "";
  await bo.openAndJoin(room, "Bo");
  await clients.join(server, room, "Zoë");
  // In a browser that has never been here.
  await host.page.goto(links.host);
  const panel = new HostPanel(host);
  await expect(panel.details).toBeVisible();
  await expect(host.page).toHaveURL(links.everybody);
  await host.isLive();
  await panel.open();

  await panel.button("Remove somebody").click();
  const people = panel.details.getByRole("dialog");
  await expect(people.getByRole("listitem")).toHaveCount(2);
  await people.getByLabel("Find a name").fill("zoe");
  await expect(people.getByRole("listitem")).toHaveText([/^Zoë/]);
  await people.getByLabel("Find a name").fill("nobody");
  await expect(people.getByText("Nobody here has that name.")).toBeVisible();
  await people.getByLabel("Find a name").fill("BO");
  await takeScreenshots(host.page, "host-people", { fullPage: false });
  await people.getByRole("button", { name: /^Bo/ }).click();
  await expect(panel.details.getByRole("dialog")).toContainText("Remove Bo from the list?");
  await takeScreenshots(host.page, "host-question", { fullPage: false });
  await panel.details.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await bo.shows(["Bo", "Zoë"]);

  await panel.button("Remove somebody").click();
  await people.getByRole("button", { name: /^Bo/ }).click();
  await panel.details.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(panel.status).toHaveText("Bo was removed.");
  await takeScreenshots(host.page, "host");
  await expect(bo.page.getByText("The host removed you from the list. You can join again.")).toBeVisible();
  await bo.shows(["Zoë"]);
  await bo.join("Bo");
  await host.shows(["Zoë", "Bo"]);
});

test("a host clears the room", async ({ newVisitor }) => {
  const [host, bo] = await Promise.all([newVisitor(), newVisitor()]);
  const links = await makeRoom(host, "");
  const room = links.everybody.split("/").at(-1) ?? "";
  await bo.openAndJoin(room, "Bo");
  await host.open(room);
  const panel = new HostPanel(host);
  await panel.open();
  await expectNoAxeViolations(host.page);
  await panel.confirm("Clear the room");
  await expect(panel.status).toHaveText("The room was cleared.");
  await expect(bo.page.getByText("The host removed you from the list. You can join again.")).toBeVisible();
  await host.isLive();
  await host.shows([]);
  await bo.isLive();
  await bo.join("Bo");
  await host.shows(["Bo"]);
});

test("a host closes the room and opens it again", async ({ newVisitor }) => {
  const [host, bo, cy] = await Promise.all([newVisitor(), newVisitor(), newVisitor()]);
  const links = await makeRoom(host, "Team");
  const room = links.everybody.split("/").at(-1) ?? "";
  await host.open(room);
  await bo.openAndJoin(room, "Bo");
  await cy.open(room);
  const panel = new HostPanel(host);
  await panel.open();
  await panel.confirm("Close the room");
  await expect(panel.status).toHaveText("The room is closed.");
  await expect(panel.button("Open the room again")).toBeFocused();
  await expect(panel.button("Close the room")).toBeHidden();
  await cy.nameField.fill("Cy");
  await cy.joinButton.click();
  await expect(cy.nameError).toContainText("The host has closed this room.");
  // Who is on the list comes back after a reload.
  await bo.page.reload();
  await bo.isLive();
  await bo.shows(["Bo"]);
  await host.page.reload();
  await panel.open();
  await expect(panel.status).toHaveText("The room is closed.");
  await expectNoAxeViolations(host.page);
  await panel.button("Open the room again").click();
  await expect(panel.status).toHaveText("The room is open.");
  await cy.joinButton.click();
  await host.shows(["Bo", "Cy"]);
});

test("nobody else has the host's panel, and a wrong link says so", async ({ newVisitor, browserErrors }) => {
  browserErrors.areExpected(REFUSED);
  const [host, bo] = await Promise.all([newVisitor(), newVisitor()]);
  const { everybody, host: link } = await makeRoom(host, "Team");
  const loaded: string[] = [];
  bo.page.on("request", (request) => {
    if (request.url().includes("/host.js")) loaded.push(request.url());
  });
  await bo.page.goto(everybody);
  await bo.isLive();
  expect(loaded).toEqual([]);
  await expect(bo.page.locator("details.host")).toHaveCount(0);
  // The same document: only its fragment changes.
  await bo.page.goto("about:blank");
  await bo.page.goto(link.slice(0, -1) + (link.endsWith("0") ? "1" : "0"));
  await expect(bo.page.getByRole("alert").filter({ hasText: "This host link is not valid" })).toBeVisible();
  await expect(bo.page).toHaveURL(everybody);
  await bo.isLive();
  await bo.join("Bo");
});
