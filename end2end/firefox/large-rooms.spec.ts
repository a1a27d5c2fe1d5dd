// A long list in Firefox: virtual scrolling, search and sorting.

import { numberedPeople } from "../support/names";
import { expect, test } from "./driver/fixtures";

test("a room of 400 is searched, sorted and scrolled", async ({ newVisitor, server, clients, room }) => {
  await clients.joinTogether(server, room, [...numberedPeople(398), "Jürgen Weiß"]);
  await clients.join(server, room, "Zoë");
  const visitor = await newVisitor();
  await visitor.open(room);
  const { count, found, searchField, newestFirstButton } = visitor.elements;
  await expect.poll(() => count.text()).toBe("400");

  await searchField.fill("jurgen");
  await expect.poll(() => visitor.names.texts()).toEqual(["Jürgen Weiß"]);
  expect(await found.text()).toBe("1 of 400");
  await searchField.fill("nobody has this name");
  await expect.poll(() => visitor.rows.count()).toBe(0);
  await searchField.fill("");
  await expect.poll(() => found.text()).toBe("");

  await expect.poll(async () => (await visitor.names.texts()).at(0)).toBe("Jürgen Weiß");
  await visitor.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await visitor.page.keyboard.press("End");
  await expect.poll(async () => (await visitor.names.texts()).slice(-2)).toEqual(["Person 99", "Zoë"]);
  await visitor.page.keyboard.press("Home");
  await visitor.openMenu();
  await newestFirstButton.click();
  await expect.poll(async () => (await visitor.names.texts()).at(0)).toBe("Zoë");
});
