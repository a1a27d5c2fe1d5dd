import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

import puppeteer, { type Browser } from "puppeteer-core";

/** Settings of Firefox in addition to Puppeteer's, which stop all requests of the browser itself. */
const PREFERENCES = {
  // On macOS, Tab would skip buttons and links.
  "accessibility.tabfocus": 7,
  // The page formats numbers in the visitor's language.
  "intl.accept_languages": "en-US",
};

/** A Firefox that is driven by WebDriver BiDi: Playwright drives a Firefox of its own only. */
export class Firefox {
  private constructor(
    readonly browser: Browser,
    private readonly profile: string,
  ) {}

  /** Starts it with an empty profile, which it creates in `folder`, and with further settings. */
  static async start(folder: string, settings: Record<string, unknown> = {}): Promise<Firefox> {
    // Not in /tmp, which a Firefox that is a snap can't read.
    mkdirSync(folder, { recursive: true });
    const profile = mkdtempSync(join(folder, "firefox-"));
    try {
      const browser = await puppeteer.launch({
        browser: "firefox",
        executablePath: firefoxUnderTest(),
        headless: true,
        userDataDir: profile,
        extraPrefsFirefox: { ...PREFERENCES, ...settings },
        // Windows have the size that Playwright's pages have.
        defaultViewport: { width: 1280, height: 720 },
        // Without a home directory, as in some containers, Firefox does not start.
        env: { HOME: profile, ...process.env },
      });
      return new Firefox(browser, profile);
    } catch (error) {
      rmSync(profile, { recursive: true, force: true });
      throw error;
    }
  }

  /** Closes it and deletes its profile. */
  async stop(): Promise<void> {
    await this.browser.close();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The program that the environment names. */
function firefoxUnderTest(): string {
  const program = process.env["ROLLCALL_FIREFOX"];
  if (!program) {
    throw new Error("ROLLCALL_FIREFOX is not set: `cargo xtask test browser` finds Firefox and sets it.");
  }
  if (!existsSync(program)) throw new Error(`ROLLCALL_FIREFOX is ${program}, which does not exist.`);
  return program;
}
