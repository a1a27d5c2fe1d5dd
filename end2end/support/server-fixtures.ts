import { randomInt } from "node:crypto";

import { test as base } from "@playwright/test";

import { BrowserErrors } from "./browser-errors";
import { Network } from "./network";
import { ProtocolClients } from "./protocol-client";
import { RewritingProxy, type Rewrite } from "./rewriting-proxy";
import { startServer, type TestServer } from "./server";
import { sharedServer, type SharedServer } from "./shared-server";

export { expect } from "@playwright/test";

/** What tests need in any browser. */
interface TestFixtures {
  /** The name of a room that no other test uses. */
  room: string;
  /** People with protocol clients instead of browsers. */
  clients: ProtocolClients;
  /** The browsers' errors and messages; the test fails on unexpected ones. */
  browserErrors: BrowserErrors;
  /** A server of the test's own, which it may kill. */
  ownServer: TestServer;
  /** Starts another server with these flags; it outlives the visitors. */
  serverWith: (settings: readonly string[]) => Promise<TestServer>;
  /** A network in front of a server, which the test can break. */
  networkTo: (server: SharedServer) => Promise<Network>;
  /** A proxy in front of the shared server, which changes its pages on their way. */
  changedBy: (rewrite: Rewrite) => Promise<RewritingProxy>;
  /** Attaches the server's log to the report of a failed test. */
  serverLog: undefined;
}

interface WorkerFixtures {
  /** The server that the tests of a worker share, each with a room of its own. */
  server: SharedServer;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const server = await sharedServer();
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
    // Visitors depend on this fixture, so they are closed by now, and all messages were recorded.
    if (browserErrors.unexpected.length > 0) {
      throw new Error(`Unexpected browser messages:\n${browserErrors.unexpected.join("\n")}`);
    }
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

  networkTo: async ({}, use) => {
    const networks: Network[] = [];
    await use(async (server) => {
      const network = await Network.before(server);
      networks.push(network);
      return network;
    });
    for (const network of networks) network.dispose();
  },

  changedBy: async ({ server }, use) => {
    const proxies: RewritingProxy[] = [];
    await use(async (rewrite) => {
      const proxy = await RewritingProxy.before(server, rewrite);
      proxies.push(proxy);
      return proxy;
    });
    for (const proxy of proxies) proxy.dispose();
  },

  clients: async ({}, use) => {
    const clients = new ProtocolClients();
    await use(clients);
    clients.abandonAll();
  },
});

/** Letters only, so that no number on the page is part of the room's name. */
function newRoomName(): string {
  const letters = Array.from({ length: 12 }, () => String.fromCharCode(97 + randomInt(26)));
  return `t-${letters.join("")}`;
}
