import { randomInt } from "node:crypto";

import { test as base, type BrowserContextOptions } from "@playwright/test";

import { BrowserErrors } from "./browser-errors";
import { ProtocolClients } from "./protocol-client";
import { Network } from "./network";
import { startServer, type TestServer } from "./server";
import { Visitor } from "./visitor";

export { expect } from "@playwright/test";

/** What a new visitor's browser is like. */
export interface VisitorOptions extends BrowserContextOptions {
  /** The server to visit, or the way to it, where it is not the one that tests share. */
  of?: { url: string };
}

interface TestFixtures {
  /** The name of a room that no other test knows. */
  room: string;
  /** Somebody with a browser of their own: a context shares nothing with any other. */
  newVisitor: (options?: VisitorOptions) => Promise<Visitor>;
  /** Ana and Bo, each in a browser of their own, who have joined the room. */
  pair: { ana: Visitor; bo: Visitor };
  /** People without a browser. */
  clients: ProtocolClients;
  /** What the browsers complained about; the test fails if it was not provoked. */
  browserErrors: BrowserErrors;
  /** A server for this test alone, which it may kill. */
  ownServer: TestServer;
  /** One more server, with flags of its own; it outlives the visitors. */
  serverWith: (settings: readonly string[]) => Promise<TestServer>;
  /** A network in front of a server, which the test can break. */
  networkTo: (server: TestServer) => Promise<Network>;
  /** What the server wrote, for the report of a test that failed. */
  serverLog: undefined;
}

interface WorkerFixtures {
  /** The server that the tests of one worker share, each in a room of its own. */
  server: TestServer;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.dispose();
    },
    { scope: "worker" },
  ],

  ownServer: async ({}, use, testInfo) => {
    const server = await startServer();
    await use(server);
    await server.dispose();
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach("the log of the test's own server", { body: server.logText });
    }
  },

  serverLog: [
    async ({ server }, use, testInfo) => {
      const before = server.logText.length;
      await use(undefined);
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach("the server's log", { body: server.logText.slice(before) });
      }
    },
    { auto: true },
  ],

  room: async ({}, use) => {
    await use(newRoomName());
  },

  browserErrors: async ({}, use) => {
    const browserErrors = new BrowserErrors();
    await use(browserErrors);
    // Visitors use this fixture, so they are gone by now, and everything was heard.
    if (browserErrors.unexpected.length > 0) {
      throw new Error(`A browser complained:\n${browserErrors.unexpected.join("\n")}`);
    }
  },

  // Playwright's own `page` is held to the same rule.
  context: async ({ context, browserErrors }, use) => {
    browserErrors.listenTo(context);
    await use(context);
  },

  serverWith: async ({}, use) => {
    const servers: TestServer[] = [];
    await use(async (settings) => {
      const server = await startServer(settings);
      servers.push(server);
      return server;
    });
    await Promise.all(servers.map((server) => server.dispose()));
  },

  // A page that outlives its server complains that it is gone: so this depends on those servers.
  newVisitor: async ({ browser, server, browserErrors, serverWith: _ }, use) => {
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

  networkTo: async ({}, use) => {
    const networks: Network[] = [];
    await use(async (server) => {
      const network = await Network.before(server);
      networks.push(network);
      return network;
    });
    for (const network of networks) network.dispose();
  },

  clients: async ({}, use) => {
    const clients = new ProtocolClients();
    await use(clients);
    clients.disperse();
  },
});

/** Letters only, so that a number on the page is never a part of the room's name. */
function newRoomName(): string {
  const letters = Array.from({ length: 12 }, () => String.fromCharCode(97 + randomInt(26)));
  return `t-${letters.join("")}`;
}
