// Animations of rows: removed rows are animated out, and the list itself changes at once.

import { BigRoom } from "../support/big-room";
import { expect, test } from "../support/fixtures";
import { inPageOrder } from "../support/names";
import { formatCount, type Visitor } from "../support/visitor";

/** The state of the page when the copy of a removed row was added. */
interface Departure {
  name: string;
  isHidden: boolean;
  isInert: boolean;
  isInTheList: boolean;
  /** The names that were still in the list. */
  listed: string[];
  /** How many of its rows were being animated. */
  moving: number;
}

const NAMES = ["Ana", "Bo", "Kim", "Olu", "Zoe"];

/** Records every copy of a removed row from now on: each exists for a quarter of a second. */
async function watchDepartures(visitor: Visitor): Promise<() => Promise<Departure[]>> {
  await visitor.roster.evaluate((list) => {
    const departures: Departure[] = [];
    Object.assign(window, { departures });
    const nameOf = (row: Element) => row.querySelector("bdi")?.textContent ?? "";
    const note = (picture: Node) => {
      if (!(picture instanceof HTMLElement) || !picture.matches(".leaving")) return;
      const rows = [...list.children];
      departures.push({
        name: nameOf(picture),
        isHidden: picture.ariaHidden === "true",
        isInert: picture.inert,
        isInTheList: list.contains(picture) || picture.querySelector("[data-user-id]") !== null,
        listed: rows.map(nameOf),
        moving: rows.filter((row) => row.getAnimations().length > 0).length,
      });
    };
    new MutationObserver((records) => records.forEach(({ addedNodes }) => addedNodes.forEach(note)))
      .observe(document.body, { childList: true, subtree: true });
  });
  return () =>
    visitor.page.evaluate(() => (window as unknown as { departures: Departure[] }).departures);
}

test("a removed row is animated out, and the rows behind it move up", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const [, bo] = await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor({ reducedMotion: "no-preference" });
  await visitor.open(room);
  await visitor.shows(NAMES);
  const departures = await watchDepartures(visitor);
  bo?.send({ event: "leave" });
  const listed = NAMES.filter((name) => name !== "Bo");
  await visitor.shows(listed);
  await expect
    .poll(departures)
    .toEqual([
      { name: "Bo", isHidden: true, isInert: true, isInTheList: false, listed, moving: 3 },
    ]);
  // The copy is removed.
  await expect(visitor.page.locator(".leaving")).toHaveCount(0);
});

test("reduced motion disables the animations", async ({ newVisitor, server, clients, room }) => {
  const [, bo] = await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor({ reducedMotion: "reduce" });
  await visitor.open(room);
  await visitor.shows(NAMES);
  const departures = await watchDepartures(visitor);
  bo?.send({ event: "leave" });
  await visitor.shows(NAMES.filter((name) => name !== "Bo"));
  expect(await departures()).toEqual([]);
  expect(await visitor.roster.evaluate((list) => list.getAnimations({ subtree: true }).length)).toBe(0);
});

test("many changes at once and rows out of view are not animated", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor({ reducedMotion: "no-preference" });
  const people = await BigRoom.openedBy(visitor, room, 300);
  const departures = await watchDepartures(visitor);
  const listed = () => {
    const order = inPageOrder(people.users.map(({ name }) => name));
    return people.users.toSorted((one, other) => order.indexOf(one.name) - order.indexOf(other.name));
  };
  people.leave(listed()[250]);
  await expect(visitor.count).toHaveText("299");
  people.leaveTogether(listed().slice(0, 10));
  await expect(visitor.count).toHaveText("289");
  expect(await departures()).toEqual([]);
  // A single change is animated, also in a long list.
  const [first] = listed();
  people.leave(first);
  await expect(visitor.count).toHaveText(formatCount(288));
  await expect.poll(async () => (await departures()).map(({ name }) => name)).toEqual([first?.name]);
});

for (const width of [390, 1280]) {
  test(`rows that only scroll into view, or change by a search, are not animated: ${width} px`, async ({
    newVisitor,
    room,
  }) => {
    const viewport = { width, height: 720 };
    const visitor = await newVisitor({ reducedMotion: "no-preference", viewport });
    const { page } = visitor;
    await page.addInitScript(() => {
      Object.assign(window, { moved: [] });
      addEventListener("transitionrun", ({ target, propertyName }) => {
        if (propertyName !== "opacity" || !(target instanceof Element) || !target.matches(".row")) return;
        window.moved.push(target.querySelector("bdi")?.textContent ?? "");
      });
    });
    const people = await BigRoom.openedBy(visitor, room, 300);
    const departures = await watchDepartures(visitor);
    const moved = () => page.evaluate(() => window.moved);
    // With the wheel, like a visitor: scrolling by script would force a layout before the page can mark the rows.
    await page.mouse.move(200, 400);
    for (let turn = 0; turn < 30; turn += 1) {
      await page.mouse.wheel(0, 170);
      await page.evaluate(() => new Promise((next) => requestAnimationFrame(next)));
    }
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(2_000);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await expect(visitor.names.last()).toHaveText("Person 99");
    expect(await moved()).toEqual([]);

    // A new row is animated there as well.
    people.join("Person 990");
    await expect.poll(moved).toEqual(["Person 990"]);

    await visitor.searchField.fill("Person 12");
    await expect(visitor.found).toHaveText("11 of 301");
    await visitor.searchField.fill("Person 120");
    await expect(visitor.names).toHaveText(["Person 120"]);
    await visitor.searchField.fill("Person 12");
    await expect(visitor.found).toHaveText("11 of 301");
    await visitor.searchField.fill("Person 129");
    await expect(visitor.names).toHaveText(["Person 129"]);
    await visitor.searchField.fill("");
    await visitor.toggle("newestFirstButton");
    await page.evaluate(() => scrollTo(0, 0));
    await expect(visitor.names.first()).toHaveText("Person 990");
    expect(await moved()).toEqual(["Person 990"]);
    expect(await departures()).toEqual([]);
  });
}

test("a removed row is animated out at any scroll position", async ({ newVisitor, room }) => {
  const visitor = await newVisitor({
    reducedMotion: "no-preference",
    viewport: { width: 390, height: 600 },
  });
  const people = await BigRoom.openedBy(visitor, room, 60);
  const departures = await watchDepartures(visitor);
  await visitor.roster.locator("> li").last().scrollIntoViewIfNeeded();
  // The page measures its rows after the paint.
  await visitor.page.evaluate(
    () => new Promise((looked) => requestAnimationFrame(() => setTimeout(() => setTimeout(looked)))),
  );
  const lastButOne = inPageOrder(people.users.map(({ name }) => name)).at(-2);
  const leaver = people.users.find(({ name }) => name === lastButOne);
  people.leave(leaver);
  await expect(visitor.count).toHaveText("59");
  await expect
    .poll(async () => (await departures()).map(({ name, moving }) => [name, moving]))
    .toEqual([[leaver?.name, 1]]);
});

declare global {
  interface Window {
    /** The names of the rows that were animated in. */
    moved: string[];
  }
}
