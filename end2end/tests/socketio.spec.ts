// The original design's page beside the real one, with an unmodified client of Socket.IO.

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { OriginalPage, serveLibraries, type Transports } from "../support/original-page";
import { siteWith } from "../support/other-site";
import { snippetWith } from "../support/snippets";
import { UNTIL_RECONNECTED } from "../support/visitor";

/** A client that only polls is gone when a ping is not answered in time, and then has its grace period. */
const UNTIL_A_POLLING_ROW_IS_REMOVED = { timeout: 45_000 };

for (const transports of ["both", "polling", "websocket"] satisfies Transports[]) {
  test(`original page lists the people of the real page (transports: ${transports})`, async ({
    browser,
    browserErrors,
    newVisitor,
    ownServer: server,
  }) => {
    test.slow();
    browserErrors.areExpected(NO_CONNECTION);
    const bo = await newVisitor({ of: server });
    await bo.openAndJoin("lobby", "Bo");
    const ana = await OriginalPage.open(browser, server, "Ana", transports);
    await bo.shows(["Bo", "Ana"]);
    await ana.shows(["Bo", "Ana"]);

    // Two people with one name are two boxes, and the right one of them goes.
    const other = await OriginalPage.open(browser, server, "Bo", transports);
    await ana.shows(["Bo", "Ana", "Bo"]);
    await other.shows(["Bo", "Ana", "Bo"]);
    await bo.shows(["Bo", "Ana", "Bo"]);
    const ids = await ana.boxes.evaluateAll((boxes) => boxes.map(({ id }) => id));
    await bo.leave();
    await ana.shows(["Ana", "Bo"]);
    expect(await ana.boxes.evaluateAll((boxes) => boxes.map(({ id }) => id))).toEqual(ids.slice(1));
    await other.close();
    await ana.shows(["Ana"], UNTIL_A_POLLING_ROW_IS_REMOVED);

    // A reload is seen by nobody.
    const from = bo.wire.received.length;
    await ana.page.reload();
    await ana.shows(["Ana"]);
    await bo.openAndJoin("lobby", "Bo");
    await ana.shows(["Ana", "Bo"]);
    const seen = JSON.stringify(bo.wire.received.slice(from).filter(({ event }) => event === "changes"));
    expect(seen).not.toContain("disconnect_user");

    // So is a restart.
    expect(await server.terminate()).toBe(0);
    await server.start();
    await bo.isReconnected();
    const cy = await newVisitor({ of: server });
    await cy.openAndJoin("lobby", "Cy");
    await ana.shows(["Ana", "Bo", "Cy"], UNTIL_RECONNECTED);
    await bo.shows(["Bo", "Ana", "Cy"]);
    await ana.close();
  });
}

test("snippet of the documentation follows a room from a page of another origin", async ({
  browser,
  clients,
  serverWith,
  room,
}) => {
  let body = "";
  const site = await siteWith(() => ({ body }));
  const server = await serverWith(["--allowed-origins", new URL(site.url).origin]);
  body = snippetWith("socket.io-client", server, room);
  await clients.join(server, room, "Bo");
  const context = await browser.newContext();
  await serveLibraries(context);
  const page = await context.newPage();
  await page.goto(site.url);
  const boxes = page.getByRole("listitem");
  await expect(boxes).toHaveText(["Bo", "Ana"]);
  const cy = await clients.join(server, room, "Cy");
  await expect(boxes).toHaveText(["Bo", "Ana", "Cy"]);
  cy.send({ event: "leave" });
  await expect(boxes).toHaveText(["Bo", "Ana"]);
  await context.close();
  site.close();
});
