// The view of a room in a frame on somebody else's page.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import AxeBuilder from "@axe-core/playwright";
import type { Route } from "@playwright/test";

import { NO_CONNECTION } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll } from "../support/layout";
import { numberedPeople } from "../support/names";
import { UNTIL_A_PAGE_HAS_HEALED } from "../support/visitor";

/** Bytes of all that the view transfers, as it is sent. */
const MOST_BYTES = 20_000;

const NAMES = ["Ana Sousa", "<b>Bo</b>", "مريم الحداد", "李小龍", "🙂 Sunny"];

/** A site of somebody else's, whose only page has a frame as the README shows it. */
async function siteWithFrame(url: string): Promise<Server> {
  const body =
    `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Elsewhere</title>` +
    `<iframe src="${url}" title="Who is here" width="400" height="240"></iframe>`;
  const site = createServer((_, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8").end(body);
  });
  site.listen(0, "localhost");
  await once(site, "listening");
  return site;
}

test("a frame elsewhere shows who is here, live, and nobody is listed by it", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  await crowd.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  const site = await siteWithFrame(`${server.url}/r/${room}/embed`);
  await visitor.page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
  const frame = visitor.page.frameLocator("iframe");
  const faces = frame.getByRole("list", { name: "Who is here" }).getByRole("listitem");
  await expect(frame.getByTestId("count")).toHaveText("5");
  await expect(faces).toContainText(NAMES);

  const olu = await crowd.join(server, room, "Olu");
  await expect(faces).toContainText([...NAMES, "Olu"]);
  await expect(frame.getByTestId("count")).toHaveText("6");
  olu.send({ event: "leave" });
  await expect(faces).toContainText(NAMES);
  await expect(faces).toHaveCount(NAMES.length);

  expect(visitor.wire.sockets).toEqual([]);
  expect(await visitor.context.cookies()).toEqual([]);
  site.close();
});

test("the view is small, whatever goes on in the room", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  const names = numberedPeople(200);
  await crowd.joinTogether(server, room, names);
  const visitor = await newVisitor();
  const sizes: Promise<number>[] = [];
  const paths: string[] = [];
  visitor.page.on("requestfinished", (request) => {
    paths.push(new URL(request.url()).pathname);
    sizes.push(
      request.sizes().then(({ responseBodySize, responseHeadersSize }) => {
        return responseBodySize + responseHeadersSize;
      }),
    );
  });
  await visitor.page.goto(`/r/${room}/embed`);
  await expect(visitor.page.getByRole("listitem")).toHaveCount(24);
  await visitor.page.waitForLoadState("load");
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  console.log(`The embed transfers ${bytes} bytes: ${paths.join(" ")}.`);
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  expect(paths.filter((path) => path.endsWith(".wasm"))).toEqual([]);

  // Many changes at once are few requests.
  const before = paths.length;
  const more = Array.from({ length: 60 }, (_, index) => `Newcomer ${index + 1}`);
  await crowd.joinTogether(server, room, more);
  await expect(visitor.page.getByTestId("count")).toHaveText("260");
  expect(paths.length - before).toBeLessThan(20);
});

test("the view says when it is not live, and is live again by itself", async ({
  newVisitor,
  mortalServer,
  crowd,
  complaints,
  room,
}) => {
  complaints.areProvoked(NO_CONNECTION);
  await crowd.joinInOrder(mortalServer, room, ["Ana"]);
  const visitor = await newVisitor({ of: mortalServer });
  await visitor.page.goto(`/r/${room}/embed`);
  const notLive = visitor.page.getByText("Not live");
  await expect(notLive).toBeHidden();
  await mortalServer.kill();
  await expect(notLive).toBeVisible();
  await mortalServer.start();
  await expect(notLive).toBeHidden(UNTIL_A_PAGE_HAS_HEALED);
  await crowd.join(mortalServer, room, "Bo");
  await expect(visitor.page.getByRole("listitem").filter({ hasText: "Bo" })).toHaveCount(1);
});

test("what could not be drawn is not shown as live, and is drawn later; the keyboard stays where it is", async ({
  newVisitor,
  server,
  crowd,
  complaints,
  room,
}) => {
  complaints.areProvoked(NO_CONNECTION);
  await crowd.joinInOrder(server, room, ["Ana"]);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.clock.install();
  await page.goto(`/r/${room}/embed`);
  const link = page.getByRole("link", { name: room });
  await link.focus();
  const faces = page.getByRole("listitem");
  await crowd.join(server, room, "Bo");
  await expect(faces).toHaveCount(2);
  await expect(link).toBeFocused();

  // Nobody answers, or somebody who knows nothing of the room.
  for (const [answer, newcomer, count] of [
    [(route: Route) => route.abort(), "Cy", 3],
    [(route: Route) => route.fulfill({ body: "<p>Please log in.</p>" }), "Di", 4],
  ] as const) {
    await page.route("**/embed", answer);
    await crowd.join(server, room, newcomer);
    await expect(page.getByText("Not live")).toBeVisible();
    await expect(faces).toHaveCount(count - 1);
    await page.unroute("**/embed");
    await page.clock.fastForward(15_000);
    await expect(faces).toHaveCount(count);
    await expect(page.getByText("Not live")).toBeHidden();
  }
  await expect(link).toBeFocused();
});

test("a change that comes while the view is drawn is drawn as well", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  await crowd.joinInOrder(server, room, ["Ana"]);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.goto(`/r/${room}/embed`);
  const faces = page.getByRole("listitem");
  await expect(faces).toHaveCount(1);
  let bring = (): void => undefined;
  const brought = new Promise<void>((resolve) => (bring = resolve));
  const drawn = new Promise<void>((resolve) => {
    void page.route("**/embed", async (route) => {
      const answer = await route.fetch();
      resolve();
      await brought;
      await route.fulfill({ response: answer });
    });
  });
  await crowd.join(server, room, "Bo");
  await drawn;
  // The page is told of Cy while the drawing that does not know of them is on its way.
  await page.evaluate(
    (room) =>
      new Promise((isOpen) => {
        const feed = new EventSource(`/api/rooms/${room}/events`);
        feed.addEventListener("existing_users", isOpen);
        feed.addEventListener("changes", () => (document.title = "told"));
      }),
    room,
  );
  await crowd.join(server, room, "Cy");
  await expect(page).toHaveTitle("told");
  bring();
  await expect(faces).toHaveCount(3);
});

test("a view whose feed falls silent says that it is not live", async ({
  newVisitor,
  networkBefore,
  server,
  crowd,
  complaints,
  room,
}) => {
  complaints.areProvoked(NO_CONNECTION);
  await crowd.joinInOrder(server, room, ["Ana"]);
  const network = await networkBefore(server);
  const visitor = await newVisitor({ of: network });
  const { page } = visitor;
  await page.clock.install();
  await page.goto(`/r/${room}/embed`);
  await expect(page.getByRole("listitem")).toHaveCount(1);
  await expect(page.getByText("Not live")).toBeHidden();
  network.turn("silent");
  await page.clock.fastForward(15_000);
  await expect(page.getByText("Not live")).toBeVisible();
  network.turn("clear");
  await page.clock.fastForward(15_000);
  await expect(page.getByText("Not live")).toBeHidden();
});

test("axe finds nothing in the view, and nothing is scrolled sideways", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  const visitor = await newVisitor({ reducedMotion: "reduce" });
  const names = Array.from({ length: 30 }, (_, index) => `${NAMES[index % 5]} ${index}`);
  await crowd.joinInOrder(server, room, names);
  await visitor.page.goto(`/r/${room}/embed`);
  for (const colorScheme of ["light", "dark"] as const) {
    await visitor.page.emulateMedia({ colorScheme });
    for (const width of [200, 320, 800]) {
      await visitor.page.setViewportSize({ width, height: 300 });
      await expectNoHorizontalScroll(visitor.page);
      expect((await new AxeBuilder({ page: visitor.page }).analyze()).violations).toEqual([]);
    }
  }
});

test("without scripts the view is there, and comes anew by itself", async ({
  newVisitor,
  server,
  crowd,
  room,
}) => {
  await crowd.joinInOrder(server, room, ["Ana", "Bo"]);
  const visitor = await newVisitor({ javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}/embed`);
  await expect(visitor.page.getByTestId("count")).toHaveText("2");
  await expect(visitor.page.locator("meta[http-equiv=refresh]")).toHaveCount(1);
});
