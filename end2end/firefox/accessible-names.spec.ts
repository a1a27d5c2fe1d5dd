// What Firefox tells assistive technology about the page's controls.

import { numberedPeople } from "../support/names";
import { PAGE_ELEMENTS } from "../support/page-elements";
import { expect, test } from "./driver/fixtures";
import type { FirefoxVisitor } from "./driver/visitor";

/** How many elements Firefox itself finds by role and name. */
async function countByRole(visitor: FirefoxVisitor, name: keyof typeof PAGE_ELEMENTS): Promise<number> {
  const query = PAGE_ELEMENTS[name];
  if (!("role" in query)) throw new Error(`${name} is not found by its role.`);
  const selector = `::-p-aria([name="${query.name}"][role="${query.role}"])`;
  return (await visitor.page.$$(selector)).length;
}

test("controls have their role and name in the accessibility tree", async ({ newVisitor, server, clients, room }) => {
  // A short list has no search field.
  await clients.joinTogether(server, room, numberedPeople(8));
  const ana = await newVisitor();
  await ana.open(room);
  for (const name of ["roster", "nameField", "joinButton"] as const) {
    expect.soft(await countByRole(ana, name), name).toBe(1);
  }
  await ana.join("Ana");
  await ana.openMenu();
  for (const name of ["roster", "searchField", "newestFirstButton", "announceButton"] as const) {
    expect.soft(await countByRole(ana, name), name).toBe(1);
  }
  await ana.openOwnMenu();
  for (const name of ["renameButton", "leaveButton", "switchPersonButton"] as const) {
    expect.soft(await countByRole(ana, name), name).toBe(1);
  }
  await ana.startRename();
  for (const name of ["newNameField", "saveButton", "cancelButton"] as const) {
    expect.soft(await countByRole(ana, name), name).toBe(1);
  }
});
