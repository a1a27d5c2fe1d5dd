// Browsers whose cookies do not come back.

import { expect, test as base } from "../support/fixtures";
import { ReverseProxy } from "../support/reverse-proxy";

interface Fixtures {
  /** A proxy that drops all cookies, in front of a server of its own. */
  cookieless: ReverseProxy;
}

const test = base.extend<Fixtures>({
  cookieless: async ({ serverWith }, use) => {
    const proxy = await ReverseProxy.start({ dropsCookies: true });
    proxy.leadsTo(await serverWith([]));
    await use(proxy);
    proxy.dispose();
  },
});

test("a person without cookies joins, and is gone after leaving", async ({ cookieless, newVisitor, room }) => {
  const [ana, bo] = [await newVisitor({ of: cookieless }), await newVisitor({ of: cookieless })];
  await ana.openAndJoin(room, "Ana");
  await bo.openAndJoin(room, "Bo");
  await ana.shows(["Ana", "Bo"]);
  await ana.leaveButton.click();
  await bo.shows(["Bo"]);
  expect(await ana.context.cookies()).toEqual([]);
});

test("without cookies a reload is another person, and tabs are different people", async ({
  cookieless,
  newVisitor,
  room,
}) => {
  const [ana, bo] = [await newVisitor({ of: cookieless }), await newVisitor({ of: cookieless })];
  await bo.openAndJoin(room, "Bo");
  await ana.openAndJoin(room, "Ana");
  await bo.shows(["Bo", "Ana"]);
  // The old row goes like that of a closed page.
  await ana.page.reload();
  await ana.isLive();
  await expect(ana.nameField).toBeVisible();
  await bo.shows(["Bo"], { timeout: 8_000 });
  await ana.join("Ana");
  await bo.shows(["Bo", "Ana"]);
  const tab = await ana.openTab();
  await tab.open(room);
  await expect(tab.nameField).toBeVisible();
  await tab.join("Ada");
  for (const visitor of [ana, bo, tab]) await visitor.shows(["Bo", "Ana", "Ada"]);
  expect(await ana.context.cookies()).toEqual([]);
});
