import { test as base } from "../../support/server-fixtures";
import { Firefox } from "./browser";
import { FirefoxVisitor } from "./visitor";

export { expect } from "@playwright/test";

interface TestFixtures {
  /** A person who shares nothing with others. `of` is a server or network to connect to. */
  newVisitor: (options?: { of?: { url: string } }) => Promise<FirefoxVisitor>;
  /** Ana and Bo, who have joined the room. */
  pair: { ana: FirefoxVisitor; bo: FirefoxVisitor };
}

interface WorkerFixtures {
  /** The Firefox that the tests of a worker share. */
  firefox: Firefox;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  firefox: [
    async ({}, use, { project }) => {
      const firefox = await Firefox.start(project.outputDir);
      await use(firefox);
      await firefox.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],

  // It depends on `serverWith`, since a page that outlives its server reports errors.
  newVisitor: async ({ firefox, server, browserErrors, serverWith: _ }, use) => {
    const visitors: FirefoxVisitor[] = [];
    const listenTo = (visitor: FirefoxVisitor) => {
      visitors.push(visitor);
      visitor.page.on("console", (message) => {
        browserErrors.record(`${message.type()}: ${message.text()} (${message.location().url})`);
      });
      // Also Firefox's own messages, such as of a connection that fails.
      visitor.page.on("pageerror", (error) => browserErrors.record(`uncaught: ${String(error)}`));
      // Unlike Chromium, Firefox has no message for a file that is missing.
      visitor.page.on("response", (response) => {
        if (response.status() >= 400) {
          browserErrors.record(`response: a status of ${response.status()} (${response.url()})`);
        }
      });
    };
    await use(async ({ of = server } = {}) => {
      const context = await firefox.browser.createBrowserContext();
      return FirefoxVisitor.create(context, of.url, listenTo);
    });
    for (const visitor of visitors.filter(({ page }) => !page.isClosed())) {
      if ((await visitor.wire()).sent.some(({ event }) => event === "resync")) {
        browserErrors.record(`resync: the page's list was wrong (${visitor.page.url()})`);
      }
    }
    const contexts = new Set(visitors.map(({ context }) => context));
    // A test may have closed some itself.
    const open = [...contexts].filter((context) => !context.closed);
    await Promise.all(open.map((context) => context.close()));
  },

  pair: async ({ newVisitor, room }, use) => {
    const ana = await newVisitor();
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    await use({ ana, bo });
  },
});
