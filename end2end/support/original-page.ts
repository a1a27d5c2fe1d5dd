// The original design's page, examples/socketio.html, with jQuery and socket.io-client from npm.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { expect, type Browser, type BrowserContext, type Locator, type Page } from "@playwright/test";

/** How the client of Socket.IO connects: as it does by itself, or by one transport alone. */
export type Transports = "both" | "polling" | "websocket";

const EXAMPLE = join(__dirname, "..", "..", "examples", "socketio.html");

/** The files that the page loads from elsewhere. */
const LIBRARIES = {
  "jquery@3": join(dirname(require.resolve("jquery")), "jquery.min.js"),
  "socket.io-client@4": join(__dirname, "..", "node_modules", "socket.io-client", "dist", "socket.io.min.js"),
};

/** A visitor of the original page, which is served from the server's own origin. */
export class OriginalPage {
  readonly boxes: Locator;

  private constructor(
    private readonly context: BrowserContext,
    readonly page: Page,
    private readonly errors: string[],
  ) {
    this.boxes = page.locator(".box");
  }

  /** Opens the page as a new person, who gives this name whenever the script asks. */
  static async open(
    browser: Browser,
    server: { url: string },
    name: string,
    transports: Transports = "both",
  ): Promise<OriginalPage> {
    const context = await browser.newContext();
    // The page comes from the test, so the browser does not know that its address is local, as the server's is.
    await context.grantPermissions(["local-network-access"]);
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("dialog", (dialog) => void dialog.accept(name));
    await serveLibraries(context);
    const options = transports === "both" ? "" : `{ transports: ["${transports}"] }`;
    const connect = "io = io.connect();";
    const example = readFileSync(EXAMPLE, "utf8");
    if (!example.includes(connect)) throw new Error(`${EXAMPLE} does not connect as the original does.`);
    const body = example.replace(connect, `io = io.connect(${options});`);
    await page.route(`${server.url}/original`, (route) => route.fulfill({ contentType: "text/html", body }));
    await page.goto(`${server.url}/original`);
    return new OriginalPage(context, page, errors);
  }

  /** The boxes have exactly these names, in this order. */
  async shows(names: readonly string[], options?: { timeout: number }): Promise<void> {
    await expect(this.boxes).toHaveText([...names], options);
  }

  /** Closes the page, in which no script has failed. */
  async close(): Promise<void> {
    await this.context.close();
    expect(this.errors).toEqual([]);
  }
}

/** Lets the pages of a browser load the libraries from npm instead of a network. */
export async function serveLibraries(context: BrowserContext): Promise<void> {
  for (const [name, path] of Object.entries(LIBRARIES)) {
    await context.route(`https://cdn.jsdelivr.net/npm/${name}/**`, (route) => route.fulfill({ path }));
  }
}
