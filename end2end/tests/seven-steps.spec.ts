// The seven steps of the original design, one test each.

import type { ServerFrame } from "../support/protocol";
import { disconnectedUsers, newUsers } from "../support/protocol";
import { expect, test } from "../support/fixtures";
import { UNTIL_A_ROW_IS_REMOVED } from "../support/visitor";

test("step 1: the server serves the page, with the list already in its HTML", async ({
  server,
  clients,
  request,
}) => {
  await clients.join(server, "lobby", "Ana Sousa");

  const response = await request.get(`${server.url}/`);
  expect(response.status()).toBe(200);
  expect(response.headers()["content-type"]).toMatch(/^text\/html/);
  const html = await response.text();
  expect(html).toMatch(/^<!DOCTYPE html>/i);
  expect(html).toContain('aria-label="Who is here"');
  expect(html).toMatch(/<li[^>]* data-user-id="[\w-]{11}"[^>]*>/);
  expect(html).toMatch(/<bdi class="user-name">Ana Sousa<\/bdi>/);
});

test("step 2: the page asks for a name, in the page and not in a dialog box", async ({
  newVisitor,
  room,
}) => {
  const ana = await newVisitor();
  const dialogs: string[] = [];
  ana.page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await ana.open(room);

  await expect(ana.nameField).toBeVisible();
  await expect(ana.nameField).toBeFocused();
  await expect(ana.joinButton).toBeEnabled();
  // A watching visitor is not listed.
  await expect(ana.rows).toHaveCount(0);

  await ana.page.keyboard.type("Ana");
  await ana.page.keyboard.press("Enter");
  await ana.isListedAs("Ana");
  expect(dialogs).toEqual([]);
});

test("step 3: the page emits got_a_new_user with the name", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  await ana.open(room);
  const announced = () => ana.wire.sent.filter((frame) => frame.event === "got_a_new_user");
  expect(announced()).toEqual([]);

  await ana.join("Ana Sousa");
  expect(announced()).toHaveLength(1);
  expect(announced()[0]).toMatchObject({ event: "got_a_new_user", name: "Ana Sousa" });
  expect(ana.wire.sockets).toEqual([expect.stringMatching(`/r/${room}/socket$`)]);
});

test("step 4: everyone gets the new_user, and the newcomer gets the existing_users", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  const anaId = await ana.ownId();

  // A client that joins with its first frame gets the whole list, including itself.
  const bo = await clients.join(server, room, "Bo");
  const boId = await bo.id();
  expect(bo.frames[0]).toMatchObject({
    event: "existing_users",
    you: boId,
    count: 2,
    users: [
      { id: anaId, name: "Ana", joined: expect.any(Number) },
      { id: boId, name: "Bo", joined: expect.any(Number) },
    ],
  });
  // The others get the newcomer's row, and no other.
  const toldTo = (frames: readonly ServerFrame[], id: string) =>
    newUsers(frames).filter((user) => user.id === id);
  await expect.poll(() => toldTo(ana.wire.received, boId)).toHaveLength(1);
  expect(toldTo(ana.wire.received, boId)).toMatchObject([{ id: boId, name: "Bo" }]);

  // A client that watched before joining has the list already, and gets the difference.
  const kim = await newVisitor();
  await kim.open(room);
  expect(kim.wire.received[0]).toMatchObject({
    event: expect.stringMatching(/^(existing_users|resumed)$/),
  });
  await kim.join("Kim");
  const kimId = await kim.ownId();
  const resumed = kim.wire.received.filter((frame) => frame.event === "resumed").at(-1);
  expect(resumed).toMatchObject({ you: kimId, new_user: [{ id: kimId, name: "Kim" }] });
  for (const frames of [ana.wire.received, bo.frames]) {
    await expect.poll(() => toldTo(frames, kimId)).toMatchObject([{ id: kimId, name: "Kim" }]);
  }
});

test("step 5: every page shows each new_user as a row", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  const bo = await newVisitor();
  const watcher = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await bo.open(room);
  await watcher.open(room);
  for (const visitor of [ana, bo, watcher]) await visitor.shows(["Ana"]);

  await bo.join("Bo");
  for (const visitor of [ana, bo, watcher]) await visitor.shows(["Ana", "Bo"]);
  // Everyone is first in their own list.
  await expect(bo.names).toHaveText(["Bo", "Ana"]);

  // A visitor's own row is marked on their own page only.
  await expect(ana.ownRow).toHaveCount(1);
  await expect(ana.ownRow.locator("bdi.user-name")).toHaveText("Ana");
  await expect(bo.ownRow).toHaveCount(1);
  await expect(bo.ownRow.locator("bdi.user-name")).toHaveText("Bo");
  await expect(watcher.ownRow).toHaveCount(0);
  for (const visitor of [ana, bo, watcher]) {
    await expect(visitor.rowWithId(await bo.ownId())).toHaveAttribute("data-state", "here");
  }
});

test("step 6: closing a browser makes the server send disconnect_user to the others", async ({
  pair,
  server,
  clients,
  room,
}) => {
  const { ana, bo } = pair;
  const program = await clients.join(server, room, "A program");
  const boId = await bo.ownId();
  await ana.shows(["Ana", "Bo", "A program"]);
  expect(disconnectedUsers(ana.wire.received)).toEqual([]);

  await bo.context.close();
  for (const frames of [ana.wire.received, program.frames]) {
    await expect.poll(() => disconnectedUsers(frames), UNTIL_A_ROW_IS_REMOVED).toEqual([boId]);
  }
  await ana.shows(["Ana", "A program"]);
});

test("step 7: of two people with the same name, exactly the one who left disappears", async ({
  newVisitor,
  room,
}) => {
  const ana = await newVisitor();
  const firstKim = await newVisitor();
  const secondKim = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  await firstKim.openAndJoin(room, "Kim");
  await secondKim.openAndJoin(room, "Kim");
  await ana.shows(["Ana", "Kim", "Kim"]);
  const [firstId, secondId] = [await firstKim.ownId(), await secondKim.ownId()];
  expect(firstId).not.toBe(secondId);

  await firstKim.context.close();
  for (const visitor of [ana, secondKim]) {
    await visitor.shows(["Ana", "Kim"], UNTIL_A_ROW_IS_REMOVED);
    await expect(visitor.rowWithId(firstId)).toHaveCount(0);
    await expect(visitor.rowWithId(secondId)).toHaveCount(1);
  }
  await expect(secondKim.ownRow).toHaveCount(1);
  await secondKim.isListedAs("Kim");
});
