// The page when its connection breaks: it says so, keeps the list, and comes back by itself.

import { NO_CONNECTION } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import { UNTIL_A_PAGE_HAS_HEALED, UNTIL_A_ROW_IS_GONE } from "../support/visitor";

test.beforeEach(({ complaints }) => complaints.areProvoked(NO_CONNECTION));

test("a server that is killed and restarted finds everyone listed again", async ({
  newVisitor,
  mortalServer,
  room,
}) => {
  const ana = await newVisitor({ of: mortalServer });
  const bo = await newVisitor({ of: mortalServer });
  await ana.openAndJoin(room, "Ana");
  await bo.openAndJoin(room, "Bo");
  const ids = [await ana.ownId(), await bo.ownId()];
  await ana.shows(["Ana", "Bo"]);

  await mortalServer.kill();
  for (const visitor of [ana, bo]) {
    await visitor.saysThatTheConnectionIsLost();
    // The list is kept, and so is what the visitor is called.
    await visitor.shows(["Ana", "Bo"]);
    await expect(visitor.you).toBeVisible();
  }

  await mortalServer.start();
  for (const visitor of [ana, bo]) await visitor.hasHealed();
  for (const visitor of [ana, bo]) {
    // Who came back first stands first now.
    await expect(visitor.rows).toHaveCount(2, UNTIL_A_PAGE_HAS_HEALED);
    await expect(visitor.count).toHaveText("2");
    for (const id of ids) await expect(visitor.rowWithId(id)).toHaveCount(1);
    expect((await visitor.names.allTextContents()).sort()).toEqual(["Ana", "Bo"]);
  }
  await expect(ana.ownRow.locator("bdi.user-name")).toHaveText("Ana");
  await expect(bo.ownRow.locator("bdi.user-name")).toHaveText("Bo");
  await expect(ana.you).toContainText("You're on the list as Ana");

  // The new sockets are as good as the old ones.
  await bo.leaveButton.click();
  for (const visitor of [ana, bo]) await visitor.shows(["Ana"]);
});

test("who only watches heals too, and who went meanwhile is gone", async ({
  newVisitor,
  mortalServer,
  crowd,
  room,
}) => {
  const watcher = await newVisitor({ of: mortalServer });
  await crowd.joinInOrder(mortalServer, room, ["Bo", "Kim"]);
  await watcher.open(room);
  await watcher.shows(["Bo", "Kim"]);

  await mortalServer.kill();
  await watcher.saysThatTheConnectionIsLost();
  await watcher.shows(["Bo", "Kim"]);
  await mortalServer.start();
  await crowd.join(mortalServer, room, "Ana");
  await watcher.hasHealed();
  await watcher.shows(["Ana"]);
  await expect(watcher.nameField).toBeVisible();
});

test("a server that goes down in order closes with 1012, and pages come back", async ({
  newVisitor,
  mortalServer,
  crowd,
  room,
}) => {
  const ana = await newVisitor({ of: mortalServer });
  await ana.openAndJoin(room, "Ana");
  const program = await crowd.join(mortalServer, room, "A program");
  const silent = await crowd.connect(mortalServer, room);

  expect(await mortalServer.terminate()).toBe(0);
  expect(await program.closed).toBe(1012);
  expect(await silent.closed).toBe(1012);
  await ana.saysThatTheConnectionIsLost();

  await mortalServer.start();
  await ana.hasHealed();
  // The program does not come back: it was a row as long as it might have.
  await ana.shows(["Ana"], UNTIL_A_ROW_IS_GONE);
});

test("a browser without a network says so, and catches up when it is back", async ({
  newVisitor,
  mortalServer,
  crowd,
  room,
}) => {
  const ana = await newVisitor({ of: mortalServer });
  await ana.openAndJoin(room, "Ana");
  await ana.context.setOffline(true);
  await ana.saysThatTheConnectionIsLost();
  await expect(ana.banner).toContainText(/offline/i);
  await crowd.join(mortalServer, room, "Bo");
  await ana.shows(["Ana"]);

  await ana.context.setOffline(false);
  await ana.hasHealed();
  await expect(ana.rows).toHaveCount(2);
  expect((await ana.names.allTextContents()).sort()).toEqual(["Ana", "Bo"]);
  await expect(ana.you).toContainText("You're on the list as Ana");
});

test("Try now connects at once", async ({ newVisitor, mortalServer, room }) => {
  const ana = await newVisitor({ of: mortalServer });
  // The page's clock is ours: no attempt of its own comes due.
  await ana.page.clock.install();
  await ana.openAndJoin(room, "Ana");
  await ana.page.clock.pauseAt(Date.now() + 2_000);
  await mortalServer.kill();
  await ana.saysThatTheConnectionIsLost();
  await mortalServer.start();
  expect(ana.wire.sockets).toHaveLength(1);

  await ana.tryNowButton.click();
  await ana.hasHealed();
  await ana.shows(["Ana"]);
  expect(ana.wire.sockets).toHaveLength(2);
});

test("a name that is typed while the connection is lost is listed when it is back", async ({
  newVisitor,
  mortalServer,
  room,
}) => {
  const ana = await newVisitor({ of: mortalServer });
  await ana.open(room);
  await mortalServer.kill();
  await ana.saysThatTheConnectionIsLost();
  await ana.nameField.fill("Ana");
  await ana.nameField.press("Enter");
  await mortalServer.start();
  await ana.hasHealed();
  await ana.shows(["Ana"]);
  await expect(ana.you).toContainText("You're on the list as Ana");
});

test("a page that loads normally never shows the banner", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  await ana.page.addInitScript(() => {
    const look = () => {
      const banner = document.querySelector('[data-testid="connection"]');
      if (banner) Object.assign(window, { aBannerWasSeen: true });
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
  });
  await ana.openAndJoin(room, "Ana");
  await ana.page.reload();
  await ana.isLive();
  expect(await ana.page.evaluate(() => "aBannerWasSeen" in window)).toBe(false);
});
