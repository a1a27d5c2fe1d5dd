// Kiosk mode, for a screen on a wall: names that can be read from afar, the newest first, and no controls.

import AxeBuilder from "@axe-core/playwright";

import { BigRoom } from "../support/big-room";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll, waitForAnimations } from "../support/layout";
import { newUsers } from "../support/protocol";
import { readCode } from "../support/qr-code";
import { formatCount, type Visitor } from "../support/visitor";

const STILL = { reducedMotion: "reduce" } as const;
const FULL_HD = { ...STILL, viewport: { width: 1920, height: 1080 } };
/** How long a page stays, and a greeting. */
const [PAGE_TIME, WELCOME_TIME] = [8_000, 4_000];
/** How many people a wall shows at once, and how many of them are the newest, who are on every page. */
const [PLACES, NEWEST] = [44, 4];

function people(count: number): string[] {
  const some = ["Ana Sousa", "Bo", "Ирина Петрова", "Kim", "مريم الحداد", "李小龍", "🙂 Sunny"];
  return Array.from({ length: count }, (_, index) => {
    const name = some[index % some.length] ?? "";
    return index < some.length ? name : `${name} ${index}`;
  });
}

const newestFirst = (names: readonly string[]) => [...names].reverse();

test("kiosk mode shows a live list, the newest first, and has no controls", async ({
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
  await showsInOrder(wall, newestFirst(people(5)));
  const olu = await clients.join(server, room, "Olu");
  await showsInOrder(wall, ["Olu", ...newestFirst(people(5))]);
  olu.send({ event: "leave" });
  await showsInOrder(wall, newestFirst(people(5)));

  for (const role of ["button", "link", "textbox"] as const) {
    await expect(wall.page.getByRole(role)).toHaveCount(0);
  }
  const code = wall.page.getByRole("img", { name: /QR code/ });
  expect(await readCode(code)).toBe(`${new URL(wall.page.url()).origin}/r/${room}`);
  expect(messages).toEqual([]);
});

test("a person who is away keeps their place on a wall", async ({ newVisitor, room }) => {
  const wall = await newVisitor(FULL_HD);
  const clients = await BigRoom.for(wall.page, 3);
  clients.users[2]!.state = "away";
  await wall.page.goto(`/r/${room}?wall`);
  await wall.isLive();
  await expect(wall.names).toHaveText(["Person 3", "Person 2", "Person 1"]);
  clients.join("Olu");
  await expect(wall.names).toHaveText(["Olu", "Person 3", "Person 2", "Person 1"]);
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
  await showsInOrder(wall, ["Ana"]);
  await expect(wall.rows.getByText("You")).toBeHidden();
  await clients.join(server, room, "Zoe");
  // The person of the wall's browser is not the first one on it.
  await showsInOrder(wall, ["Zoe", "Ana"]);
  await ana.leave();
  await showsInOrder(wall, ["Zoe"]);
  await ana.join("Ana");
  await showsInOrder(wall, ["Ana", "Zoe"]);
  await ana.page.close();
  // Only the kiosk page of that browser is left, and it keeps no row.
  await showsInOrder(wall, ["Zoe"], { timeout: 20_000 });
  expect(wall.wire.sent.map((frame) => frame.event)).toEqual(["watch"]);
  expect(newUsers(watcher.frames).map((user) => user.name)).toEqual(["Ana", "Zoe", "Ana"]);
});

test("without scripts a wall shows the newest people and counts the others", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, people(60));
  const wall = await newVisitor({ ...FULL_HD, javaScriptEnabled: false });
  await wall.page.goto(`/r/${room}?wall`);
  await expect(wall.rows.filter({ visible: true })).toHaveCount(PLACES);
  await expect(wall.names.first()).toHaveText(people(60).at(-1)!);
  await expect(wall.page.locator(".others")).toHaveText("and 16 more");
});

for (const [width, height] of [
  [1920, 1080],
  [1280, 720],
  [1080, 1920],
] as const) {
  test(`rows on a screen of ${width} by ${height} have one size, and all are in sight`, async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const wall = await newVisitor({ ...STILL, viewport: { width, height } });
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    let joined = 0;
    for (const count of [1, 2, 5, 7, 13, 30, 44, 60, 100]) {
      await clients.joinTogether(server, room, people(count).slice(joined));
      joined = count;
      await expect(wall.rows).toHaveCount(Math.min(count, PLACES));
      await waitForAnimations(wall.page);
      await expectNoHorizontalScroll(wall.page);
      const rows = await boxes(wall);
      expect(rows.length).toBe(Math.min(count, PLACES));
      for (const box of rows) {
        expect(box.bottom, `of ${count} people one is below`).toBeLessThanOrEqual(height);
        expect(Math.max(box.right, width - box.left)).toBeLessThanOrEqual(width);
        // The only one in the last line is no larger than the others.
        expect(Math.abs(box.width - rows[0]!.width)).toBeLessThan(2);
        expect(Math.abs(box.height - rows[0]!.height)).toBeLessThan(2);
      }
    }
  });
}

for (const count of [1, 12, 44, 200, 1_000]) {
  test(`no letter on a wall of 1920 by 1080 with ${count} people has less than 28 px`, async ({ newVisitor, room }) => {
    const wall = await newVisitor(FULL_HD);
    const clients = await BigRoom.for(wall.page, count);
    const last = clients.users.at(-1)!;
    last.name = "Wolfeschlegelsteinhausenbergerdorff von und zu";
    if (count > 1) clients.users.at(-2)!.state = "away";
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    await expect(wall.count).toHaveText(formatCount(clients.here));
    await expect(wall.names.first()).toHaveText(last.name);
    await isReady(wall);
    clients.join("Sven");
    await expect(wall.page.locator(".welcome")).toHaveText("Welcome, Sven");
    expect(await smallLetters(wall)).toEqual([]);
  });
}

test("the lost connection of a wall is told in letters of that size", async ({
  newVisitor,
  networkTo,
  server,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(/WebSocket|ERR_/);
  const network = await networkTo(server);
  const wall = await newVisitor({ ...FULL_HD, of: network });
  await wall.page.goto(`/r/${room}?wall`);
  await wall.isLive();
  network.cut();
  await wall.isDisconnected();
  expect(await smallLetters(wall)).toEqual([]);
});

test("a wall greets the newest person for four seconds, in their own direction", async ({ newVisitor, room }) => {
  const wall = await newVisitor(FULL_HD);
  const { page } = wall;
  const clients = await openWithStoppedClock(wall, room, 60);
  const welcome = page.locator(".welcome");
  await expect(page.locator(".others")).toHaveText("and 16 more");
  await expect(welcome).toBeHidden();
  clients.join("مريم الحداد");
  await expect(welcome).toHaveText("Welcome, مريم الحداد");
  await expect(welcome.locator("bdi")).toHaveText("مريم الحداد");
  // It covers nobody.
  const [greeting, line] = [(await welcome.boundingBox())!, await boxes(wall)];
  expect(greeting.y + greeting.height).toBeLessThanOrEqual(line[0]!.top);
  // Those who come meanwhile wait for their turn.
  clients.join("Sven");
  await expect(wall.names.first()).toHaveText("Sven");
  await page.clock.runFor(WELCOME_TIME - 1);
  await expect(welcome).toHaveText("Welcome, مريم الحداد");
  await page.clock.runFor(1);
  await expect(welcome).toHaveText("Welcome, Sven");
  await page.clock.runFor(WELCOME_TIME - 1);
  await expect(welcome).toHaveText("Welcome, Sven");
  await page.clock.runFor(1);
  await expect(welcome).toBeHidden();

  // Neither those who follow when somebody leaves nor whoever comes into sight is greeted.
  clients.leaveTogether(clients.users.slice(-3));
  await expect(wall.names.first()).toHaveText("Person 59");
  await page.clock.runFor(PAGE_TIME);
  await expect(welcome).toBeHidden();
});

test("a wall does not greet whom the host has removed meanwhile", async ({ newVisitor, room }) => {
  const wall = await newVisitor(FULL_HD);
  const { page } = wall;
  const clients = await openWithStoppedClock(wall, room, 60);
  const welcome = page.locator(".welcome");
  for (const name of ["Ana", "Troll", "Zoe"]) {
    clients.join(name);
    await expect(wall.names.first()).toHaveText(name);
  }
  await expect(welcome).toHaveText("Welcome, Ana");
  // The one who waits, and then the one who is greeted.
  clients.leaveTogether(clients.users.filter(({ name }) => name === "Troll"));
  await expect(wall.names.nth(1)).toHaveText("Ana");
  await page.clock.runFor(WELCOME_TIME);
  await expect(welcome).toHaveText("Welcome, Zoe");
  clients.leaveTogether(clients.users.filter(({ name }) => name === "Zoe"));
  await expect(wall.names.first()).toHaveText("Ana");
  await expect(welcome).toBeHidden();
});

test("an empty wall says how to join", async ({ newVisitor, room }) => {
  const wall = await newVisitor(FULL_HD);
  await wall.page.goto(`/r/${room}?wall`);
  await wall.isLive();
  await expect(wall.emptyRoom).toHaveText("Nobody here yet. Scan to join");
});

for (const count of [PLACES + 1, 200, 1_000]) {
  test(`the pages of a wall show all of ${count} people, and the newest all the time`, async ({ newVisitor, room }) => {
    const wall = await newVisitor(FULL_HD);
    const { page } = wall;
    const clients = await openWithStoppedClock(wall, room, count);
    const all = newestFirst(clients.users.map(({ name }) => name));
    const shown = wall.rows.filter({ visible: true }).locator("bdi.user-name");
    const seen = new Set<string>();
    const pages = Math.ceil((count - NEWEST) / (PLACES - NEWEST));
    // It has just turned to the second page; the first one comes last.
    for (let turned = 1; turned <= pages; turned += 1) {
      const next = all[NEWEST + (turned % pages) * (PLACES - NEWEST)]!;
      await expect(shown.nth(NEWEST)).toHaveText(next);
      const names = await shown.allTextContents();
      expect(names).toHaveLength(PLACES);
      expect(names.slice(0, NEWEST)).toEqual(all.slice(0, NEWEST));
      for (const name of names) seen.add(name);
      await expect(page.locator(".others")).toHaveText(`and ${formatCount(count - PLACES)} more`);
      await turnPage(wall, clients);
    }
    expect([...seen].sort()).toEqual([...all].sort());

    // Who comes while a later page is shown is in sight at once, and greeted.
    await expect(shown.nth(NEWEST)).toHaveText(all[PLACES]!);
    clients.join("Sven");
    await expect(shown.first()).toHaveText("Sven");
    await expect(page.locator(".welcome")).toHaveText("Welcome, Sven");
    await expect(wall.count).toHaveText(formatCount(count + 1));
  });
}

test("a wall of 10,000 people has one page of them in its document", async ({ newVisitor, room }) => {
  const wall = await newVisitor(FULL_HD);
  await BigRoom.for(wall.page, 10_000);
  await wall.page.goto(`/r/${room}?wall`);
  await wall.isLive();
  await expect(wall.count).toHaveText("10,000");
  await expect(wall.names.first()).toHaveText("Person 10000");
  await expect(wall.rows).toHaveCount(PLACES);
  await expect(wall.page.locator(".others")).toHaveText("and 9,956 more");
});

test("names on a wall break at spaces only, and shrink where a word is too long", async ({ newVisitor, room }) => {
  const wall = await newVisitor(FULL_HD);
  const clients = await BigRoom.for(wall.page, 12);
  const names = ["Maximiliane Schwarzenberger-Lichtenstein", "Konstantinopolitanisch", "Bo"];
  names.forEach((name, index) => (clients.users[index]!.name = name));
  await wall.page.goto(`/r/${room}?wall`);
  await wall.isLive();
  const sizes: number[] = [];
  for (const name of names) {
    const text = wall.names.filter({ hasText: name });
    const { size, lines } = await text.evaluate((element) => {
      const node = [...element.childNodes].find((child): child is Text => child instanceof Text)!;
      const tops = [...node.data].map((_, index) => {
        const range = document.createRange();
        range.setStart(node, index);
        range.setEnd(node, index + 1);
        return Math.round(range.getBoundingClientRect().top);
      });
      const breaks = tops.flatMap((top, index) => (index > 0 && top > tops[index - 1]! + 4 ? [index] : []));
      const lines = breaks.map((index) => node.data.slice(0, index));
      return { size: parseFloat(getComputedStyle(element).fontSize), lines };
    });
    for (const line of lines) expect(line).toMatch(/[ -]$/);
    sizes.push(size);
  }
  expect(sizes[1]).toBeLessThan(sizes[2]!);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(28);
});

test("the key F fills the screen with a wall, and gives it back", async ({ newVisitor, room }) => {
  const { page } = await newVisitor(STILL);
  await page.goto(`/r/${room}?wall`);
  await expect(page.locator("html")).toHaveAttribute("data-live");
  const isFull = () => page.evaluate(() => document.fullscreenElement?.localName);
  await expect(async () => {
    // The script that handles the key loads once the page is live.
    if (!(await isFull())) await page.keyboard.press("f");
    expect(await isFull()).toBe("html");
  }).toPass();
  await page.keyboard.press("Control+f");
  expect(await isFull()).toBe("html");
  await page.keyboard.press("F");
  await expect.poll(isFull).toBeUndefined();
});

for (const [width, height, count] of [
  [320, 900, 16],
  [844, 390, 16],
  [768, 900, 36],
  [1024, 768, 36],
] as const) {
  test(`a small screen of ${width} by ${height} shows ${count} people in a readable size`, async ({
    newVisitor,
    room,
  }) => {
    const wall = await newVisitor({ ...STILL, viewport: { width, height } });
    await BigRoom.for(wall.page, 200);
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    await expect(wall.count).toHaveText("200");
    await expect(wall.rows.filter({ visible: true })).toHaveCount(count);
    await expect(wall.page.locator(".others")).toHaveText(`and ${200 - count} more`);
    await waitForAnimations(wall.page);
    await expectNoHorizontalScroll(wall.page);
    await wall.page.screenshot({ path: `screenshots/wall-on-${width}-by-${height}.png` });
    for (const box of await boxes(wall)) {
      expect(box.bottom).toBeLessThanOrEqual(height);
      expect(box.right).toBeLessThanOrEqual(width);
      expect(box.height).toBeGreaterThan(30);
    }
    const size = await wall.names.first().evaluate((name) => getComputedStyle(name).fontSize);
    expect(Number.parseFloat(size)).toBeGreaterThanOrEqual(14);
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`kiosk mode has no axe violations, ${colorScheme}`, async ({ newVisitor, room }) => {
    const wall = await newVisitor({ ...FULL_HD, colorScheme });
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    expect((await new AxeBuilder({ page: wall.page }).analyze()).violations).toEqual([]);
    const full = await newVisitor({ ...FULL_HD, colorScheme });
    const clients = await BigRoom.for(full.page, 60);
    await full.page.goto(`/r/${room}?wall`);
    await full.isLive();
    await isReady(full);
    clients.join("Sven");
    await expect(full.page.locator(".welcome")).toHaveText("Welcome, Sven");
    expect((await new AxeBuilder({ page: full.page }).analyze()).violations).toEqual([]);
    await full.page.screenshot({ path: `screenshots/wall-${colorScheme}.png` });
  });
}

/** The wall has exactly these names, in this order, and counts them. */
async function showsInOrder(wall: Visitor, names: readonly string[], options?: { timeout: number }): Promise<void> {
  await expect(wall.names).toHaveText([...names], options);
  await expect(wall.count).toHaveText(formatCount(names.length));
}

/** The wall's own script, which loads once the page is live, has seen who is here. */
async function isReady(wall: Visitor): Promise<void> {
  await expect(wall.names.first()).toHaveAttribute("data-fit");
}

/** A wall on which time passes only where the test says so; it has just turned to its second page. */
async function openWithStoppedClock(wall: Visitor, room: string, count: number): Promise<BigRoom> {
  const { page } = wall;
  await page.clock.install();
  const clients = await BigRoom.for(page, count);
  await page.goto(`/r/${room}?wall`);
  await wall.isLive();
  await expect(wall.names.first()).toHaveText(`Person ${count}`);
  await isReady(wall);
  await page.clock.pauseAt(new Date(await page.evaluate(() => Date.now() + 2_000)));
  // In small steps, since when it turns depends on when its script began.
  const fifth = wall.names.nth(NEWEST);
  while ((await fifth.textContent()) === `Person ${count - NEWEST}`) await page.clock.runFor(100);
  clients.beat();
  return clients;
}

/** Lets the time of a page pass. */
async function turnPage(wall: Visitor, clients: BigRoom): Promise<void> {
  await wall.page.clock.runFor(PAGE_TIME);
  clients.beat();
}

/** The boxes of the visible rows. */
async function boxes(wall: Visitor): Promise<DOMRect[]> {
  return wall.roster.evaluate((list) =>
    [...list.children]
      .map((row) => row.getBoundingClientRect().toJSON() as DOMRect)
      .filter((box) => box.height > 0),
  );
}

/** The visible texts with letters of less than 28 px. */
async function smallLetters(wall: Visitor): Promise<string[]> {
  return wall.page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const small: string[] = [];
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement!;
      const text = walker.currentNode.textContent!.trim();
      // Texts for screen readers have a box of one pixel.
      const { width, height } = parent.getBoundingClientRect();
      if (text === "" || width <= 1 || height <= 1 || !parent.checkVisibility()) continue;
      const { fontSize } = getComputedStyle(parent);
      if (parseFloat(fontSize) < 28) small.push(`${text}: ${fontSize}`);
    }
    return small;
  });
}
