// The sheet of the roll, as tests find it.

import { expect, type Locator, type Page } from "@playwright/test";

import type { Visitor } from "./visitor";

/** The sheet and its parts. */
export interface Sheet {
  dialog: Locator;
  open: () => Promise<void>;
  field: Locator;
  headline: Locator;
  part: (name: "missing" | "questions" | "strangers" | "here" | "repeated" | "said" | "status" | "counts" | "result" | "rolls") => Locator;
  button: (name: string) => Locator;
}

/** The sheet of a page. */
export function sheetOf(page: Page): Sheet {
  const dialog = page.getByRole("dialog", { name: /^(Roll for|Take the roll)/ });
  return {
    dialog,
    open: async () => {
      await page.getByRole("button", { name: "Take the roll" }).click();
      await expect(dialog).toHaveAttribute("data-connected");
    },
    field: dialog.getByRole("textbox", { name: "Who should be here?" }),
    headline: dialog.locator("[data-roll=headline]"),
    part: (name) => dialog.locator(`[data-roll=${name}]`),
    button: (name) => dialog.getByRole("button", { name, exact: true }),
  };
}

/** A visitor with the sheet open and this list in it. */
export async function withList(visitor: Visitor, room: string, names: readonly string[]): Promise<Sheet> {
  await visitor.open(room);
  const sheet = sheetOf(visitor.page);
  await sheet.open();
  await sheet.field.fill(names.join("\n"));
  return sheet;
}

/** 21 people under the name of the list. */
export const SAME = [
  "Amelie Bauer", "Ben Carter", "Chloé Dubois", "Dmitri Ivanov", "Emil Jansen", "Fatima Haddad", "Grace Ueda",
  "Hiro Tanaka", "Inês Costa", "Jonas Keller", "Kira Novak", "Liam O'Brien", "Mona Lind", "Noah Wright", "Olu Adeyemi",
  "Priya Nair", "Quentin Roy", "Rosa Marín", "Sven Åberg", "Tomás Vega", "李小龍",
];
/** Three more, as they are called in the list and in the room. */
export const OTHERWISE = [
  ["José Silva", "Zé"],
  ["Maria Lopez", "Maria L."],
  ["John Smith", "Jon Smyth"],
] as const;
export const MISSING = ["Ulrike Weiß", "Viktor Orlov", "Wanda Król", "Ximena Rey", "Yusuf Demir", "Zoë Peters"];
export const STRANGERS = ["Mickey Mouse", "=1+1"];
/** As somebody pastes it: one name twice, in another order. */
export const LIST = [...SAME.slice(0, 10), ...OTHERWISE.map(([name]) => name), ...MISSING, ...SAME.slice(10), "Carter, Ben"];
