import type { BrowserContextOptions } from "@playwright/test";

import { test as base } from "./server-fixtures";
import { Visitor } from "./visitor";

export { expect } from "@playwright/test";

/** The options of a new visitor's browser. */
export interface VisitorOptions extends BrowserContextOptions {
  /** The server or network to connect to, if not the shared server. */
  of?: { url: string };
}

/** Visitors with Playwright's browser. */
interface TestFixtures {
  /** A person with a browser context of their own, which shares nothing with others. */
  newVisitor: (options?: VisitorOptions) => Promise<Visitor>;
  /** Ana and Bo, each in a browser of their own, who have joined the room. */
  pair: { ana: Visitor; bo: Visitor };
}

export const test = base.extend<TestFixtures>({
  // The same check for Playwright's own `page`.
  context: async ({ context, browserErrors }, use) => {
    browserErrors.listenTo(context);
    await use(context);
  },

  // It depends on `serverWith` and `changedBy`, since a page that outlives its server reports errors.
  newVisitor: async ({ browser, server, browserErrors, serverWith: _, changedBy: __ }, use) => {
    const contexts: Awaited<ReturnType<typeof browser.newContext>>[] = [];
    await use(async ({ of = server, ...options } = {}) => {
      const context = await browser.newContext({ baseURL: of.url, ...options });
      contexts.push(context);
      browserErrors.listenTo(context);
      return new Visitor(await context.newPage());
    });
    await Promise.all(contexts.map((context) => context.close()));
  },

  pair: async ({ newVisitor, room }, use) => {
    const ana = await newVisitor();
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    await use({ ana, bo });
  },
});
