// Where tests find the page's elements, in terms that Playwright and Puppeteer both understand.

/** By role and accessible name, by test id, or by a CSS selector. */
export type ElementQuery =
  | { readonly role: "button" | "list" | "searchbox" | "textbox"; readonly name: string }
  | { readonly testId: string }
  | { readonly css: string };

function button(name: string): ElementQuery {
  return { role: "button", name };
}

export const PAGE_ELEMENTS = {
  html: { css: "html" },
  count: { testId: "count" },
  roster: { role: "list", name: "Who is here" },
  emptyRoom: { testId: "empty" },
  nameField: { role: "textbox", name: "Your name" },
  joinButton: button("Join"),
  nameError: { css: "#name-error" },
  /** The card of a listed visitor. */
  you: { testId: "you" },
  /** The visitor's own name, in the card. */
  ownName: { css: "#you-are-here bdi" },
  /** Opens the menu of the card, which has the next three buttons. */
  ownMenuButton: { css: "#own-menu-button" },
  ownMenu: { css: "#own-menu" },
  renameButton: button("Change name"),
  leaveButton: button("Leave"),
  switchPersonButton: button("Join again under another name"),
  newNameField: { role: "textbox", name: "New name" },
  saveButton: button("Save"),
  cancelButton: button("Cancel"),
  /** The banner while the connection is lost. */
  banner: { testId: "connection" },
  retryNowButton: button("Retry now"),
  announcer: { testId: "announcer" },
  /** The line with the latest changes. */
  news: { testId: "news" },
  /** The line with the changes of an outage. */
  missed: { testId: "missed" },
  /** "You left in another tab." */
  farewell: { testId: "farewell" },
  searchField: { role: "searchbox", name: "Find a name" },
  /** The number of matches. */
  found: { css: ".found" },
  /** Opens the page's menu, which has the next two buttons. */
  menuButton: { css: ".page-header .more" },
  menu: { css: "#menu" },
  newestFirstButton: button("Newest first"),
  announceButton: button("Announce people joining and leaving"),
  /** Opens the invitation. */
  inviteButton: { css: ".page-header .invite" },
  invitation: { css: "#invitation" },
} as const satisfies Record<string, ElementQuery>;

/** Within the roster. */
export const ROW_SELECTORS = {
  rows: "li[data-user-id]",
  /** The names alone, in the order of the list. */
  names: "li[data-user-id] bdi.user-name",
  ownRow: "li.is-you",
} as const;

export function rowSelectorOf(id: string): string {
  return `li[data-user-id="${id}"]`;
}
