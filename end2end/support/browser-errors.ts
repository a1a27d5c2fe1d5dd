import type { BrowserContext } from "@playwright/test";

import type { ClientFrame } from "./protocol";

/** What Chromium says when a socket can't be opened. */
export const NO_CONNECTION = /WebSocket connection to|net::ERR_/;

/** What Chromium says when the document itself is a 404. */
export const NOT_FOUND = /status of 404/;

/** What Chromium says of scripts that it was told to fetch and not to run. */
export const SCRIPTS_NOT_USED = /preloaded using link preload but not used/;

/**
 * What browsers complained about: whatever is said in the console, uncaught errors, and lists
 * that a page found to be wrong. A page heals from these within seconds, which would hide them.
 */
export class BrowserErrors {
  private readonly heard: string[] = [];
  private readonly expected: RegExp[] = [];

  /** Listens to every page that a browser context has or gets. */
  listenTo(context: BrowserContext): void {
    context.on("console", (message) => {
      this.heard.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => {
      this.heard.push(`uncaught: ${error.error().stack ?? error.error().message}`);
    });
    context.on("page", (page) => {
      page.on("websocket", (socket) => {
        socket.on("framesent", ({ payload }) => {
          if ((JSON.parse(payload.toString()) as ClientFrame).event === "resync") {
            this.heard.push(`resync: a list was not what the server's list was (${page.url()})`);
          }
        });
      });
    });
  }

  /** A complaint like this is what the test provokes, and no fault of the page. */
  areExpected(pattern: RegExp): void {
    this.expected.push(pattern);
  }

  /** The complaints that nobody provoked. */
  get unexpected(): string[] {
    return this.heard.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
  }
}
