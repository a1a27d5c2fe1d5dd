// The seven steps of the original design in Firefox, one test each, as tests/seven-steps.spec.ts has them.

import { disconnectedUsers, newUsers, type ServerFrame } from "../support/protocol";
import { UNTIL_A_ROW_IS_REMOVED } from "../support/visitor";
import { expect, test } from "./driver/fixtures";

test("step 1: the server serves the page, with the list already in its HTML", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.join(server, room, "Ana Sousa");
  const visitor = await newVisitor();
  // The document is interactive when it is parsed, before modules run.
  await visitor.page.evaluateOnNewDocument(() => {
    const note = () => {
      const names = document.querySelectorAll("ul[aria-label='Who is here'] bdi.user-name");
      Object.assign(window, { inHtml: [...names].map(({ textContent }) => textContent) });
    };
    document.addEventListener("readystatechange", note, { once: true });
  });
  await visitor.goto(`/r/${room}`);
  const inHtml = await visitor.page.evaluate(() => (window as { inHtml?: string[] }).inHtml);
  expect(inHtml).toEqual(["Ana Sousa"]);
  expect(await visitor.page.evaluate(() => document.compatMode)).toBe("CSS1Compat");
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

  const { nameField } = ana.elements;
  expect(await nameField.isVisible()).toBe(true);
  await expect.poll(() => nameField.isFocused()).toBe(true);
  // A watching visitor is not listed.
  expect(await ana.rows.count()).toBe(0);

  await ana.page.keyboard.type("Ana");
  await ana.page.keyboard.press("Enter");
  await ana.isListedAs("Ana");
  expect(dialogs).toEqual([]);
});

test("step 3: the page emits got_a_new_user with the name", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  await ana.open(room);
  const announced = async () =>
    (await ana.wire()).sent.filter((frame) => frame.event === "got_a_new_user");
  expect(await announced()).toEqual([]);

  await ana.join("Ana Sousa");
  expect(await announced()).toMatchObject([{ event: "got_a_new_user", name: "Ana Sousa" }]);
  expect((await ana.wire()).sockets).toEqual([expect.stringMatching(`/r/${room}/socket$`)]);
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

  const bo = await clients.join(server, room, "Bo");
  const boId = await bo.id();
  expect(bo.frames[0]).toMatchObject({
    event: "existing_users",
    you: boId,
    users: [
      { id: anaId, name: "Ana" },
      { id: boId, name: "Bo" },
    ],
  });
  const toldTo = (frames: readonly ServerFrame[], id: string) =>
    newUsers(frames).filter((user) => user.id === id);
  await expect
    .poll(async () => toldTo((await ana.wire()).received, boId))
    .toMatchObject([{ id: boId, name: "Bo" }]);

  // A page that watched before joining has the list already, and gets the difference.
  const kim = await newVisitor();
  await kim.openAndJoin(room, "Kim");
  const kimId = await kim.ownId();
  const resumed = (await kim.wire()).received.filter((frame) => frame.event === "resumed").at(-1);
  expect(resumed).toMatchObject({ you: kimId, new_user: [{ id: kimId, name: "Kim" }] });
  for (const frames of [async () => (await ana.wire()).received, async () => bo.frames]) {
    await expect
      .poll(async () => toldTo(await frames(), kimId))
      .toMatchObject([{ id: kimId, name: "Kim" }]);
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

  // A visitor's own row is marked on their own page only.
  expect(await ana.ownRow.texts()).toEqual([expect.stringContaining("Ana")]);
  expect(await bo.ownRow.texts()).toEqual([expect.stringContaining("Bo")]);
  expect(await watcher.ownRow.count()).toBe(0);
  const boId = await bo.ownId();
  for (const visitor of [ana, bo, watcher]) await visitor.showsState(boId, "here");
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
  expect(disconnectedUsers((await ana.wire()).received)).toEqual([]);

  await bo.context.close();
  for (const frames of [async () => (await ana.wire()).received, async () => program.frames]) {
    await expect
      .poll(async () => disconnectedUsers(await frames()), UNTIL_A_ROW_IS_REMOVED)
      .toEqual([boId]);
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
    expect(await visitor.rowWithId(firstId).count()).toBe(0);
    expect(await visitor.rowWithId(secondId).count()).toBe(1);
  }
  expect(await secondKim.ownRow.count()).toBe(1);
  await secondKim.isListedAs("Kim");
});
