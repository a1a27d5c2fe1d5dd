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
  /** "You're on the list as …", with a listed person's buttons. */
  you: { testId: "you" },
  renameButton: button("Change name"),
  leaveButton: button("Leave"),
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
  sortButton: button("A to Z"),
  muteButton: button("Mute for screen readers"),
  switchPersonButton: button("Join again under another name"),
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
