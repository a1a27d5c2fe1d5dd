// How much the embed shows in its frame, and the height that it asks its host page for.

import type { Page } from "@playwright/test";

import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll } from "../support/layout";
import { numberedPeople } from "../support/names";
import { siteWithFrames } from "../support/other-site";

const FRAME = { width: 400, height: 160 };

/** What the embed sends to the page around it: the README has it. */
interface HeightMessage {
  type: "rollcall:height";
  room: string;
  height: number;
}

/** The messages that frames sent to the page. */
async function messagesTo(page: Page): Promise<() => Promise<{ data: HeightMessage; origin: string }[]>> {
  await page.addInitScript(() => {
    if (top !== self) return;
    const messages: unknown[] = [];
    addEventListener("message", ({ data, origin }) => messages.push({ data, origin }));
    Object.assign(window, { messages });
  });
  return () => page.evaluate(() => (window as unknown as { messages: [] }).messages);
}

test("the embed tells its host page another height whenever it needs one", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const { page } = await newVisitor();
  const messages = await messagesTo(page);
  const heights = async () => (await messages()).map(({ data }) => data.height);
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`]);
  await page.goto(site.url);
  await expect.poll(heights).toHaveLength(1);
  const [first] = await messages();
  expect(first).toEqual({
    data: { type: "rollcall:height", room, height: first!.data.height },
    origin: server.url,
  });
  const faces = page.frameLocator("iframe").locator(".face");

  // Faces in a line need more than the sentence of an empty room, and faces in two lines more than that.
  const one = await clients.join(server, room, "Ana");
  await expect.poll(heights).toHaveLength(2);
  await clients.joinTogether(server, room, numberedPeople(20));
  await expect(faces).toHaveCount(21);
  await expect.poll(heights).toHaveLength(3);
  const [empty, line, lines] = await heights();
  expect(line!).toBeGreaterThan(empty!);
  expect(lines!).toBeGreaterThan(line! + 40);

  // The same height again is not told.
  one.send({ event: "leave" });
  await expect(faces).toHaveCount(20);
  expect(await heights()).toHaveLength(3);
  site.close();
});

test("a sandboxed frame tells its height as well, and whatever hears it knows its room alone", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.join(server, room, "Ana");
  const { page } = await newVisitor();
  const messages = await messagesTo(page);
  const site = await siteWithFrames([`${server.url}/r/${room}/embed`], { attributes: `sandbox="allow-scripts"` });
  await page.goto(site.url);
  await expect.poll(messages).toHaveLength(1);
  const [{ data, origin }] = (await messages()) as [{ data: HeightMessage; origin: string }];
  expect(origin).toBe("null");
  expect(Object.keys(data).sort()).toEqual(["height", "room", "type"]);
  site.close();
});

for (const [lang, direction, rest] of [
  ["de", "ltr", /^\+1\.5\d\d$/],
  ["en", "ltr", /^\+1,5\d\d$/],
  ["ar", "rtl", /^\+1,5\d\d$/],
] as const) {
  test(`the embed with ?lang=${lang} has the numbers and the direction of that language`, async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    await clients.joinTogether(server, room, numberedPeople(30));
    const { page } = await newVisitor({ viewport: FRAME });
    // As in a room of 1,530 people.
    await page.route(/\/embed/, async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace('data-count="30"', 'data-count="1530"');
      await route.fulfill({ response, body });
    });
    await page.goto(`/r/${room}/embed?lang=${lang}`);
    await expect(page.locator("html")).toHaveAttribute("lang", lang);
    await expect(page.locator("html")).toHaveAttribute("dir", direction);
    const more = page.locator(".rest");
    await expect(more).toHaveText(rest);
    await expect(more).toBeInViewport({ ratio: 1 });
    await expectNoHorizontalScroll(page);
    // The names are on one line below the faces, which begin where the language does.
    const [faces, names] = [(await page.locator(".faces").boundingBox())!, (await page.locator(".names").boundingBox())!];
    expect(names.y).toBeGreaterThanOrEqual(faces.y + faces.height);
    expect(names.height).toBeLessThan(30);
    const first = (await page.locator(".face").first().boundingBox())!;
    const distance = direction === "ltr" ? first.x : FRAME.width - first.x - first.width;
    expect(distance).toBeLessThan(20);
  });
}

test("the embed fits very narrow frames and those of one line", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, ["Ana", "Wolfeschlegelsteinhausen", "山田太郎", "Bo", "Kim"]);
  const { page } = await newVisitor();
  await page.goto(`/r/${room}/embed`);
  await expect(page.locator("html")).toHaveAttribute("data-hydrated", "true");
  for (const width of [80, 100, 122]) {
    await page.setViewportSize({ width, height: 160 });
    await expectNoHorizontalScroll(page);
  }
  await page.setViewportSize({ width: 1200, height: 40 });
  for (const part of [".number", ".unit >> nth=0", "h1 a"]) {
    await expect(page.locator(part)).toBeInViewport({ ratio: 1 });
  }
});
