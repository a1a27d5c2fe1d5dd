import { expect, type BrowserContext, type Locator, type Page } from "@playwright/test";

import { inPageOrder } from "./names";
import {
  PAGE_ELEMENTS,
  ROW_SELECTORS,
  rowSelectorOf,
  type ElementQuery,
} from "./page-elements";
import type { ClientFrame, ServerFrame } from "./protocol";

/** The frames on the sockets of a page, in order. */
export interface Wire {
  sent: ClientFrame[];
  received: ServerFrame[];
  /** The URLs of the sockets that were opened. */
  sockets: string[];
}

/** Longer than a row stays after its connection broke: the grace period is 15 s. */
export const UNTIL_A_ROW_IS_REMOVED = { timeout: 30_000 };

/** Longer than the server waits until it marks a person as away. */
export const UNTIL_AWAY = { timeout: 45_000 };

/** Longer than a page takes to reconnect: it waits for up to 15 s between attempts. */
export const UNTIL_RECONNECTED = { timeout: 40_000 };

/** How long a list may take to show the expected names. */
const LIST_TIMEOUT_IN_MILLISECONDS = 10_000;

/** What a list shows besides names. */
export interface ListOptions {
  /** Who is away: they come last, and the count is without them. */
  away?: readonly string[];
  timeout?: number;
}

/** A number as the page formats it: 10,001. */
export function formatCount(number: number): string {
  return number.toLocaleString("en-US");
}

/** One person with a browser of their own, or one more tab of theirs. */
export class Visitor {
  readonly wire: Wire = { sent: [], received: [], sockets: [] };

  readonly html: Locator;
  readonly roomName: Locator;
  readonly count: Locator;
  readonly roster: Locator;
  readonly rows: Locator;
  /** The names alone, in the order of the list. */
  readonly names: Locator;
  readonly ownRow: Locator;
  readonly emptyRoom: Locator;
  readonly nameField: Locator;
  readonly joinButton: Locator;
  readonly nameError: Locator;
  /** The card of a listed visitor. */
  readonly you: Locator;
  /** The visitor's own name, in the card. */
  readonly ownName: Locator;
  readonly ownMenuButton: Locator;
  readonly ownMenu: Locator;
  readonly renameButton: Locator;
  readonly leaveButton: Locator;
  readonly switchPersonButton: Locator;
  readonly newNameField: Locator;
  readonly saveButton: Locator;
  readonly cancelButton: Locator;
  /** The banner while the connection is lost. */
  readonly banner: Locator;
  readonly retryNowButton: Locator;
  readonly announcer: Locator;
  /** The line with the latest changes. */
  readonly news: Locator;
  /** The line with the changes of an outage. */
  readonly missed: Locator;

  readonly searchField: Locator;
  /** The number of matches. */
  readonly found: Locator;
  readonly menuButton: Locator;
  readonly menu: Locator;
  readonly newestFirstButton: Locator;
  readonly announceButton: Locator;
  readonly inviteButton: Locator;
  readonly invitation: Locator;
  /** The activity log, and its entries. */
  readonly activity: Locator;
  readonly activityEntries: Locator;

  constructor(readonly page: Page) {
    page.on("websocket", (socket) => {
      this.wire.sockets.push(socket.url());
      socket.on("framesent", ({ payload }) => {
        this.wire.sent.push(JSON.parse(payload.toString()) as ClientFrame);
      });
      socket.on("framereceived", ({ payload }) => {
        this.wire.received.push(JSON.parse(payload.toString()) as ServerFrame);
      });
    });
    const find = (query: ElementQuery) => locate(page, query);
    this.html = find(PAGE_ELEMENTS.html);
    this.roomName = page.getByRole("heading", { level: 1 });
    this.count = find(PAGE_ELEMENTS.count);
    this.roster = find(PAGE_ELEMENTS.roster);
    this.rows = this.roster.locator(ROW_SELECTORS.rows);
    this.names = this.roster.locator(ROW_SELECTORS.names);
    this.ownRow = this.roster.locator(ROW_SELECTORS.ownRow);
    this.emptyRoom = find(PAGE_ELEMENTS.emptyRoom);
    this.nameField = find(PAGE_ELEMENTS.nameField);
    this.joinButton = find(PAGE_ELEMENTS.joinButton);
    this.nameError = find(PAGE_ELEMENTS.nameError);
    this.you = find(PAGE_ELEMENTS.you);
    this.ownName = find(PAGE_ELEMENTS.ownName);
    this.ownMenuButton = find(PAGE_ELEMENTS.ownMenuButton);
    this.ownMenu = find(PAGE_ELEMENTS.ownMenu);
    this.renameButton = find(PAGE_ELEMENTS.renameButton);
    this.leaveButton = find(PAGE_ELEMENTS.leaveButton);
    this.switchPersonButton = find(PAGE_ELEMENTS.switchPersonButton);
    this.newNameField = find(PAGE_ELEMENTS.newNameField);
    this.saveButton = find(PAGE_ELEMENTS.saveButton);
    this.cancelButton = find(PAGE_ELEMENTS.cancelButton);
    this.banner = find(PAGE_ELEMENTS.banner);
    this.retryNowButton = find(PAGE_ELEMENTS.retryNowButton);
    this.announcer = find(PAGE_ELEMENTS.announcer);
    this.news = find(PAGE_ELEMENTS.news);
    this.missed = find(PAGE_ELEMENTS.missed);
    this.searchField = find(PAGE_ELEMENTS.searchField);
    this.found = find(PAGE_ELEMENTS.found);
    this.menuButton = find(PAGE_ELEMENTS.menuButton);
    this.menu = find(PAGE_ELEMENTS.menu);
    this.newestFirstButton = find(PAGE_ELEMENTS.newestFirstButton);
    this.announceButton = find(PAGE_ELEMENTS.announceButton);
    this.inviteButton = find(PAGE_ELEMENTS.inviteButton);
    this.invitation = find(PAGE_ELEMENTS.invitation);
    this.activity = page.locator("section.activity");
    this.activityEntries = this.activity.locator("ol > li > p");
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  /** One more tab of the same browser. */
  async openTab(): Promise<Visitor> {
    return new Visitor(await this.context.newPage());
  }

  /**
   * Changes the page's visibility. A headless browser shows every page, so the test sets the properties and
   * fires the event in its place.
   */
  async setVisible(isVisible: boolean): Promise<void> {
    await this.page.evaluate((isVisible) => {
      const state = isVisible ? "visible" : "hidden";
      Object.defineProperty(document, "hidden", { value: !isVisible, configurable: true });
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }, isVisible);
  }

  /** Opens a room's page and waits until it follows the room. */
  async open(room: string): Promise<void> {
    await this.page.goto(`/r/${room}`);
    await this.isLive();
  }

  /** Types a name and joins. */
  async join(name: string): Promise<void> {
    await this.nameField.fill(name);
    await this.joinButton.click();
    await expect(this.you).toBeVisible();
  }

  /** The card says that this person is listed, under this name. */
  async isListedAs(name: string): Promise<void> {
    await expect(this.ownName).toHaveText(name);
    await expect(this.you).toContainText("You're on the list");
  }

  /** Opens a room's page and joins. */
  async openAndJoin(room: string, name: string): Promise<void> {
    await this.open(room);
    await this.join(name);
  }

  /** Opens the menu of the visitor's own card, if it is not open. */
  async openOwnMenu(): Promise<void> {
    await openMenu(this.ownMenuButton, this.ownMenu);
  }

  /** Opens the page's menu, if it is not open. */
  async openMenu(): Promise<void> {
    await openMenu(this.menuButton, this.menu);
  }

  /** Opens the invitation, if it is not open. */
  async openInvitation(): Promise<void> {
    await openMenu(this.inviteButton, this.invitation);
  }

  /** Presses Escape, which closes an open menu. */
  async closeMenu(): Promise<void> {
    await this.page.keyboard.press("Escape");
    for (const menu of [this.menu, this.ownMenu, this.invitation]) await expect(menu).toBeHidden();
  }

  /** Opens the form for a new name. */
  async startRename(): Promise<void> {
    await this.openOwnMenu();
    await this.renameButton.click();
    await expect(this.newNameField).toBeVisible();
  }

  /** Asks for a new name. */
  async rename(name: string): Promise<void> {
    await this.startRename();
    await this.newNameField.fill(name);
    await this.saveButton.click();
  }

  /** Leaves the list. */
  async leave(): Promise<void> {
    await this.openOwnMenu();
    await this.leaveButton.click();
  }

  /** Joins again as another person. */
  async switchPerson(): Promise<void> {
    await this.openOwnMenu();
    await this.switchPersonButton.click();
  }

  /** Presses a toggle of the page's menu, and closes the menu. */
  async toggle(button: "newestFirstButton" | "announceButton"): Promise<void> {
    await this.openMenu();
    const before = await this[button].getAttribute("aria-pressed");
    await this[button].click();
    await expect(this[button]).toHaveAttribute("aria-pressed", before === "true" ? "false" : "true");
    await this.closeMenu();
  }

  /** The page is hydrated and its list is live. */
  async isLive(options?: { timeout: number }): Promise<void> {
    await expect(this.html).toHaveAttribute("data-hydrated", "true", options);
    await expect(this.html).toHaveAttribute("data-live", "true", options);
  }

  /** The page shows that its connection is lost. */
  async isDisconnected(): Promise<void> {
    await expect(this.banner).toBeVisible(UNTIL_RECONNECTED);
    await expect(this.html).not.toHaveAttribute("data-live");
  }

  /** The page is live again and the banner is gone. */
  async isReconnected(): Promise<void> {
    await this.isLive(UNTIL_RECONNECTED);
    await expect(this.banner).toHaveCount(0);
  }

  /** The list has exactly these names, in the order of the page, and the count is theirs. */
  async shows(
    names: readonly string[],
    { away = [], timeout = LIST_TIMEOUT_IN_MILLISECONDS }: ListOptions = {},
  ): Promise<void> {
    await expect(async () => {
      const [own] = await this.ownName.allTextContents();
      expect(await this.names.allTextContents()).toEqual(inPageOrder(names, { own, away }));
    }).toPass({ timeout });
    await expect(this.count).toHaveText(formatCount(names.length - away.length));
  }

  /** Whether rows fill the part of the window that the list covers. */
  async isFilled(): Promise<boolean> {
    return this.roster.evaluate((list) => {
      const { top, bottom } = list.getBoundingClientRect();
      const { paddingTop, paddingBottom } = getComputedStyle(list);
      const begin = top + parseFloat(paddingTop);
      const end = bottom - parseFloat(paddingBottom);
      return begin <= Math.max(0, top) && end >= Math.min(innerHeight, bottom);
    });
  }

  rowWithId(id: string): Locator {
    return this.roster.locator(rowSelectorOf(id));
  }

  /** This person's id in the room, as the page has it in their own row. */
  async ownId(): Promise<string> {
    const id = await this.ownRow.getAttribute("data-user-id");
    if (id === null) throw new Error("The visitor's own row has no id.");
    return id;
  }
}

/** Presses a button that opens a popover, unless it is open. */
async function openMenu(button: Locator, menu: Locator): Promise<void> {
  if (!(await menu.isVisible())) await button.click();
  await expect(menu).toBeVisible();
}

function locate(page: Page, query: ElementQuery): Locator {
  if ("role" in query) return page.getByRole(query.role, { name: query.name, exact: true });
  return "testId" in query ? page.getByTestId(query.testId) : page.locator(query.css);
}
