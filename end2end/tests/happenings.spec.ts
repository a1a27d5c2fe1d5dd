// Who comes and goes, in words: read, heard, or neither; and being somebody else.

import { NO_CONNECTION } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import { numberedPeople } from "../support/names";
import { UNTIL_A_ROW_IS_GONE } from "../support/visitor";

test("the activity panel tells what happened, the newest first, and why", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await expect(ana.happenings).toHaveCount(0);
  await expect(ana.page.getByText("No one has come or gone")).toBeHidden();
  await ana.activity.locator("summary").click();
  await expect(ana.page.getByText("No one has come or gone")).toBeVisible();

  const bo = await crowd.join(server, room, "Bo");
  await expect(ana.happenings).toHaveText(["Bo joined"]);
  await expect(ana.page.getByText("No one has come or gone")).toBeHidden();
  const kim = await crowd.join(server, room, "مريم");
  await expect(ana.happenings).toHaveText(["مريم joined", "Bo joined"]);
  await expect(ana.happenings.first().locator("bdi")).toHaveText("مريم");
  bo.send({ event: "leave" });
  await expect(ana.happenings.first()).toHaveText("Bo left");
  kim.abandon();
  await expect(ana.happenings.first()).toHaveText("مريم disconnected", UNTIL_A_ROW_IS_GONE);
  await expect(ana.activity.locator("time").first()).toHaveText(/\d\d/);
});

test("a storm is one entry, and the panel holds a hundred", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await ana.activity.locator("summary").click();
  const names = numberedPeople(37);
  await crowd.joinTogether(server, room, names);
  await expect(ana.count).toHaveText("38");
  await expect(ana.happenings.first()).toHaveText(/^\d+ people joined$/);
  expect(await ana.happenings.count()).toBeLessThan(8);

  // Many happenings more, with the clock in the test's hands.
  await ana.page.clock.install();
  await ana.page.reload();
  await ana.isLive();
  for (let change = 0; change < 104; change += 1) {
    const bo = await crowd.join(server, room, `Bo ${change}`);
    await expect(ana.count).toHaveText("39");
    await ana.page.clock.runFor(1_100);
    bo.send({ event: "leave" });
    await expect(ana.count).toHaveText("38");
    await ana.page.clock.runFor(1_100);
  }
  await expect(ana.happenings).toHaveCount(100);
  await expect(ana.happenings.first()).toHaveText("Bo 103 left");
});

test("who mutes the announcements reads of arrivals and does not hear of them", async ({
  newVisitor,
  mortalServer,
  crowd,
  complaints,
  room,
}) => {
  complaints.areProvoked(NO_CONNECTION);
  const ana = await newVisitor({ of: mortalServer });
  await ana.openAndJoin(room, "Ana");
  await ana.activity.locator("summary").click();
  await ana.muteButton.click();
  await expect(ana.muteButton).toHaveAttribute("aria-pressed", "true");
  await crowd.join(mortalServer, room, "Bo");
  await expect(ana.news).toHaveText("Bo joined");
  await expect(ana.announcer).toHaveText("");

  // It is kept for next time, and what the page has to say of itself is said all the same.
  await ana.page.reload();
  await ana.isLive();
  await ana.activity.locator("summary").click();
  await expect(ana.muteButton).toHaveAttribute("aria-pressed", "true");
  await mortalServer.kill();
  await expect(ana.announcer).toContainText("Reconnecting");
  await mortalServer.start();
  await ana.hasHealed();
  await ana.muteButton.click();
  await crowd.join(mortalServer, room, "Kim");
  await expect(ana.announcer).toContainText("Kim joined");
});

test("a second tab says how to try a second person, and offers to be someone else", async ({
  newVisitor,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await expect(ana.someoneElseButton).toBeHidden();
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  await expect(secondTab.you).toContainText("You're on the list as Ana, in 2 tabs");
  await expect(secondTab.page.getByText("Your tabs count as one person")).toBeVisible();

  await secondTab.someoneElseButton.click();
  await expect(secondTab.nameField).toBeVisible();
  await secondTab.isLive();
  await expect(secondTab.nameField).toHaveValue("");
  await secondTab.join("Bo");
  for (const tab of [ana, secondTab]) await tab.shows(["Ana", "Bo"]);
  await expect(secondTab.you).toHaveText(/You're on the list as Bo(?!, in)/);
  await expect(ana.you).toContainText("You're on the list as Ana");
  // What the first person wanted is nothing that the second one did.
  await secondTab.page.reload();
  await secondTab.isLive();
  await expect(secondTab.you).toContainText("You're on the list as Bo");
  await expect(ana.someoneElseButton).toBeHidden();
});

test("a screen on the wall is nobody's tab", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  const wall = await ana.openTab();
  await wall.page.goto(`/r/${room}?wall`);
  await wall.isLive();
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  for (const tab of [ana, secondTab]) {
    await expect(tab.you).toContainText("You're on the list as Ana, in 2 tabs");
  }
});

test("a form on another site makes nobody someone else", async ({ newVisitor, room, server }) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  const response = await ana.context.request.post(`${server.url}/r/${room}/someone-else`, {
    headers: { "sec-fetch-site": "cross-site" },
    maxRedirects: 0,
  });
  expect(response.status()).toBe(303);
  expect(response.headers()["set-cookie"]).toBeUndefined();
  await ana.page.reload();
  await ana.isLive();
  await expect(ana.you).toContainText("You're on the list as Ana");
});
