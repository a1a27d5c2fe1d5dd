// Rooms with ten thousand people: virtual scrolling, search and sorting.

import { BigRoom } from "../support/big-room";
import { expect, test } from "../support/fixtures";
import { inPageOrder, numberedPeople } from "../support/names";

const MANY = 10_000;

/** More rows than any window in these tests shows, with the overscan. */
const MOST_ROWS_IN_THE_PAGE = 130;

test("only the visible ones of ten thousand rows are in the page, at any scroll position", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  await BigRoom.openedBy(visitor, room, MANY);
  await expect(visitor.page).toHaveTitle(/10,000/);
  const order = inPageOrder(numberedPeople(MANY));
  for (const place of [0, 0.31, 0.77, 1, 0.5, 0]) {
    await visitor.page.evaluate((place) => {
      const { scrollHeight, clientHeight } = document.documentElement;
      scrollTo(0, (scrollHeight - clientHeight) * place);
    }, place);
    await expect.poll(() => visitor.isFilled()).toBe(true);
    expect(await visitor.rows.count()).toBeLessThan(MOST_ROWS_IN_THE_PAGE);
    const first = visitor.rows.first();
    const number = Number(await first.getAttribute("aria-posinset"));
    await expect(first.locator("bdi.user-name")).toHaveText(order[number - 1] ?? "");
    await expect(first).toHaveAttribute("aria-setsize", String(MANY));
  }
});

test("a long list keeps its height while new rows are animated", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  await BigRoom.openedBy(visitor, room, MANY);
  // The size of a row in the middle of its animation.
  await visitor.page.evaluate(() => {
    const style = new CSSStyleSheet();
    style.replaceSync("#roster > li { transform: scale(1.03); }");
    document.adoptedStyleSheets = [style];
  });
  const height = () => visitor.roster.evaluate((list: HTMLElement) => list.offsetHeight);
  const whole = await height();
  for (const place of [0.31, 0.77, 1, 0]) {
    await visitor.page.evaluate((place) => scrollTo(0, document.body.scrollHeight * place), place);
    await expect.poll(() => visitor.isFilled()).toBe(true);
    expect(await height()).toBe(whole);
  }
});

test("search is disabled until the whole list has loaded", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinTogether(server, room, numberedPeople(220));
  const visitor = await newVisitor();
  const { page } = visitor;
  // The socket opens and brings no list.
  await page.routeWebSocket(/\/socket$/, () => undefined);
  await page.goto(`/r/${room}`);
  await expect(visitor.html).toHaveAttribute("data-hydrated", "true");
  await expect(visitor.joinButton).toBeEnabled();
  await expect(visitor.searchField).toBeDisabled();

  const another = await newVisitor();
  await another.open(room);
  await another.searchField.fill("Person 21");
  await expect(another.found).toHaveText("11 of 220");
});

test("the search field keeps the focus while people join and the list is scrolled", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  const people = await BigRoom.openedBy(visitor, room, 600);
  await visitor.searchField.focus();
  await visitor.page.evaluate(() => {
    Object.assign(window, { wasTakenAway: false });
    const field = document.activeElement;
    field?.addEventListener("blur", () => Object.assign(window, { wasTakenAway: true }));
  });
  for (let time = 1; time <= 20; time += 1) {
    // The second change waits for the throttle, and scrolling renders rows before that.
    people.join();
    people.join();
    await visitor.page.evaluate(async (time) => {
      scrollTo(0, time % 2 ? 3_000 : 0);
      await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
    }, time);
  }
  await expect(visitor.count).toHaveText("640");
  await expect(visitor.searchField).toBeEnabled();
  expect(await visitor.page.evaluate(() => (window as never as { wasTakenAway: boolean }).wasTakenAway)).toBe(false);
});

test("the keyboard scrolls to the end of a long list", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  await BigRoom.openedBy(visitor, room, MANY);
  await visitor.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await visitor.page.keyboard.press("End");
  await expect(visitor.rows.last().locator("bdi.user-name")).toHaveText("Person 9999");
  await visitor.page.keyboard.press("Home");
  await expect(visitor.rows.first().locator("bdi.user-name")).toHaveText("Person 1");
});

test("search matches parts of names, and an empty query shows everyone", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  const people = await BigRoom.openedBy(visitor, room, MANY);
  people.join("Jürgen Weiß");
  await visitor.searchField.fill("jurgen");
  await expect(visitor.names).toHaveText(["Jürgen Weiß"]);
  await expect(visitor.found).toHaveText("1 of 10,001");
  await expect(visitor.rows.first()).not.toHaveAttribute("aria-setsize");

  // A new person who matches is shown; one who does not is only counted.
  people.join("jurgen 2");
  people.join("Somebody");
  await expect(visitor.names).toHaveText(["jurgen 2", "Jürgen Weiß"]);
  await expect(visitor.count).toHaveText("10,003");

  await visitor.searchField.fill("nobody has this name");
  await expect(visitor.rows).toHaveCount(0);
  await expect(visitor.found).toContainText("No one here matches");
  await visitor.searchField.fill("");
  await expect(visitor.found).toHaveText("");
  await expect(visitor.names.first()).toHaveText("jurgen 2");
});

test("a new row does not move the row under the pointer", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const visitor = await newVisitor();
  await clients.joinInOrder(server, room, ["Kim", "Émile", "bo", "Zoe"]);
  await visitor.open(room);
  await expect(visitor.names).toHaveText(["bo", "Émile", "Kim", "Zoe"]);

  await visitor.names.filter({ hasText: "Kim" }).hover();
  const before = await visitor.names.filter({ hasText: "Kim" }).boundingBox();
  await clients.join(server, room, "Ana");
  await expect(visitor.names).toHaveText(["bo", "Émile", "Kim", "Zoe", "Ana"]);
  expect(await visitor.names.filter({ hasText: "Kim" }).boundingBox()).toEqual(before);

  await visitor.roomName.hover();
  await expect(visitor.names).toHaveText(["Ana", "bo", "Émile", "Kim", "Zoe"]);
  await visitor.toggle("newestFirstButton");
  await expect(visitor.names).toHaveText(["Ana", "Zoe", "bo", "Émile", "Kim"]);
});

test("the first HTML of a long list has 200 rows and the number of the others", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const names = numberedPeople(230);
  await clients.joinTogether(server, room, names);
  const visitor = await newVisitor();
  const html = await (await visitor.context.request.get(`/r/${room}`)).text();
  expect(html.match(/<li[^>]* data-user-id=/g)).toHaveLength(200);
  expect(html).toContain("and 30 more");
  expect(html).toContain('aria-setsize="230"');
  await visitor.open(room);
  await expect(visitor.count).toHaveText("230");
  await expect(visitor.page.getByText("and 30 more")).toHaveCount(0);
  await expect.poll(() => visitor.rows.count()).toBeLessThan(MOST_ROWS_IN_THE_PAGE);
});

test("a row that was out of view during hydration is updated", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const names = numberedPeople(150);
  await clients.joinTogether(server, room, names);
  const zoe = await newVisitor();
  await zoe.openAndJoin(room, "Zoe");
  const visitor = await newVisitor();
  await visitor.open(room);
  // Without any change, rows out of view are removed once the list is live.
  await expect.poll(() => visitor.rows.count()).toBeLessThan(MOST_ROWS_IN_THE_PAGE);

  await zoe.rename("Zora");
  await visitor.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await visitor.page.keyboard.press("End");
  await expect(visitor.rows.last().locator("bdi.user-name")).toHaveText("Zora");
  await expect(visitor.rows.last()).toHaveAttribute("aria-posinset", "151");
  await visitor.page.keyboard.press("Home");
  await expect(visitor.rows.first()).toHaveAttribute("aria-posinset", "1");
  await expect.poll(() => visitor.isFilled()).toBe(true);
});

test("rows that are scrolled into view are hydrated before the list is live", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const names = numberedPeople(150);
  await clients.joinInOrder(server, room, names);
  const visitor = await newVisitor();
  // A server that sends nothing yet.
  await visitor.page.routeWebSocket(/\/socket/, () => undefined);
  await visitor.page.goto(`/r/${room}`);
  await expect(visitor.html).toHaveAttribute("data-hydrated", "true");
  await expect(visitor.rows).toHaveCount(names.length);
  await expect
    .poll(async () => {
      await visitor.page.evaluate(() => scrollBy(0, document.body.scrollHeight));
      return visitor.rows.count();
    })
    .toBeLessThan(MOST_ROWS_IN_THE_PAGE);
  await expect(visitor.rows.last().locator("bdi.user-name")).toHaveText("Person 99");
  await expect(visitor.rows.last()).toHaveAttribute("aria-posinset", "150");
  expect(await visitor.isFilled()).toBe(true);
  await expect(visitor.html).not.toHaveAttribute("data-live");
});
