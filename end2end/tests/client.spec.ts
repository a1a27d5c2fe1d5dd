// The JavaScript client and `<roll-call>` on a page of another origin.

import type { Page } from "@playwright/test";

import { expectNoAxeViolations } from "../support/appearance";
import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test as base } from "../support/fixtures";
import { openRequests } from "../support/open-requests";
import { siteWith, type OtherSite } from "../support/other-site";
import type { TestServer } from "../support/server";
import { snippetWith } from "../support/snippets";
import { UNTIL_A_ROW_IS_REMOVED, UNTIL_RECONNECTED } from "../support/visitor";

/** A page of another origin, and a server that allows it. */
interface Elsewhere {
  server: TestServer;
  site: OtherSite;
  /** Opens the page with this content. */
  show: (body: string, options?: { attributes?: string; headers?: Record<string, string> }) => Promise<Page>;
}

const test = base.extend<{ elsewhere: Elsewhere }>({
  elsewhere: async ({ newVisitor, serverWith }, use) => {
    let content: { body: string; attributes?: string; headers?: Record<string, string> } = { body: "" };
    const site = await siteWith(() => content);
    const server = await serverWith(["--allowed-origins", new URL(site.url).origin]);
    await use({
      server,
      site,
      show: async (body, options = {}) => {
        content = { body: `<main><h1>Elsewhere</h1>${body}</main>`, ...options };
        const { page } = await newVisitor();
        await page.goto(site.url);
        return page;
      },
    });
    site.close();
  },
});

const script = (server: { url: string }) => `<script type="module" src="${server.url}/roll-call.js"></script>`;
const element = (room: string, attributes = "") => `<roll-call room="${room}" ${attributes}></roll-call>`;
const faces = (page: Page) => page.getByRole("list", { name: "Who is here" }).getByRole("listitem");
const part = (page: Page, name: string) => page.locator(`roll-call [part=${name}]`);

test("two lines of the documentation show who is here: live, styled and accessible", async ({
  elsewhere: { server, show },
  clients,
  room,
}) => {
  const names = ["Ana Sousa", "<b>Bo</b>", "مريم الحداد", "李小龍"];
  await clients.joinInOrder(server, room, names);
  const page = await show(snippetWith("<roll-call", server, room));
  await expect(part(page, "count")).toHaveText("4 here now");
  await expect(faces(page)).toContainText(names);
  await expect(part(page, "avatar").first()).toHaveText("A\u200cS");
  await expect(part(page, "names")).toHaveText("Ana Sousa, <b>Bo</b>, مريم الحداد, and 1 more");
  await expect(part(page, "faces")).toHaveCSS("display", "flex");
  await expect(part(page, "avatar").first()).toHaveCSS("min-inline-size", "40px");
  await expect(part(page, "note")).toBeEmpty();
  await expectNoAxeViolations(page);

  const olu = await clients.join(server, room, "Olu");
  await expect(faces(page)).toContainText([...names, "Olu"]);
  // What is heard: not the list that was there, but what happens.
  const status = page.getByRole("status");
  await expect(status).toHaveText("Olu joined.");
  olu.send({ event: "leave" });
  await expect(faces(page)).toContainText(names);
  await expect(part(page, "count")).toHaveText("4 here now");
  await expect(status).toHaveText("Olu left.");
});

test("element with a name is on the list for as long as it is in the page", async ({
  elsewhere: { server, show },
  newVisitor,
  room,
}) => {
  const bo = await newVisitor({ of: server });
  await bo.openAndJoin(room, "Bo");
  const page = await show(script(server) + element(room, `name="Ana"`));
  await bo.shows(["Bo", "Ana"]);
  await expect(part(page, "count")).toHaveText("2 here now");
  await page.locator("roll-call").evaluate((element) => element.setAttribute("name", "Ann"));
  await bo.shows(["Bo", "Ann"]);
  await page.locator("roll-call").evaluate((element) => element.remove());
  await bo.shows(["Bo"], UNTIL_A_ROW_IS_REMOVED);
});

test("reload of a page of the same site is seen by nobody, and its tabs are one row", async ({
  newVisitor,
  serverWith,
  room,
}) => {
  let body = "";
  const site = await siteWith(() => ({ body }), "127.0.0.1");
  const server = await serverWith(["--allowed-origins", new URL(site.url).origin]);
  body = script(server) + element(room, `name="Ana"`);
  const bo = await newVisitor({ of: server });
  await bo.openAndJoin(room, "Bo");
  const ana = await newVisitor();
  await ana.page.goto(site.url);
  await bo.shows(["Bo", "Ana"]);
  const tab = await ana.openTab();
  await tab.page.goto(site.url);
  await expect(part(tab.page, "names")).toHaveText("Bo and Ana");
  await tab.page.close();
  for (let time = 0; time < 3; time += 1) {
    await ana.page.reload();
    await expect(part(ana.page, "names")).toHaveText("Bo and Ana");
  }
  const sent = JSON.stringify(bo.wire.received.filter(({ event }) => event === "changes"));
  expect(sent.match(/new_user/g)).toHaveLength(1);
  expect(sent).not.toContain("disconnect_user");
  site.close();
});

test("where no WebSocket gets through the list is live, and the visitor joins as soon as one does", async ({
  elsewhere: { server, show },
  networkTo,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.join(server, room, "Bo");
  const network = await networkTo(server);
  network.setCondition("no-websockets");
  const page = await show(script(network) + element(room, `name="Ana"`));
  await expect(part(page, "count")).toHaveText("1 here now");
  await clients.join(server, room, "Cy");
  await expect(part(page, "names")).toHaveText("Bo and Cy");
  await expect(part(page, "note")).toBeEmpty();
  network.setCondition("clear");
  await expect(part(page, "names")).toHaveText("Bo, Cy, and Ana", UNTIL_RECONNECTED);
});

test("client of the documentation lists its visitor and follows the room", async ({
  elsewhere: { server, show },
  clients,
  room,
}) => {
  await clients.join(server, room, "Bo");
  const page = await show(snippetWith("import { Room }", server, room));
  const people = page.getByRole("listitem");
  await expect(people).toHaveText(["Bo", "Ana"]);
  await clients.join(server, room, "Cy");
  await expect(people).toHaveText(["Bo", "Ana", "Cy"]);
});

test("page of the documentation reads the list without a script of Rollcall", async ({
  elsewhere: { server, show },
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, ["Ana", "Bo"]);
  const page = await show(snippetWith("fetch(", server, room));
  await expect(page.getByRole("status")).toHaveText("Ana, Bo");
});

test("seven rooms on one page are one connection over HTTP/1.1", async ({
  elsewhere: { server, show },
  clients,
  room,
}) => {
  const rooms = Array.from({ length: 7 }, (_, index) => `${room}-${index}`);
  for (const each of rooms) await clients.join(server, each, "Ana");
  const page = await show(rooms.map((each) => element(each)).join(""));
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  const addresses = openRequests(page, /\/api\//);
  await page.addScriptTag({ type: "module", url: `${server.url}/roll-call.js` });
  for (const count of await part(page, "count").all()) await expect(count).toHaveText("1 here now");
  for (const each of rooms) await clients.join(server, each, "Bo");
  for (const count of await part(page, "count").all()) await expect(count).toHaveText("2 here now");
  await expect.poll(addresses).toEqual([expect.stringContaining(`/api/events?rooms=${rooms.join()}&`)]);
  expect(sockets).toEqual([]);

  // When one comes or goes, the others stay live.
  await page.evaluate((room) => {
    document.querySelector("roll-call")!.remove();
    document.body.append(Object.assign(document.createElement("roll-call"), { id: "new" }));
    document.querySelector("#new")!.setAttribute("room", room);
  }, `${room}-new`);
  await expect(page.locator("#new [part=names]")).toHaveText("Nobody is here yet.");
  for (const each of rooms.slice(1)) await clients.join(server, each, "Cy");
  for (const count of (await part(page, "count").all()).slice(0, 6)) await expect(count).toHaveText("3 here now");
  await expect.poll(() => addresses().length).toBe(1);
});

test("element works under a strict policy and on an isolated page", async ({
  elsewhere: { server, show },
  clients,
  room,
}) => {
  await clients.join(server, room, "Ana");
  const socket = server.url.replace("http", "ws");
  const policy = [
    `default-src 'none'; script-src ${server.url}; connect-src ${server.url} ${socket}; img-src data:`,
    "require-trusted-types-for 'script'; trusted-types 'none'",
  ];
  const headers = {
    "content-security-policy": policy.join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  };
  // CORS, as without it an isolated page loads no script of another origin.
  const page = await show(script(server) + element(room) + element(room, `name="Bo"`), { headers });
  await expect(part(page, "count").first()).toHaveText("2 here now");
  await expect(part(page, "faces").first()).toHaveCSS("display", "flex");
  await expect(part(page, "avatar").first()).not.toHaveCSS("background-color", "rgba(0, 0, 0, 0)");
});

test("element keeps its list over a break, says that it is not live, and comes back", async ({
  elsewhere: { server, show },
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.join(server, room, "Ana");
  const page = await show(script(server) + element(room) + element(room, `name="Bo"`));
  for (const count of await part(page, "count").all()) await expect(count).toHaveText("2 here now");
  await server.kill();
  for (const note of await part(page, "note").all()) await expect(note).toHaveText("Not live. Reconnecting…");
  await expect(page.locator("roll-call[data-stale]")).toHaveCount(2);
  for (const names of await part(page, "names").all()) await expect(names).toHaveText("Ana and Bo");
  await server.start();
  for (const note of await part(page, "note").all()) await expect(note).toBeEmpty(UNTIL_RECONNECTED);
  await clients.join(server, room, "Cy");
  // The next process holds the rows of the killed one for a while, and the element has room for three names.
  await expect(part(page, "names").first()).toContainText("Cy", UNTIL_RECONNECTED);
});

test("page of an origin that is not allowed gets no name, and its element says why", async ({
  elsewhere: { show },
  server,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  browserErrors.areExpected(/blocked by CORS policy|status of 403/);
  await clients.join(server, room, "Ana");
  // This server does not allow the page.
  const page = await show(script(server) + element(room) + element(room, `name="Bo"`));
  for (const note of await part(page, "note").all()) await expect(note).toContainText("allowed-origins");
  await expect(page.getByText("Ana")).toHaveCount(0);
  await expectNoAxeViolations(page);
});

test("element says how many more there are, and shows who is away", async ({
  elsewhere: { server, show },
  clients,
  room,
}) => {
  const [, bo] = await clients.joinInOrder(server, room, ["Ana", "Bo", "Cy", "Di", "Ed"]);
  const page = await show(script(server) + element(room, `max="2"`));
  await expect(faces(page)).toHaveCount(3);
  await expect(faces(page).last()).toContainText("+3");
  await expect(part(page, "names")).toHaveText("Ana, Bo, Cy, and 2 more");
  bo!.abandon();
  await expect(faces(page).nth(1)).toHaveAttribute("data-state", "reconnecting");
  await expect(faces(page).nth(1)).toContainText("Bo, reconnecting");
  await page.locator("roll-call").evaluate((element) => element.setAttribute("max", "9"));
  await expect(faces(page)).toHaveCount(5);
});

test("element follows the page's colours and direction, and can be styled", async ({
  elsewhere: { server, show },
  clients,
  room,
}) => {
  await clients.join(server, room, "Ana");
  const style = `<style>:root { color-scheme: light dark } #own { --rollcall-accent: rgb(1, 2, 3) }
    #own::part(avatar) { border-radius: 4px }</style>`;
  const body = style + script(server) + element(room) + element(room, `id="own"`);
  const page = await show(body, { attributes: `dir="rtl"` });
  await expect(part(page, "count").first()).toHaveText("1 here now");
  const first = page.locator("roll-call").first();
  for (const [colorScheme, background] of [
    ["light", "rgb(247, 242, 232)"],
    ["dark", "rgb(19, 21, 25)"],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(first).toHaveCSS("background-color", background);
    await expectNoAxeViolations(page);
  }
  const [face, list] = [await faces(page).first().boundingBox(), await part(page, "faces").first().boundingBox()];
  expect(face!.x + face!.width).toBeCloseTo(list!.x + list!.width, 0);
  await expect(page.locator("#own [part=number]")).toHaveCSS("color", "rgb(1, 2, 3)");
  await expect(page.locator("#own [part=avatar]")).toHaveCSS("border-radius", "4px");
});

test("element speaks the language that its page gives it", async ({ elsewhere: { server, show }, clients, room }) => {
  await clients.joinInOrder(server, room, ["Ana", "Bo", "Cy", "Di", "Ed"]);
  const texts = `{ language: "de", whoIsHere: "Wer ist da", hereNow: "gerade da", more: "weitere" }`;
  const page = await show(`${element(room)}<script type="module">
    import { TEXTS } from "${server.url}/roll-call.js";
    Object.assign(TEXTS, ${texts});
  </script>`);
  await expect(part(page, "count")).toHaveText("5 gerade da");
  await expect(part(page, "names")).toHaveText("Ana, Bo, Cy und 2 weitere");
  await expect(page.getByRole("list", { name: "Wer ist da" })).toBeVisible();
});

test("element says why a name is refused, until it has another one", async ({ elsewhere: { server, show }, room }) => {
  const page = await show(script(server) + element(room, `name="${"A".repeat(101)}"`));
  await expect(part(page, "note")).toContainText("100");
  await expect(part(page, "count")).toHaveText("0 here now");
  await page.locator("roll-call").evaluate((element) => element.setAttribute("name", "Ana"));
  await expect(part(page, "count")).toHaveText("1 here now");
  await expect(part(page, "note")).toBeEmpty();
});

test("room that can't be one is shown as an error", async ({ elsewhere: { server, show } }) => {
  const page = await show(script(server) + element("a_b"));
  await expect(part(page, "note")).toContainText("is no room: 1 to 64");
  await expect(part(page, "count")).toHaveText("– here now");
});
