// What a page says where it can't be hydrated, or where no socket gets through: the cause, and what helps. The list
// follows nevertheless.

import type { Locator, Page } from "@playwright/test";

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import type { Rewrite } from "../support/rewriting-proxy";
import { UNTIL_RECONNECTED } from "../support/visitor";

/** Why the WASM does not run, and what the page says. */
const NOT_STARTED: {
  cause: string;
  sentence: RegExp;
  prepare?: (page: Page) => Promise<unknown>;
  rewrite?: Rewrite;
}[] = [
  {
    cause: "the browser has no WebAssembly",
    sentence: /WebAssembly turned off.*Lockdown Mode/,
    prepare: (page) => page.addInitScript("delete globalThis.WebAssembly"),
  },
  {
    cause: "a policy forbids WebAssembly",
    sentence: /Content-Security-Policy forbids WebAssembly/,
    rewrite: ({ headers }) => {
      const policy = String(headers["content-security-policy"]);
      headers["content-security-policy"] = policy.replace("'wasm-unsafe-eval'", "");
    },
  },
  {
    cause: "the WASM is refused",
    sentence: /a file that joining needs was refused/,
    prepare: (page) => page.route("**/*.wasm", (route) => route.fulfill({ status: 403 })),
  },
  {
    cause: "the script is missing",
    sentence: /a file that joining needs was refused/,
    prepare: (page) => page.route("**/pkg/*.js", (route) => route.fulfill({ status: 404 })),
  },
  {
    cause: "the script is blocked",
    sentence: /a content blocker or your network blocks a file/,
    prepare: (page) => page.route("**/pkg/*.js", (route) => route.abort("blockedbyclient")),
  },
];

for (const { cause, sentence, prepare, rewrite } of NOT_STARTED) {
  test(`page says why it only watches if ${cause}`, async ({
    newVisitor,
    changedBy,
    browserErrors,
    server,
    clients,
    room,
  }) => {
    browserErrors.areExpected(NO_CONNECTION);
    browserErrors.areExpected(/status of 40[34]|WebAssembly/);
    const visitor = await newVisitor({ of: rewrite ? await changedBy(rewrite) : server });
    await prepare?.(visitor.page);
    await clients.join(server, room, "Bo");
    await visitor.page.goto(`/r/${room}`);
    await expect(visitor.page.getByText(sentence)).toBeVisible();
    // No control without function is shown.
    await expect(visitor.page.locator("input, main button:disabled").filter({ visible: true })).toHaveCount(0);
    await expect(visitor.html).not.toHaveAttribute("data-hydrated");

    const kim = await clients.join(server, room, "Kim");
    await visitor.shows(["Bo", "Kim"]);
    await expect(visitor.html).toHaveAttribute("data-live");
    await expect(visitor.page).toHaveTitle(/^\(2\)/);
    kim.send({ event: "leave" });
    await visitor.shows(["Bo"]);
  });
}

test("page whose requests a content blocker stops says so", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.addInitScript(() => {
    globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  });
  await page.goto(`/r/${room}`);
  await expect(page.getByText(/a content blocker or your network blocks a file/)).toBeVisible();
  await expect(visitor.joinButton).toBeHidden();
  await expect(visitor.html).toHaveAttribute("data-stale");
});

test("page that loads without a network says so, and starts as soon as there is one", async ({
  newVisitor,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.route(/\.wasm|parts\.json|\/events|reachable/, (route) => route.abort("internetdisconnected"));
  await page.goto(`/r/${room}`);
  await expect(page.getByText(/the server can't be reached/)).toBeVisible();
  await expect(visitor.html).toHaveAttribute("data-stale");
  // A control that may get its function back stays, and looks as if it had none.
  await expect(visitor.joinButton).toBeDisabled();
  await expect(visitor.joinButton).toHaveCSS("opacity", "0.5");
  await page.unrouteAll();
  await visitor.isLive();
  await visitor.join("Ana");
});

test("page that only watches says when it has no connection, and of when its list is", async ({
  newVisitor,
  ownServer,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.join(ownServer, room, "Bo");
  const visitor = await newVisitor({ of: ownServer });
  await visitor.page.addInitScript("delete globalThis.WebAssembly");
  await visitor.page.goto(`/r/${room}`);
  await expect(visitor.html).toHaveAttribute("data-live");
  const words = visitor.page.locator(".not-started p");
  await expect(words).toHaveText(/use another browser\.$/);
  await ownServer.kill();
  await expect(words).toHaveText(/use another browser\. Reconnecting… List from \d+:\d\d:\d\d [AP]M\.$/, UNTIL_RECONNECTED);
  await expect(visitor.html).toHaveAttribute("data-stale");
  await ownServer.start();
  await expect(words).toHaveText(/use another browser\.$/, UNTIL_RECONNECTED);
});

test("page with a name and a password in its address works", async ({ newVisitor, server, room }) => {
  const withPassword = server.url.replace("://", "://ana:secret@");
  const { page } = await newVisitor();
  await page.goto(`${withPassword}/r/${room}/embed`);
  await expect(page.getByText("Nobody here yet")).toBeVisible();
  const visitor = await newVisitor();
  await visitor.page.goto(`${withPassword}/r/${room}?a=b`);
  await visitor.isLive();
  await visitor.join("Ana");
  await expect(page.getByRole("listitem")).toContainText(["Ana"]);
});

/** What a plain request to the socket's address gets, and what the page says. */
const NO_SOCKET = [
  {
    answer: { status: 403, json: { code: "origin_not_allowed", message: "Origin" } },
    sentence: "This server refuses this page's connection. Tell whoever runs it.",
  },
  {
    answer: { status: 503, json: { code: "server_full", message: "This server is full. Try again later." } },
    sentence: "This server is full. Try again later.",
  },
  { answer: { status: 401, body: "Unauthorized" }, sentence: /a proxy in front of this server/ },
  { answer: { status: 426, json: { code: "upgrade_required", message: "" } }, sentence: /WebSockets.*don't get through/ },
  { answer: { status: 502, body: "Bad Gateway" }, sentence: /the connection that joining needs fails/ },
];

test("page says why no socket gets through", async ({ newVisitor, browserErrors, networkTo, server, room }) => {
  browserErrors.areExpected(NO_CONNECTION);
  browserErrors.areExpected(/status of \d+/);
  const network = await networkTo(server);
  network.setCondition("no-websockets");
  const visitors = await Promise.all(NO_SOCKET.map(() => newVisitor({ of: network })));
  for (const [index, { answer, sentence }] of NO_SOCKET.entries()) {
    const { page, nameField, joinButton, announcer } = visitors[index]!;
    await page.route("**/socket?origin=*", (route) => route.fulfill(answer));
    await page.goto(`/r/${room}`);
    await expect(page.getByTestId("only-watching")).toHaveText(sentence, UNTIL_RECONNECTED);
    for (const part of [nameField, joinButton]) await expect(part).toBeHidden(UNTIL_RECONNECTED);
    // It never was connected.
    await expect(announcer).not.toHaveText(/Connected again/);
  }
});

/** The banner covers nothing at the end of the page: what stands there can be scrolled to above it. */
async function expectTheEndAbove(banner: Locator): Promise<void> {
  const page = banner.page();
  for (const [width, fontSize] of [[390, 100], [320, 100], [320, 200], [1280, 100]] as const) {
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate((size) => (document.documentElement.style.fontSize = `${size}%`), fontSize);
    const overlap = () =>
      banner.evaluate((banner) => {
        scrollTo(0, document.documentElement.scrollHeight);
        const end = document.querySelector("footer a[href='/privacy']")!;
        return end.getBoundingClientRect().bottom - banner.getBoundingClientRect().top;
      });
    await expect.poll(overlap, { message: `in a window of ${width} px at ${fontSize} %` }).toBeLessThanOrEqual(0);
  }
}

test("no banner covers the end of the page", async ({ newVisitor, ownServer, browserErrors, room }) => {
  browserErrors.areExpected(NO_CONNECTION);
  const [watcher, offline] = [await newVisitor({ of: ownServer }), await newVisitor({ of: ownServer })];
  await watcher.page.addInitScript("delete globalThis.WebAssembly");
  await watcher.page.goto(`/r/${room}`);
  await expect(watcher.html).toHaveAttribute("data-live");
  await expectTheEndAbove(watcher.page.locator(".not-started"));
  await offline.open(room);
  await ownServer.kill();
  await offline.isDisconnected();
  await expectTheEndAbove(offline.banner);
});
