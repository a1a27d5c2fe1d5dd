// Kiosk mode, for a screen on a wall: names as large as possible, and no controls.

import AxeBuilder from "@axe-core/playwright";

import { BigRoom } from "../support/big-room";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll, waitForAnimations } from "../support/layout";
import { newUsers } from "../support/protocol";
import { readCode } from "../support/qr-code";
import { formatCount, type Visitor } from "../support/visitor";

const STILL = { reducedMotion: "reduce" } as const;

function people(count: number): string[] {
  const some = ["Ana Sousa", "Bo", "Ирина Петрова", "Kim", "مريم الحداد", "李小龍", "🙂 Sunny"];
  return Array.from({ length: count }, (_, index) => {
    const name = some[index % some.length] ?? "";
    return index < some.length ? name : `${name} ${index}`;
  });
}

test("kiosk mode shows a live list and has no controls", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, people(5));
  const wall = await newVisitor(STILL);
  const messages: string[] = [];
  wall.page.on("console", (message) => messages.push(message.text()));
  await wall.page.goto(`/r/${room}?wall`);
  await wall.isLive();
  await wall.shows(people(5));
  const olu = await clients.join(server, room, "Olu");
  await wall.shows([...people(5), "Olu"]);
  olu.send({ event: "leave" });
  await wall.shows(people(5));

  for (const role of ["button", "link", "textbox"] as const) {
    await expect(wall.page.getByRole(role)).toHaveCount(0);
  }
  const code = wall.page.getByRole("img", { name: /QR code/ });
  expect(await readCode(code)).toBe(`${new URL(wall.page.url()).origin}/r/${room}`);
  expect(messages).toEqual([]);
});

test("kiosk mode does not list its browser's person, also where they are listed in another tab", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const watcher = await clients.connect(server, room);
  watcher.send({ event: "watch" });
  const ana = await newVisitor(STILL);
  await ana.openAndJoin(room, "Ana");
  const wall = await ana.openTab();
  await wall.page.goto(`/r/${room}?wall`);
  await wall.isLive();
  await wall.shows(["Ana"]);
  await ana.leaveButton.click();
  await wall.shows([]);
  await ana.join("Ana");
  await wall.shows(["Ana"]);
  await ana.page.close();
  // Only the kiosk page of that browser is left, and it keeps no row.
  await wall.shows([], { timeout: 20_000 });
  expect(wall.wire.sent.map((frame) => frame.event)).toEqual(["watch"]);
  expect(newUsers(watcher.frames).map((user) => user.name)).toEqual(["Ana", "Ana"]);
});

for (const [width, height] of [
  [1920, 1080],
  [1280, 720],
  [1080, 1920],
] as const) {
  test(`the names fill a screen of ${width} by ${height} without overflow`, async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const wall = await newVisitor({ ...STILL, viewport: { width, height } });
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    let joined = 0;
    for (const count of [1, 2, 5, 7, 12, 30, 44, 60, 100, 150]) {
      await clients.joinTogether(server, room, people(count).slice(joined));
      joined = count;
      await expect(wall.rows).toHaveCount(count);
      await waitForAnimations(wall.page);
      await expectNoHorizontalScroll(wall.page);
      const { boxes, board } = await wall.page.evaluate(() => {
        const box = (element: Element) => element.getBoundingClientRect().toJSON() as DOMRect;
        const rows = [...document.querySelectorAll("#roster > li")];
        return {
          boxes: rows.map(box),
          board: box(document.querySelector("#roster") as Element),
        };
      });
      for (const box of boxes) {
        expect(box.bottom, `of ${count} people one is below`).toBeLessThanOrEqual(height);
        expect(box.right).toBeLessThanOrEqual(width);
        expect(box.height).toBeGreaterThan(20);
      }
      // Rows and gaps fill the list's area.
      const lowest = Math.max(...boxes.map((box) => box.bottom));
      expect(board.bottom - lowest).toBeLessThan(2);
      // The last line is filled as well, however many rows it has.
      const last = boxes.filter((box) => Math.abs(box.bottom - lowest) < 2);
      const taken = last.reduce((sum, box) => sum + box.width, 0);
      const gaps = (last.length - 1) * 16;
      expect(board.width - taken, `of ${count} people ${last.length} are in the last line`)
        .toBeLessThan(gaps + 2);
      if (width === 1920) {
        await wall.page.screenshot({ path: `screenshots/wall-of-${count}.png` });
      }
    }
  });
}

for (const count of [201, 260, 1_000, 10_000]) {
  test(`kiosk mode counts all of ${count} people and shows the first two hundred`, async ({
    newVisitor,
    room,
  }) => {
    const wall = await newVisitor({ ...STILL, viewport: { width: 1920, height: 1080 } });
    const clients = await BigRoom.for(wall.page, count);
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    await expect(wall.count).toHaveText(formatCount(count));
    const shown = wall.rows.filter({ visible: true });
    await expect(shown).toHaveCount(200);
    await expect(shown.first().locator("bdi.user-name")).toHaveText("Person 1");
    await expect(shown.last().locator("bdi.user-name")).toHaveText("Person 200");
    await waitForAnimations(wall.page);
    await expectNoHorizontalScroll(wall.page);
    const before = await boxes(wall);
    for (const box of before) {
      expect(box.bottom).toBeLessThanOrEqual(1080);
      expect(box.right).toBeLessThanOrEqual(1920);
      expect(box.height).toBeGreaterThan(20);
    }
    expect(await noticeBelowTheList(wall)).toContain("joined first");

    // A new person is counted, and no row moves.
    clients.join("One more");
    await expect(wall.count).toHaveText(formatCount(count + 1));
    expect(await boxes(wall)).toEqual(before);
    // When one of the first leaves, the next person is shown.
    clients.leave(clients.users[0]);
    await expect(shown.last().locator("bdi.user-name")).toHaveText("Person 201");
    await expect(shown).toHaveCount(200);
    await wall.page.screenshot({ path: `screenshots/wall-of-${count}.png` });
  });
}

for (const [width, height, count] of [
  [320, 900, 16],
  [844, 390, 16],
  [768, 900, 36],
  [1024, 768, 36],
] as const) {
  test(`a small screen of ${width} by ${height} shows the first people in a readable size`, async ({
    newVisitor,
    room,
  }) => {
    const wall = await newVisitor({ ...STILL, viewport: { width, height } });
    await BigRoom.for(wall.page, 200);
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    await expect(wall.count).toHaveText("200");
    await expect(wall.rows.filter({ visible: true })).toHaveCount(count);
    await waitForAnimations(wall.page);
    await expectNoHorizontalScroll(wall.page);
    await wall.page.screenshot({ path: `screenshots/wall-on-${width}-by-${height}.png` });
    for (const box of await boxes(wall)) {
      expect(box.bottom).toBeLessThanOrEqual(height);
      expect(box.right).toBeLessThanOrEqual(width);
      expect(box.height).toBeGreaterThan(40);
    }
    const size = await wall.names.first().evaluate((name) => getComputedStyle(name).fontSize);
    expect(Number.parseFloat(size)).toBeGreaterThan(12);
    expect(await noticeBelowTheList(wall)).toContain("joined first");
  });
}

test("kiosk mode has no axe violations", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, people(9));
  const wall = await newVisitor({ ...STILL, viewport: { width: 1920, height: 1080 } });
  await wall.page.goto(`/r/${room}?wall`);
  await wall.isLive();
  await wall.shows(people(9));
  for (const colorScheme of ["light", "dark"] as const) {
    await wall.page.emulateMedia({ colorScheme });
    expect((await new AxeBuilder({ page: wall.page }).analyze()).violations).toEqual([]);
  }
});

/** The boxes of the visible rows. */
async function boxes(wall: Visitor): Promise<DOMRect[]> {
  return wall.roster.evaluate((list) =>
    [...list.children]
      .map((row) => row.getBoundingClientRect().toJSON() as DOMRect)
      .filter((box) => box.height > 0),
  );
}

async function noticeBelowTheList(wall: Visitor): Promise<string> {
  return wall.page.locator(".list-panel").evaluate((board) => getComputedStyle(board, "::after").content);
}
