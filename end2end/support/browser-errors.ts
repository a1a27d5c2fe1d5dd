import type { BrowserContext } from "@playwright/test";

import type { ClientFrame } from "./protocol";

/** Chromium's and Firefox's messages when a connection can't be opened, or breaks, and when the page asks why. */
export const NO_CONNECTION =
  /WebSocket connection to|net::ERR_|status of 426|can’t establish a connection|was interrupted while the page was loading/;

/** Chromium's message when the document is a 404. */
export const NOT_FOUND = /status of 404/;

/** Chromium's message about preloaded scripts that are not used. */
export const SCRIPTS_NOT_USED = /preloaded using link preload but not used/;

/**
 * Console messages, uncaught errors, and resyncs: a page recovers from a wrong list within seconds, which
 * would hide it.
 */
export class BrowserErrors {
  private readonly messages: string[] = [];
  private readonly expected: RegExp[] = [];

  /** Records messages of every page of a browser context. */
  listenTo(context: BrowserContext): void {
    context.on("console", (message) => {
      this.messages.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => {
      this.messages.push(`uncaught: ${error.error().stack ?? error.error().message}`);
    });
    context.on("page", (page) => {
      page.on("websocket", (socket) => {
        socket.on("framesent", ({ payload }) => {
          if ((JSON.parse(payload.toString()) as ClientFrame).event === "resync") {
            this.messages.push(`resync: the page's list was wrong (${page.url()})`);
          }
        });
      });
    });
  }

  /** Records a message that another driver than Playwright reports. */
  record(message: string): void {
    this.messages.push(message);
  }

  /** The test causes messages like this, so they are no error of the page. */
  areExpected(pattern: RegExp): void {
    this.expected.push(pattern);
  }

  /** The messages that the test does not expect. */
  get unexpected(): string[] {
    return this.messages.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
  }
}
