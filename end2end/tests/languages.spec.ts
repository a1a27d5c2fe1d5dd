// The fifteen languages on a narrow phone: no text is cut, and the page says which language it has.

import type { Page } from "@playwright/test";

import { expectNoAxeViolations } from "../support/appearance";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll, waitForAnimations } from "../support/layout";
import { UNTIL_AWAY, type Visitor } from "../support/visitor";

/** Each language, and what a visitor presses to join. */
const JOIN: Record<string, string> = {
  en: "Join",
  de: "Beitreten",
  fr: "Rejoindre",
  es: "Entrar",
  pt: "Entrar",
  it: "Entra",
  nl: "Meedoen",
  pl: "Dołącz",
  uk: "Увійти",
  tr: "Katıl",
  ar: "انضمام",
  he: "הצטרפות",
  hi: "जुड़ें",
  zh: "加入",
  ja: "参加",
};

const RIGHT_TO_LEFT = ["ar", "he"];

const PHONE = { width: 320, height: 640 };

/** Everything that has a text of the page and not a person's. */
const TEXTS = "button, .button, .chip, summary, .menu a, footer a, h2, h3, label, .hint, .unit, .since, .empty, .aside, p";

/** The texts that are wider than their place, or stand out of the window. */
async function cutTexts(page: Page): Promise<string[]> {
  await waitForAnimations(page);
  return page.evaluate((texts) => {
    const cut = [...document.querySelectorAll<HTMLElement>(texts)].filter((element) => {
      // What only screen readers read is cut on purpose.
      if (!element.checkVisibility({ visibilityProperty: true }) || element.clientWidth <= 1) return false;
      const { left, right } = element.getBoundingClientRect();
      const isOutside = left < -1 || right > document.documentElement.clientWidth + 1;
      return isOutside || (getComputedStyle(element).display !== "inline" && element.scrollWidth > element.clientWidth);
    });
    return cut.map((element) => `${element.localName}.${element.className}: ${element.textContent}`);
  }, TEXTS);
}

/** So many languages are in one test: until somebody is away takes half a minute. */
const LANGUAGES_IN_A_TEST = 5;

const LANGUAGES = Object.keys(JOIN);

for (let first = 0; first < LANGUAGES.length; first += LANGUAGES_IN_A_TEST) {
  const languages = LANGUAGES.slice(first, first + LANGUAGES_IN_A_TEST);
  test(`no text is cut on a phone in ${languages.join(", ")}`, async ({ newVisitor, server, clients, room }, testInfo) => {
    testInfo.setTimeout(240_000);
    const [bo] = await clients.joinInOrder(server, room, ["Bo", "Ana", "Cy", "Di", "Ed", "Flo", "Gil", "Hal"]);
    bo?.send({ event: "visible", visible: false });
    for (const language of languages) {
      await test.step(language, async () => {
        const visitor = await newVisitor({ viewport: PHONE, reducedMotion: "reduce" });
        await visitStates(visitor, room, language);
        await visitor.context.close();
      });
    }
  });
}

/** The page of a room before joining, joined with somebody away, and with its menus open. */
async function visitStates(visitor: Visitor, room: string, language: string): Promise<void> {
  const { page } = visitor;
  const isWhole = async (state: string) => {
    expect.soft(await cutTexts(page), `${language}, ${state}`).toEqual([]);
    await expectNoHorizontalScroll(page);
    await expectNoAxeViolations(page);
  };
  await page.goto(`/r/${room}?lang=${language}`);
  await visitor.isLive();
  await expect(visitor.html).toHaveAttribute("lang", language);
  await expect(visitor.html).toHaveAttribute("dir", RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr");
  const joinButton = page.locator(".name-form .primary");
  await expect(joinButton).toHaveText(JOIN[language]!);
  await isWhole("before joining");

  await page.locator("#name").fill("Kim");
  await joinButton.click();
  await expect(visitor.ownName).toHaveText("Kim");
  await expect(page.locator("#roster [data-state=away]")).toHaveCount(1, UNTIL_AWAY);
  await expect(page.locator(".chip").first()).toBeVisible();
  await isWhole("joined, with one person away");

  await visitor.openMenu();
  await visitor.menu.locator("summary").click();
  await isWhole("the page's menu");
  await visitor.closeMenu();
  await visitor.openOwnMenu();
  await isWhole("the menu of the card");
  await visitor.closeMenu();
  await visitor.openInvitation();
  await isWhole("the invitation");
}

test("a language that was chosen in the menu is kept", async ({ newVisitor, room }) => {
  const visitor = await newVisitor({ locale: "fr-CH" });
  const { page } = visitor;
  await visitor.open(room);
  await expect(visitor.html).toHaveAttribute("lang", "fr");
  await visitor.openMenu();
  await visitor.menu.locator("summary").click();
  await visitor.menu.getByRole("link", { name: "Deutsch" }).click();
  await expect(page).toHaveURL(/\?lang=de$/);
  await expect(visitor.html).toHaveAttribute("lang", "de");
  for (const path of [`/r/${room}`, `/r/${room}-2`, "/privacy", `/r/${room}/embed`]) {
    await page.goto(path);
    await expect(visitor.html, path).toHaveAttribute("lang", "de");
  }
});

for (const [locale, language] of [
  ["pl-PL", "pl"],
  ["zh-TW", "zh"],
  ["he-IL", "he"],
  ["sv-SE", "en"],
] as const) {
  test(`a browser in ${locale} gets the page in ${language}`, async ({ newVisitor, room }) => {
    const visitor = await newVisitor({ locale });
    await visitor.open(room);
    await expect(visitor.html).toHaveAttribute("lang", language);
    await expect(visitor.page.locator(".name-form .primary")).toHaveText(JOIN[language]!);
  });
}
