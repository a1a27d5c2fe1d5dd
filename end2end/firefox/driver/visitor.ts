import { expect } from "@playwright/test";
import type { BrowserContext, Page } from "puppeteer-core";

import { inPageOrder } from "../../support/names";
import { PAGE_ELEMENTS, ROW_SELECTORS, rowSelectorOf, type ElementQuery } from "../../support/page-elements";
import { formatCount, UNTIL_RECONNECTED, type ListOptions, type Wire } from "../../support/visitor";
import { FirefoxElement } from "./element";
import { recordWire, wireOf } from "./wire";

type PageElements = Record<keyof typeof PAGE_ELEMENTS, FirefoxElement>;

/** What a test learns of a new page at once, so that it misses nothing. */
export type PageListener = (visitor: FirefoxVisitor) => void;

/** One person with a Firefox container of their own, or one more tab of theirs. */
export class FirefoxVisitor {
  readonly elements: PageElements;
  readonly rows: FirefoxElement;
  /** The names alone, in the order of the list. */
  readonly names: FirefoxElement;
  readonly ownRow: FirefoxElement;

  private constructor(
    readonly page: Page,
    private readonly url: string,
    private readonly onPage: PageListener,
  ) {
    const find = (query: ElementQuery) => new FirefoxElement(() => page.mainFrame(), query);
    this.elements = Object.fromEntries(
      Object.entries(PAGE_ELEMENTS).map(([name, query]) => [name, find(query)]),
    ) as PageElements;
    this.rows = find({ css: ROW_SELECTORS.rows });
    this.names = find({ css: ROW_SELECTORS.names });
    this.ownRow = find({ css: ROW_SELECTORS.ownRow });
  }

  /** A person without a tab yet opens one, in a window of its own: of the tabs of one window only one is visible. */
  static async create(context: BrowserContext, url: string, onPage: PageListener): Promise<FirefoxVisitor> {
    return FirefoxVisitor.on(await context.newPage({ type: "window" }), url, onPage);
  }

  private static async on(page: Page, url: string, onPage: PageListener): Promise<FirefoxVisitor> {
    const visitor = new FirefoxVisitor(page, url, onPage);
    onPage(visitor);
    await recordWire(page);
    return visitor;
  }

  get context(): BrowserContext {
    return this.page.browserContext();
  }

  /** Opens one more tab in the same window, which hides this one. */
  async openTab(): Promise<FirefoxVisitor> {
    // Firefox opens tabs in the window that was used last.
    await this.page.bringToFront();
    return FirefoxVisitor.on(await this.context.newPage(), this.url, this.onPage);
  }

  /** Goes to a path of the server. */
  async goto(path: string): Promise<void> {
    await this.page.goto(new URL(path, this.url).href);
  }

  /** Opens a room's page and waits until it follows the room. */
  async open(room: string): Promise<void> {
    await this.goto(`/r/${room}`);
    await this.isLive();
  }

  /** Types a name and joins. */
  async join(name: string): Promise<void> {
    await this.elements.nameField.fill(name);
    await this.elements.joinButton.click();
    await this.isListedAs(name);
  }

  /** Opens a room's page and joins. */
  async openAndJoin(room: string, name: string): Promise<void> {
    await this.open(room);
    await this.join(name);
  }

  /** Opens the menu of the visitor's own card, if it is not open. */
  async openOwnMenu(): Promise<void> {
    await openMenu(this.elements.ownMenuButton, this.elements.ownMenu);
  }

  /** Opens the page's menu, if it is not open. */
  async openMenu(): Promise<void> {
    await openMenu(this.elements.menuButton, this.elements.menu);
  }

  /** Opens the form for a new name. */
  async startRename(): Promise<void> {
    await this.openOwnMenu();
    await this.elements.renameButton.click();
    await expect.poll(() => this.elements.newNameField.isVisible()).toBe(true);
  }

  /** Asks for a new name. */
  async rename(name: string): Promise<void> {
    await this.startRename();
    await this.elements.newNameField.fill(name);
    await this.elements.saveButton.click();
  }

  /** Leaves the list. */
  async leave(): Promise<void> {
    await this.openOwnMenu();
    await this.elements.leaveButton.click();
  }

  /** The latest entry of the activity log. */
  async lastActivity(): Promise<string | undefined> {
    return new FirefoxElement(() => this.page.mainFrame(), { css: ".activity ol > li > p" }).text();
  }

  /** The card says that this person is listed, under this name. */
  async isListedAs(name: string): Promise<void> {
    await expect.poll(() => this.elements.ownName.text()).toBe(name);
    await expect.poll(() => this.elements.you.text()).toContain("You're on the list");
  }

  /** The page is hydrated and its list is live. */
  async isLive(options?: { timeout: number }): Promise<void> {
    const { html } = this.elements;
    await expect.poll(() => html.attribute("data-hydrated"), options).toBe("true");
    await expect.poll(() => html.attribute("data-live"), options).toBe("true");
  }

  /** The page shows that its connection is lost. */
  async isDisconnected(): Promise<void> {
    await expect.poll(() => this.elements.banner.isVisible(), UNTIL_RECONNECTED).toBe(true);
    await expect.poll(() => this.elements.html.attribute("data-live")).toBe(undefined);
  }

  /** The page is live again and the banner is gone. */
  async isReconnected(): Promise<void> {
    await this.isLive(UNTIL_RECONNECTED);
    await expect.poll(() => this.elements.banner.count()).toBe(0);
  }

  /** The list has exactly these names, in the order of the page, and the count is theirs. */
  async shows(names: readonly string[], { away = [], ...options }: ListOptions = {}): Promise<void> {
    await expect(async () => {
      const own = await this.elements.ownName.text();
      expect(await this.names.texts()).toEqual(inPageOrder(names, { own, away }));
    }).toPass({ timeout: 10_000, ...options });
    await expect.poll(() => this.elements.count.text()).toBe(formatCount(names.length - away.length));
  }

  /** This person's id in the room, as the page has it in their own row. */
  async ownId(): Promise<string> {
    const id = await this.ownRow.attribute("data-user-id");
    if (typeof id !== "string") throw new Error("The visitor has no row.");
    return id;
  }

  rowWithId(id: string): FirefoxElement {
    return new FirefoxElement(() => this.page.mainFrame(), { css: rowSelectorOf(id) });
  }

  /** A row has this state, "here", "away" or "reconnecting". */
  async showsState(id: string, state: string, options?: { timeout: number }): Promise<void> {
    await expect.poll(() => this.rowWithId(id).attribute("data-state"), options).toBe(state);
  }

  /** The frames on the sockets of this document. */
  async wire(): Promise<Wire> {
    return wireOf(this.page);
  }
}

/** Presses a button that opens a popover, unless it is open. */
async function openMenu(button: FirefoxElement, menu: FirefoxElement): Promise<void> {
  if (!(await menu.isVisible())) await button.click();
  await expect.poll(() => menu.isVisible()).toBe(true);
}
