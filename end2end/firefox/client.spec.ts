// `<roll-call>` on a page of another origin, in Firefox.

import { readFileSync } from "node:fs";

import type { Page } from "puppeteer-core";

import { NO_CONNECTION } from "../support/browser-errors";
import { siteWith } from "../support/other-site";
import { snippetWith } from "../support/snippets";
import { UNTIL_RECONNECTED } from "../support/visitor";
import { expect, test } from "./driver/fixtures";

/** What each element of the page shows. */
function shown(page: Page) {
  return page.evaluate(() =>
    [...document.querySelectorAll("roll-call")].map(({ shadowRoot }) => {
      const text = (part: string) => shadowRoot!.querySelector<HTMLElement>(`[part=${part}]`)!.innerText;
      const [avatar] = shadowRoot!.querySelectorAll("[part=avatar]");
      return {
        count: text("count"),
        names: text("names"),
        note: text("note"),
        radius: avatar && getComputedStyle(avatar).borderTopLeftRadius,
      };
    }),
  );
}

/** What axe finds, as in appearance.ts, which drives another browser. */
async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
    return (await axe.run()).violations.map(({ id }) => id);
  });
}

test("two lines of the documentation show who is here, live, styled and accessible", async ({
  newVisitor,
  serverWith,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  browserErrors.areExpected(/CORS request did not succeed/);
  let body = "";
  const site = await siteWith(() => ({ body }));
  const server = await serverWith(["--allowed-origins", new URL(site.url).origin]);
  body = `<main><h1>Elsewhere</h1>${snippetWith("<roll-call", server, room)}</main>`;
  const bo = await clients.join(server, room, "<b>Bo</b>");
  const { page } = await newVisitor();
  await page.goto(site.url);
  const first = async () => (await shown(page))[0];
  const live = { note: "", radius: expect.stringContaining("px") };
  await expect.poll(first).toMatchObject({ ...live, count: "1 here now", names: "<b>Bo</b>" });
  expect(await axeViolations(page)).toEqual([]);
  await clients.join(server, room, "Cy");
  await expect.poll(first).toMatchObject({ ...live, count: "2 here now", names: "<b>Bo</b> and Cy" });
  bo.send({ event: "leave" });
  await expect.poll(first).toMatchObject({ ...live, count: "1 here now", names: "Cy" });
  await server.kill();
  await expect.poll(first).toMatchObject({ note: "Not live. Reconnecting…", names: "Cy" });
  await server.start();
  // Nobody of its list comes back.
  await expect.poll(first, UNTIL_RECONNECTED).toMatchObject({ note: "", names: "Nobody is here yet." });
  site.close();
});

test("seven rooms on one page are all live over HTTP/1.1", async ({ newVisitor, serverWith, clients, room }) => {
  const rooms = Array.from({ length: 7 }, (_, index) => `${room}-${index}`);
  let body = "";
  const site = await siteWith(() => ({ body }));
  const server = await serverWith(["--allowed-origins", new URL(site.url).origin]);
  const elements = rooms.map((each) => `<roll-call room="${each}"></roll-call>`).join("");
  body = `<script type="module" src="${server.url}/roll-call.js"></script>${elements}`;
  for (const each of rooms) await clients.join(server, each, "Ana");
  const visitor = await newVisitor();
  const streams: string[] = [];
  visitor.page.on("request", (request) => /\/events/.test(request.url()) && streams.push(request.url()));
  await visitor.page.goto(site.url);
  const counts = async () => (await shown(visitor.page)).map(({ count }) => count);
  await expect.poll(counts).toEqual(rooms.map(() => "1 here now"));
  for (const each of rooms) await clients.join(server, each, "Bo");
  await expect.poll(counts).toEqual(rooms.map(() => "2 here now"));
  expect(streams).toHaveLength(1);
  expect((await visitor.wire()).sockets).toEqual([]);
  site.close();
});
