// The embed of a room in a frame on another site.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import AxeBuilder from "@axe-core/playwright";
import type { Route } from "@playwright/test";

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll } from "../support/layout";
import { numberedPeople } from "../support/names";
import { UNTIL_RECONNECTED } from "../support/visitor";

/** The most bytes that the embed may transfer, as sent. */
const MOST_BYTES = 20_000;

const NAMES = ["Ana Sousa", "<b>Bo</b>", "مريم الحداد", "李小龍", "🙂 Sunny"];

/** Another site, whose only page has the frame of the README. */
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

test("the embed shows a live list on another site, and does not join the room", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor();
  const site = await siteWithFrame(`${server.url}/r/${room}/embed`);
  await visitor.page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
  const frame = visitor.page.frameLocator("iframe");
  const faces = frame.getByRole("list", { name: "Who is here" }).getByRole("listitem");
  await expect(frame.getByTestId("count")).toHaveText("5");
  await expect(faces).toContainText(NAMES);

  const olu = await clients.join(server, room, "Olu");
  await expect(faces).toContainText([...NAMES, "Olu"]);
  await expect(frame.getByTestId("count")).toHaveText("6");
  olu.send({ event: "leave" });
  await expect(faces).toContainText(NAMES);
  await expect(faces).toHaveCount(NAMES.length);

  expect(visitor.wire.sockets).toEqual([]);
  expect(await visitor.context.cookies()).toEqual([]);
  site.close();
});

test("the embed transfers few bytes, whatever happens in the room", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const names = numberedPeople(200);
  await clients.joinTogether(server, room, names);
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

  // Many changes at once cause few requests.
  const before = paths.length;
  const more = Array.from({ length: 60 }, (_, index) => `Newcomer ${index + 1}`);
  await clients.joinTogether(server, room, more);
  await expect(visitor.page.getByTestId("count")).toHaveText("260");
  expect(paths.length - before).toBeLessThan(20);
});

test("the embed shows when it is not live, and reconnects by itself", async ({
  newVisitor,
  ownServer,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.joinInOrder(ownServer, room, ["Ana"]);
  const visitor = await newVisitor({ of: ownServer });
  await visitor.page.goto(`/r/${room}/embed`);
  const notLive = visitor.page.getByText("Not live");
  await expect(notLive).toBeHidden();
  await ownServer.kill();
  await expect(notLive).toBeVisible();
  await ownServer.start();
  await expect(notLive).toBeHidden(UNTIL_RECONNECTED);
  await clients.join(ownServer, room, "Bo");
  await expect(visitor.page.getByRole("listitem").filter({ hasText: "Bo" })).toHaveCount(1);
});

test("a failed update is shown as not live and retried later, and the focus is kept", async ({
  newVisitor,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.joinInOrder(server, room, ["Ana"]);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.clock.install();
  await page.goto(`/r/${room}/embed`);
  const link = page.getByRole("link", { name: room });
  await link.focus();
  const faces = page.getByRole("listitem");
  await clients.join(server, room, "Bo");
  await expect(faces).toHaveCount(2);
  await expect(link).toBeFocused();

  // The request fails, or a proxy answers in the server's place.
  for (const [answer, newcomer, count] of [
    [(route: Route) => route.abort(), "Cy", 3],
    [(route: Route) => route.fulfill({ body: "<p>Please log in.</p>" }), "Di", 4],
  ] as const) {
    await page.route("**/embed", answer);
    await clients.join(server, room, newcomer);
    await expect(page.getByText("Not live")).toBeVisible();
    await expect(faces).toHaveCount(count - 1);
    await page.unroute("**/embed");
    await page.clock.fastForward(15_000);
    await expect(faces).toHaveCount(count);
    await expect(page.getByText("Not live")).toBeHidden();
  }
  await expect(link).toBeFocused();
});

test("a change during an update causes another update", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, ["Ana"]);
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
  await clients.join(server, room, "Bo");
  await drawn;
  // The event of Cy's join comes while an older rendering is on its way.
  await page.evaluate(
    (room) =>
      new Promise((isOpen) => {
        const feed = new EventSource(`/api/rooms/${room}/events`);
        feed.addEventListener("existing_users", isOpen);
        feed.addEventListener("changes", () => (document.title = "told"));
      }),
    room,
  );
  await clients.join(server, room, "Cy");
  await expect(page).toHaveTitle("told");
  bring();
  await expect(faces).toHaveCount(3);
});

test("an embed whose feed is silent shows that it is not live", async ({
  newVisitor,
  networkTo,
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.joinInOrder(server, room, ["Ana"]);
  const network = await networkTo(server);
  const visitor = await newVisitor({ of: network });
  const { page } = visitor;
  await page.clock.install();
  await page.goto(`/r/${room}/embed`);
  await expect(page.getByRole("listitem")).toHaveCount(1);
  await expect(page.getByText("Not live")).toBeHidden();
  network.setCondition("silent");
  await page.clock.fastForward(15_000);
  await expect(page.getByText("Not live")).toBeVisible();
  network.setCondition("clear");
  await page.clock.fastForward(15_000);
  await expect(page.getByText("Not live")).toBeHidden();
});

test("the embed has no axe violations and no horizontal scrolling", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  const visitor = await newVisitor({ reducedMotion: "reduce" });
  const names = Array.from({ length: 30 }, (_, index) => `${NAMES[index % 5]} ${index}`);
  await clients.joinInOrder(server, room, names);
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

test("without scripts the embed is shown and reloads by itself", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, ["Ana", "Bo"]);
  const visitor = await newVisitor({ javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}/embed`);
  await expect(visitor.page.getByTestId("count")).toHaveText("2");
  await expect(visitor.page.locator("meta[http-equiv=refresh]")).toHaveCount(1);
});
