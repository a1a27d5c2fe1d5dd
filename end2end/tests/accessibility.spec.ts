// Everyone can use the page: axe in every state, the keyboard alone, and what is said aloud.

import AxeBuilder from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";

import { BigRoom } from "../support/big-room";
import { NO_CONNECTION, NOT_FOUND } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll, hasComeToRest } from "../support/layout";
import { UNTIL_A_PAGE_HAS_HEALED, UNTIL_A_ROW_IS_GONE } from "../support/visitor";

/** Twins, other scripts and directions, emoji, markup, and names that no row is wide enough for. */
const NAMES = [
  "Ana Sousa",
  "Kim",
  "Kim",
  "Ирина Петрова",
  "مريم الحداد",
  "李小龍",
  "🙂 Sunny",
  "<b>Bo</b>",
  "A very long name that does not fit a row",
  "W".repeat(40),
];

/** How far the tab key is followed: no page has more stops before what is looked for. */
const MOST_STOPS = 30;

test.describe("axe finds nothing", () => {
  test("in an empty room", async ({ newVisitor, room }) => {
    const visitor = await newVisitor();
    await visitor.open(room);
    await expect(visitor.emptyRoom).toBeVisible();
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("before joining, with people in the room", async ({ newVisitor, server, crowd, room }) => {
    await crowd.joinInOrder(server, room, NAMES);
    const visitor = await newVisitor();
    await visitor.open(room);
    await visitor.shows(NAMES);
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("when joined", async ({ newVisitor, server, crowd, room }) => {
    await crowd.joinInOrder(server, room, NAMES);
    const visitor = await newVisitor();
    await visitor.openAndJoin(room, "Olu");
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("when joined under the longest name", async ({ newVisitor, room }) => {
    const visitor = await newVisitor();
    await visitor.openAndJoin(room, "W".repeat(40));
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("while a new name is asked for", async ({ newVisitor, room }) => {
    const visitor = await newVisitor();
    await visitor.openAndJoin(room, "Ana");
    await visitor.renameButton.click();
    await expect(visitor.newNameField).toBeVisible();
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("with a refused name", async ({ newVisitor, room }) => {
    const visitor = await newVisitor();
    await visitor.open(room);
    await visitor.nameField.fill("x".repeat(41));
    await visitor.joinButton.click();
    await expect(visitor.nameError).toBeVisible();
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("while reconnecting", async ({ newVisitor, mortalServer, crowd, complaints, room }) => {
    complaints.areProvoked(NO_CONNECTION);
    await crowd.joinInOrder(mortalServer, room, NAMES);
    const visitor = await newVisitor({ of: mortalServer });
    await visitor.openAndJoin(room, "Olu");
    await mortalServer.kill();
    await visitor.saysThatTheConnectionIsLost();
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("with two hundred people, found and not found", async ({ newVisitor, room }) => {
    const visitor = await newVisitor();
    await BigRoom.for(visitor.page, 200);
    await visitor.open(room);
    await expect(visitor.count).toHaveText("200");
    await expectAccessibleInEveryLook(visitor.page);
    await visitor.sortButton.click();
    await visitor.findField.fill("nobody is called that");
    await expect(visitor.found).toContainText("Nobody");
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("with a second tab, and with what has happened", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    const visitor = await newVisitor();
    await visitor.openAndJoin(room, "Olu");
    await visitor.activity.locator("summary").click();
    await expectAccessibleInEveryLook(visitor.page);
    for (const name of NAMES) {
      await crowd.join(server, room, name);
      await expect(visitor.happenings.first()).toContainText(name);
    }
    await visitor.muteButton.click();
    const secondTab = await visitor.openTab();
    await secondTab.open(room);
    await expect(visitor.someoneElseButton).toBeVisible();
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("on the 404 page", async ({ newVisitor, complaints }) => {
    complaints.areProvoked(NOT_FOUND);
    const visitor = await newVisitor();
    await visitor.page.goto("/r/a_b");
    await expectAccessibleInEveryLook(visitor.page);
  });

  test("without scripts", async ({ newVisitor, server, crowd, room }) => {
    await crowd.joinInOrder(server, room, NAMES);
    // axe is a script, and runs in the page: so what is looked at is the page before its own do.
    const visitor = await newVisitor();
    await visitor.page.route("**/*.wasm", () => undefined);
    await visitor.page.goto(`/r/${room}`);
    await visitor.shows(NAMES);
    await expectAccessibleInEveryLook(visitor.page);
  });
});

test.describe("the keyboard alone", () => {
  test("is enough to join, rename and leave, and is never lost", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    const { keyboard } = ana.page;
    await ana.open(room);

    // Into the field from the top of the page.
    await ana.page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await tabTo(ana.nameField);
    await keyboard.type("Ana");
    await keyboard.press("Enter");
    await expect(ana.you).toContainText("You are here as Ana");
    await expectKeyboardIsSomewhere(ana.page);

    await tabTo(ana.renameButton);
    await keyboard.press("Enter");
    await expect(ana.newNameField).toBeFocused();
    await keyboard.press("ControlOrMeta+A");
    await keyboard.type("Ann");
    await keyboard.press("Enter");
    await expect(ana.you).toContainText("You are here as Ann");
    await expect(ana.newNameField).toHaveCount(0);
    await expectKeyboardIsSomewhere(ana.page);

    await tabTo(ana.renameButton);
    await keyboard.press("Space");
    await expect(ana.newNameField).toBeFocused();
    await tabTo(ana.cancelButton);
    await keyboard.press("Enter");
    await expect(ana.newNameField).toHaveCount(0);
    await expectKeyboardIsSomewhere(ana.page);

    await tabTo(ana.renameButton);
    await keyboard.press("Enter");
    await expect(ana.newNameField).toBeFocused();
    await keyboard.press("Escape");
    await expect(ana.newNameField).toHaveCount(0);
    await expectKeyboardIsSomewhere(ana.page);

    await tabTo(ana.leaveButton);
    await keyboard.press("Enter");
    await expect(ana.nameField).toBeFocused();
    await ana.shows([]);
  });

  test("is enough to find somebody, to change the order and to read what happened", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    await crowd.joinInOrder(server, room, ["Zoe", "Bo", "Ana"]);
    const visitor = await newVisitor();
    const { keyboard } = visitor.page;
    await visitor.open(room);
    await visitor.page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await tabTo(visitor.activity.locator("summary"));
    await keyboard.press("Enter");
    await tabTo(visitor.muteButton);
    await keyboard.press("Space");
    await expect(visitor.muteButton).toHaveAttribute("aria-pressed", "true");
    await tabTo(visitor.findField);
    await keyboard.type("o");
    await expect(visitor.names).toHaveText(["Zoe", "Bo"]);
    await tabTo(visitor.sortButton);
    await keyboard.press("Space");
    await expect(visitor.names).toHaveText(["Bo", "Zoe"]);
    await expect(visitor.sortButton).toBeFocused();
  });

  test("stays where it is while others come and go", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await ana.leaveButton.focus();
    const bo = await crowd.join(server, room, "Bo");
    await ana.shows(["Ana", "Bo"]);
    bo.send({ event: "leave" });
    await ana.shows(["Ana"]);
    await expect(ana.leaveButton).toBeFocused();
  });

  test("is not lost with the banner when the page has healed", async ({
    newVisitor,
    mortalServer,
    complaints,
    room,
  }) => {
    complaints.areProvoked(NO_CONNECTION);
    const ana = await newVisitor({ of: mortalServer });
    await ana.openAndJoin(room, "Ana");
    await mortalServer.kill();
    await ana.saysThatTheConnectionIsLost();
    await ana.tryNowButton.focus();
    await mortalServer.start();
    await ana.hasHealed();
    await expectKeyboardIsSomewhere(ana.page);
  });
});

test.describe("what is said aloud", () => {
  test("tells of those who come and go", async ({ newVisitor, server, crowd, room }) => {
    const ana = await newVisitor();
    await ana.open(room);
    // A screen reader hears a region only if it was there before its words.
    await expect(ana.announcer).toHaveAttribute("role", "status");
    await expect(ana.announcer).toHaveText("");
    await ana.join("Ana");

    const bo = await crowd.join(server, room, "Bo");
    await expect(ana.announcer).toHaveText(/\bBo joined/);
    await bo.leave();
    await expect(ana.announcer).toHaveText(/\bBo closed the page/, UNTIL_A_ROW_IS_GONE);
  });

  test("counts the many who come at once", async ({ newVisitor, server, crowd, room }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const said: string[] = [];
    await ana.page.exposeFunction("heard", (text: string) => said.push(text));
    await ana.announcer.evaluate((region) => {
      const { heard } = window as unknown as { heard: (text: string) => void };
      new MutationObserver(() => heard(region.textContent ?? "")).observe(region, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    const names = Array.from({ length: 37 }, (_, index) => `Person ${index + 1}`);
    await crowd.joinTogether(server, room, names);
    await expect(ana.count).toHaveText("38");
    await expect.poll(() => said.at(-1)).toMatch(/\d+ people joined/);
    // In batches, and not one sentence for each.
    expect(new Set(said).size).toBeLessThan(15);
  });

  test("tells that the connection is lost, and that it is back", async ({
    newVisitor,
    mortalServer,
    complaints,
    room,
  }) => {
    complaints.areProvoked(NO_CONNECTION);
    const ana = await newVisitor({ of: mortalServer });
    await ana.openAndJoin(room, "Ana");
    await mortalServer.kill();
    await expect(ana.announcer).toContainText(/connection lost/i, UNTIL_A_PAGE_HAS_HEALED);
    await mortalServer.start();
    await expect(ana.announcer).toContainText(/connected again/i, UNTIL_A_PAGE_HAS_HEALED);
  });
});

test.describe("whatever the reader's browser is set to", () => {
  for (const [setting, name, neighbour] of [
    ["a name from right to left", "مريم الحداد (2)", "Kim"],
    ["a name in both directions", "(1) Ana שלום", "Kim"],
  ] as const) {
    test(`${setting} leaves its neighbours where they are`, async ({
      newVisitor,
      server,
      crowd,
      room,
    }) => {
      await crowd.joinInOrder(server, room, [name, neighbour, name]);
      const visitor = await newVisitor();
      await visitor.openAndJoin(room, name);
      // In a row the avatar is left of the name, and the mark of a twin or of oneself right of it.
      for (const row of await visitor.rows.all()) {
        const avatar = await row.locator(".avatar").boundingBox();
        const bdi = await row.locator("bdi").boundingBox();
        expect(avatar?.x).toBeLessThan(bdi?.x ?? 0);
        for (const mark of await row.locator(".twin:visible, .you:visible").all()) {
          expect((await mark.boundingBox())?.x).toBeGreaterThan(bdi?.x ?? Infinity);
        }
      }
      // In a sentence, too: its beginning, which is where a line may break, is right of what is before it.
      const words = await visitor.you.locator("p").first().boundingBox();
      const own = await visitor.you.locator("bdi").evaluate((bdi) => bdi.getClientRects()[0]?.x);
      expect(own).toBeGreaterThan(words?.x ?? Infinity);
    });
  }

  test("nothing moves for those who asked for less of it", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    const visitor = await newVisitor({ reducedMotion: "reduce" });
    await visitor.openAndJoin(room, "Ana");
    const animations: string[] = [];
    await visitor.page.exposeFunction("moved", (what: string) => animations.push(what));
    await visitor.page.evaluate(() => {
      const { moved } = window as unknown as { moved: (what: string) => void };
      for (const kind of ["transitionrun", "animationstart"]) {
        document.addEventListener(kind, (event) => moved(`${kind} ${(event.target as Element).className}`));
      }
    });
    const bo = await crowd.join(server, room, "Bo");
    await visitor.shows(["Ana", "Bo"]);
    bo.send({ event: "leave" });
    await visitor.shows(["Ana"]);
    await visitor.renameButton.hover();
    await visitor.activity.locator("summary").click();
    expect(animations).toEqual([]);
  });

  test("with a type of twice the size nothing is cut off or scrolled sideways", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    await crowd.joinInOrder(server, room, NAMES);
    const visitor = await newVisitor();
    await visitor.openAndJoin(room, "Olu");
    await visitor.activity.locator("summary").click();
    for (const width of [640, 1280]) {
      await visitor.page.setViewportSize({ width, height: 800 });
      await visitor.page.evaluate(() => (document.documentElement.style.fontSize = "32px"));
      await expectNoHorizontalScroll(visitor.page);
      for (const part of [".since", ".who", ".avatar"]) {
        for (const element of await visitor.roster.locator(part).all()) {
          const own = await element.boundingBox();
          const row = await element.locator("xpath=ancestor::li").boundingBox();
          const end = (own?.y ?? Infinity) + (own?.height ?? 0);
          expect(end).toBeLessThanOrEqual((row?.y ?? 0) + (row?.height ?? 0) + 1);
        }
      }
    }
  });

  test("with forced colours a state is told by shape, and the keyboard is seen", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    await crowd.joinInOrder(server, room, ["Bo"]);
    const visitor = await newVisitor({ forcedColors: "active" });
    await visitor.openAndJoin(room, "Ana");
    const border = (selector: string) =>
      visitor.page.locator(selector).first().evaluate((element) => getComputedStyle(element).border);
    expect(await border(".row:not(.is-you)")).not.toEqual(await border(".row.is-you"));
    await visitor.sortButton.focus();
    await visitor.page.keyboard.press("Space");
    await expect(visitor.sortButton).toHaveAttribute("aria-pressed", "true");
    const look = await visitor.sortButton.evaluate((button) => ({
      mark: getComputedStyle(button, "::before").content,
      outline: getComputedStyle(button).outlineStyle,
    }));
    expect(look.mark).toContain("✓");
    expect(look.outline).toBe("solid");
  });
});

/** No violation and nothing to scroll sideways, in light and in dark, on a phone and on a desk. */
async function expectAccessibleInEveryLook(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [320, 1280]) {
      await test.step(`${colorScheme}, ${width} px`, async () => {
        // A colour on its way to another has a contrast that nobody chose.
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width, height: 800 });
        await hasComeToRest(page);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const findings = violations.flatMap(({ id, help, nodes }) =>
          nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target} ${failureSummary}`),
        );
        expect.soft(findings).toEqual([]);
        await expectNoHorizontalScroll(page);
      });
    }
  }
}

/** Presses the tab key until this has the keyboard. */
async function tabTo(target: Locator): Promise<void> {
  const page = target.page();
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`The tab key does not lead to ${target}.`);
}

/** Something in the page has the keyboard, so that the next key goes on from there. */
async function expectKeyboardIsSomewhere(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.closest("main") !== null))
    .toBe(true);
}
