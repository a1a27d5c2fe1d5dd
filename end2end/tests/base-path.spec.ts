// The site below a path of a host, behind a proxy that strips the path and one that keeps it.

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test as base } from "../support/fixtures";
import { ReverseProxy, type ReverseProxyOptions } from "../support/reverse-proxy";
import type { Visitor } from "../support/visitor";

const BASE_PATH = "/rollcall";

interface Fixtures {
  /** A proxy in front of a server that is set to be below `BASE_PATH`; the rest of the host is not the server's. */
  below: (options: ReverseProxyOptions) => Promise<ReverseProxy>;
}

const test = base.extend<Fixtures>({
  below: async ({ serverWith }, use) => {
    const proxies: ReverseProxy[] = [];
    await use(async (options) => {
      const proxy = await ReverseProxy.start({ only: `${BASE_PATH}/`, ...options });
      proxies.push(proxy);
      proxy.leadsTo(await serverWith(["--public-url", `${proxy.url}${BASE_PATH}`]));
      return proxy;
    });
    for (const proxy of proxies) proxy.dispose();
  },
});

async function openBelow(visitor: Visitor, room: string): Promise<void> {
  await visitor.page.goto(`${BASE_PATH}/r/${room}`);
  await visitor.isLive();
}

for (const [what, stripped] of [
  ["strips", BASE_PATH],
  ["keeps", ""],
] as const) {
  test(`a room is live behind a proxy that ${what} the path`, async ({ below, newVisitor, room }) => {
    const proxy = await below({ stripped });
    const [ana, bo] = [await newVisitor({ of: proxy }), await newVisitor({ of: proxy })];
    await openBelow(ana, room);
    await ana.join("Ana");
    await openBelow(bo, room);
    await bo.join("Bo");
    await ana.shows(["Ana", "Bo"]);
    expect(ana.wire.sockets[0]).toContain(`${BASE_PATH}/r/${room}/socket`);

    const address = `${proxy.url}${BASE_PATH}/r/${room}`;
    await ana.openInvitation();
    await expect(ana.invitation.getByRole("textbox")).toHaveValue(address);
    await expect(ana.invitation.getByRole("img")).toHaveAttribute("src", `${BASE_PATH}/r/${room}/qr.svg`);
    await ana.openMenu();
    const newRoom = ana.menu.getByRole("link", { name: "New room" });
    await expect(newRoom).toHaveAttribute("href", "/rollcall/new");

    // The cookie comes back, so a reload changes nothing.
    await ana.page.reload();
    await ana.isLive();
    await expect(ana.you).toContainText("Ana");
    await bo.shows(["Ana", "Bo"]);
  });
}

test("below a path, the list follows without WebSockets", async ({
  below,
  newVisitor,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  const proxy = await below({ stripped: BASE_PATH, refusesUpgrades: true });
  const visitor = await newVisitor({ of: proxy });
  const feed = visitor.page.waitForRequest((request) => new URL(request.url()).pathname.endsWith("/events"), { timeout: 40_000 });
  await visitor.page.goto(`${BASE_PATH}/r/${room}`);
  expect(new URL((await feed).url()).pathname).toBe(`${BASE_PATH}/api/events`);
  await visitor.isLive({ timeout: 40_000 });
});

test("below a path, the embedded view follows the room", async ({ below, newVisitor, room }) => {
  const proxy = await below({ stripped: BASE_PATH });
  const viewer = await newVisitor({ of: proxy });
  await viewer.page.goto(`${BASE_PATH}/r/${room}/embed`);
  await expect(viewer.html).toHaveAttribute("data-hydrated", "true");
  const ana = await newVisitor({ of: proxy });
  await openBelow(ana, room);
  await ana.join("Ana");
  await expect(viewer.count).toHaveText("1");
});
