// The activity log, muted announcements, and switching to another person.

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { numberedPeople } from "../support/names";
import { UNTIL_A_ROW_IS_REMOVED } from "../support/visitor";

test("the link to the activity leads to it, also while it is empty", async ({ newVisitor, room }) => {
  const ana = await newVisitor({ viewport: { width: 390, height: 600 } });
  await ana.open(room);
  const nothingYet = ana.page.getByText("No one has come or gone");
  await expect(nothingYet).not.toBeInViewport();
  await ana.openMenu();
  await ana.page.getByRole("link", { name: "Activity" }).click();
  await expect(nothingYet).toBeInViewport({ ratio: 1 });
});

test("the activity log lists changes with their reasons, newest first", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const ana = await newVisitor();
  await ana.open(room);
  await expect(ana.activityEntries).toHaveCount(0);
  await expect(ana.page.getByText("No one has come or gone")).toBeVisible();

  const bo = await clients.join(server, room, "Bo");
  await expect(ana.activityEntries).toHaveText(["Bo joined"]);
  await expect(ana.page.getByText("No one has come or gone")).toBeHidden();
  const kim = await clients.join(server, room, "مريم");
  await expect(ana.activityEntries).toHaveText(["مريم joined", "Bo joined"]);
  await expect(ana.activityEntries.first().locator("bdi")).toHaveText("مريم");
  bo.send({ event: "leave" });
  await expect(ana.activityEntries.first()).toHaveText("Bo left");
  kim.abandon();
  await expect(ana.activityEntries.first()).toHaveText("مريم disconnected", UNTIL_A_ROW_IS_REMOVED);
  await expect(ana.activity.locator("time").first()).toHaveText(/\d\d/);
});

test("the activity log has what the visitor did, and new names", async ({ pair }) => {
  const { ana, bo } = pair;
  await expect(ana.activityEntries).toHaveText(["Bo joined", "You joined"]);
  await bo.rename("Bob");
  await expect(ana.activityEntries.first()).toHaveText("Bo is now Bob");
  await ana.leave();
  await expect(ana.activityEntries).toHaveText(["You left", "Bo is now Bob", "Bo joined", "You joined"]);
});

test("the first HTML has the activity before, and hydration keeps it", async ({ newVisitor, server, clients, room }) => {
  const bo = await clients.join(server, room, "Bo");
  bo.send({ event: "rename", name: "<b>Bob</b>" });
  bo.send({ event: "leave" });
  const before = ["<b>Bob</b> left", "Bo is now <b>Bob</b>", "Bo joined"];
  const reader = await newVisitor({ javaScriptEnabled: false });
  await expect(async () => {
    await reader.page.goto(`/r/${room}`);
    expect(await reader.activityEntries.allTextContents()).toEqual(before);
  }).toPass({ timeout: 10_000 });
  await expect(reader.activity.locator(".at").first()).toContainText("UTC");
  const ana = await newVisitor({ timezoneId: "Asia/Kolkata" });
  await ana.open(room);
  await expect(ana.activityEntries).toHaveText(before);
  const times = ana.activity.locator(".at[data-at]");
  const [at] = await times.evaluateAll((elements) => elements.map((element) => Number(element.getAttribute("data-at"))));
  const clock = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit", timeZone: "Asia/Kolkata" });
  await expect(times.first()).toHaveText(clock.format((at ?? 0) * 1_000));
  await ana.join("Ana");
  await expect(ana.activityEntries).toHaveText(["You joined", ...before]);
});

test("a person who joins and leaves at once has two entries, and no entry is empty", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const ana = await newVisitor();
  await ana.page.clock.install();
  await ana.openAndJoin(room, "Ana");
  const bo = await clients.join(server, room, "Bo");
  await ana.shows(["Ana", "Bo"]);
  bo.send({ event: "leave" });
  await ana.shows(["Ana"]);
  await ana.page.clock.runFor(1_100);
  await expect(ana.activityEntries).toHaveText(["Bo left", "Bo joined", "You joined"]);
  // Nothing has changed since the last announcement.
  await expect(ana.news).toHaveText("");
  await expect(ana.announcer).toHaveText("");
});

test("many joins at once are one entry, and the log keeps a hundred entries", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  const names = numberedPeople(37);
  await clients.joinTogether(server, room, names);
  await expect(ana.count).toHaveText("38");
  await expect(ana.activityEntries.first()).toHaveText(/^\d+ people joined$/);
  expect(await ana.activityEntries.count()).toBeLessThan(8);

  // Many more changes, with a clock that the test controls.
  await ana.page.clock.install();
  await ana.page.reload();
  await ana.isLive();
  for (let change = 0; change < 104; change += 1) {
    const bo = await clients.join(server, room, `Bo ${change}`);
    await expect(ana.count).toHaveText("39");
    await ana.page.clock.runFor(1_100);
    bo.send({ event: "leave" });
    await expect(ana.count).toHaveText("38");
    await ana.page.clock.runFor(1_100);
  }
  await expect(ana.activityEntries).toHaveCount(100);
  await expect(ana.activityEntries.first()).toHaveText("Bo 103 left");
});

test("muting stops announcements and keeps the visible news", async ({
  newVisitor,
  ownServer,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  const ana = await newVisitor({ of: ownServer });
  await ana.openAndJoin(room, "Ana");
  await ana.toggle("announceButton");
  await clients.join(ownServer, room, "Bo");
  await expect(ana.activityEntries.first()).toHaveText("Bo joined");
  await expect(ana.activityEntries.first()).toBeVisible();
  await expect(ana.announcer).toHaveText("");

  // The setting is stored, and announcements about the page itself are still made.
  await ana.page.reload();
  await ana.isLive();
  await ana.openMenu();
  await expect(ana.announceButton).toHaveAttribute("aria-pressed", "false");
  await ana.closeMenu();
  await ownServer.kill();
  await expect(ana.announcer).toContainText("Reconnecting");
  await ownServer.start();
  await ana.isReconnected();
  await ana.toggle("announceButton");
  await clients.join(ownServer, room, "Kim");
  await expect(ana.announcer).toContainText("Kim joined");
});

test("a tab can join again as another person", async ({
  newVisitor,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  const secondTab = await ana.openTab();
  await secondTab.open(room);
  await secondTab.isListedAs("Ana");

  await secondTab.switchPerson();
  await expect(secondTab.nameField).toBeVisible();
  await secondTab.isLive();
  await expect(secondTab.nameField).toHaveValue("");
  await secondTab.join("Bo");
  for (const tab of [ana, secondTab]) await tab.shows(["Ana", "Bo"]);
  await secondTab.isListedAs("Bo");
  await ana.isListedAs("Ana");
  // The first person's leave does not apply to the second.
  await secondTab.page.reload();
  await secondTab.isLive();
  await secondTab.isListedAs("Bo");
});

test("a form on another site can't switch the person", async ({ newVisitor, room, server }) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  const response = await ana.context.request.post(`${server.url}/r/${room}/someone-else`, {
    headers: { "sec-fetch-site": "cross-site" },
    maxRedirects: 0,
  });
  expect(response.status()).toBe(403);
  expect(response.headers()["set-cookie"]).toBeUndefined();
  await ana.page.reload();
  await ana.isLive();
  await ana.isListedAs("Ana");
});

test("a long name gives way in the news line, and what the person did never", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const visitors = [];
  // In wider windows the activity says it.
  for (const width of [390, 900]) {
    const ana = await newVisitor({ viewport: { width, height: 800 } });
    await ana.open(room);
    visitors.push(ana);
  }
  await clients.join(server, room, "Wolfeschlegelsteinhausenbergerdorff ".repeat(2));
  for (const { news } of visitors) {
    await expect(news).toHaveText(/ joined$/);
    await expect(news.locator("span")).toBeInViewport({ ratio: 1 });
    const ends = await news.evaluate((line) =>
      [line, line.lastElementChild!].map((element) => element.getBoundingClientRect().right),
    );
    expect(ends[1]).toBeLessThanOrEqual(ends[0]! + 1);
  }
});
