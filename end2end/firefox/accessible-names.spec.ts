// What Firefox tells assistive technology about the page's controls.

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

test("controls have their role and name in the accessibility tree", async ({ newVisitor, room }) => {
  const ana = await newVisitor();
  await ana.open(room);
  for (const name of ["roster", "nameField", "joinButton"] as const) {
    expect.soft(await countByRole(ana, name), name).toBe(1);
  }
  await ana.join("Ana");
  for (const name of ["roster", "renameButton", "leaveButton", "searchField", "sortButton"] as const) {
    expect.soft(await countByRole(ana, name), name).toBe(1);
  }
  await ana.elements.renameButton.click();
  for (const name of ["newNameField", "saveButton", "cancelButton"] as const) {
    expect.soft(await countByRole(ana, name), name).toBe(1);
  }
});
