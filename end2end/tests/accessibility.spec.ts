// Accessibility: announcements, writing directions, and browser settings.
// page-states.spec.ts runs axe on every state.

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { numberedPeople } from "../support/names";
import { expectTabReachesAllControls } from "../support/keyboard";
import { expectNoHorizontalScroll } from "../support/layout";
import { ResumingClient } from "../support/resuming-client";
import { UNTIL_RECONNECTED, UNTIL_A_ROW_IS_REMOVED, type Visitor } from "../support/visitor";

/** Equal names, other scripts and directions, emoji, markup, and names that are wider than a row. */
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
  "W".repeat(100),
];

test("the list has the list role, and a truncated name has a tooltip with the full name", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  const name = "W".repeat(100);
  await visitor.openAndJoin(room, name);
  // Some browsers don't expose a list without bullets as a list unless it has the role.
  await expect(visitor.roster).toHaveAttribute("role", "list");
  await expect(visitor.rows.locator(".who")).toHaveAttribute("title", name);
});

test.describe("the live region", () => {
  test("is in the first HTML, and empty", async ({ server, request, room }) => {
    const html = await (await request.get(`${server.url}/r/${room}`)).text();
    const [, attributes, words] = /<div([^>]*data-testid="announcer"[^>]*)>(.*?)<\/div>/s.exec(html) ?? [];
    expect(attributes).toContain('role="status"');
    expect(words).toBe("");
  });

  test("does not announce a short disconnect of another person", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const bo = new ResumingClient({ server, room, name: "Bo", tab: "t1" });
    await bo.connect();
    await expect(ana.announcer).toHaveText("Bo joined, 2 here now");
    const announcements = await recordAnnouncements(ana);
    const bosRow = ana.rows.filter({ hasText: "Bo" });
    bo.break();
    await expect(bosRow).toHaveAttribute("data-state", "reconnecting");
    await bo.connect();
    await expect(bosRow).toHaveAttribute("data-state", "here");
    await clients.join(server, room, "Cy");
    await expect(ana.announcer).toHaveText("Cy joined, 3 here now");
    expect(announcements.filter((words) => words.includes("Bo"))).toEqual([]);
    bo.abandon();
  });

  test("announces joins and departures", async ({ newVisitor, server, clients, room }) => {
    const ana = await newVisitor();
    await ana.open(room);
    // Screen readers only announce changes of a region that existed before.
    await expect(ana.announcer).toHaveAttribute("role", "status");
    await expect(ana.announcer).toHaveText("");
    await ana.join("Ana");
    // Not just "More", as the button in the page's header.
    await expect(ana.ownMenuButton).toHaveAccessibleName("More Ana You're on the list");

    const bo = await clients.join(server, room, "Bo");
    await expect(ana.announcer).toHaveText(/\bBo joined/);
    await bo.leave();
    await expect(ana.announcer).toHaveText(/\bBo left/, UNTIL_A_ROW_IS_REMOVED);
  });

  test("announces many joins at once as a number", async ({ newVisitor, server, clients, room }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const announcements = await recordAnnouncements(ana);
    const names = numberedPeople(37);
    await clients.joinTogether(server, room, names);
    await expect(ana.count).toHaveText("38");
    await expect.poll(() => announcements.at(-1)).toMatch(/\d+ people joined/);
    // In batches, and not one announcement for each.
    expect(new Set(announcements).size).toBeLessThan(15);
  });

  test("announces a disconnect and the reconnect", async ({
    newVisitor,
    ownServer,
    browserErrors,
    room,
  }) => {
    browserErrors.areExpected(NO_CONNECTION);
    const ana = await newVisitor({ of: ownServer });
    await ana.openAndJoin(room, "Ana");
    await ownServer.kill();
    await expect(ana.announcer).toContainText(/reconnecting/i, UNTIL_RECONNECTED);
    await ownServer.start();
    await expect(ana.announcer).toContainText(/connected again/i, UNTIL_RECONNECTED);
  });
});

test.describe("browser settings and writing directions", () => {
  for (const [setting, name, neighbour] of [
    ["a name from right to left", "مريم الحداد (2)", "Kim"],
    ["a name in both directions", "(1) Ana שלום", "Kim"],
  ] as const) {
    test(`${setting} does not change the order of its neighbours`, async ({
      newVisitor,
      server,
      clients,
      room,
    }) => {
      await clients.joinInOrder(server, room, [name, neighbour, name]);
      const visitor = await newVisitor();
      await visitor.openAndJoin(room, name);
      // In a row the avatar is left of the name, and the marks are right of it.
      for (const row of await visitor.rows.all()) {
        const avatar = await row.locator(".avatar").boundingBox();
        const bdi = await row.locator("bdi").boundingBox();
        expect(avatar?.x).toBeLessThan(bdi?.x ?? 0);
        for (const mark of await row.locator(".namesake:visible, .you:visible").all()) {
          expect((await mark.boundingBox())?.x).toBeGreaterThan(bdi?.x ?? Infinity);
        }
      }
      // The same in the card, whose name begins beside the avatar.
      const avatar = await visitor.you.locator(".avatar").boundingBox();
      const own = await visitor.ownName.evaluate((bdi) => {
        const text = document.createRange();
        text.selectNodeContents(bdi);
        return text.getBoundingClientRect().x;
      });
      const gap = own - ((avatar?.x ?? 0) + (avatar?.width ?? 0));
      expect(gap).toBeGreaterThan(0);
      expect(gap).toBeLessThan(30);
    });
  }

  test("reduced motion turns all animations off", async ({
    newVisitor,
    server,
    clients,
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
    const bo = await clients.join(server, room, "Bo");
    await visitor.shows(["Ana", "Bo"]);
    bo.send({ event: "leave" });
    await visitor.shows(["Ana"]);
    await visitor.openOwnMenu();
    await visitor.renameButton.hover();
    await visitor.closeMenu();
    await visitor.openMenu();
    await visitor.menu.locator("summary").click();
    expect(animations).toEqual([]);
  });

  test("text of twice the size is not cut off and causes no horizontal scrolling", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    await clients.joinInOrder(server, room, NAMES);
    const visitor = await newVisitor();
    await visitor.openAndJoin(room, "Olu");
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

  test("with text of twice the size on a phone, search and times are in the list", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    await clients.joinInOrder(server, room, Array.from({ length: 8 }, (_, index) => `Person ${index}`));
    const visitor = await newVisitor({ viewport: { width: 390, height: 844 } });
    await visitor.openAndJoin(room, "Olu");
    await visitor.page.evaluate(() => (document.documentElement.style.fontSize = "32px"));
    await expectNoHorizontalScroll(visitor.page);
    const panel = (await visitor.page.locator(".list-panel").boundingBox())!;
    const search = (await visitor.page.locator("#find").boundingBox())!;
    expect(search.x + search.width).toBeLessThanOrEqual(panel.x + panel.width);
    for (const since of await visitor.roster.locator(".since").all()) await expect(since).toBeVisible();
    const mark = await visitor.ownRow.locator(".avatar").evaluate((avatar) => getComputedStyle(avatar, "::after").width);
    expect(mark).toBe("26px");
  });

  test("a zoom of 200 % hides and covers nothing", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    await clients.joinInOrder(server, room, NAMES);
    // A window of 1280 by 800 pixels at 200 % has this size in CSS pixels.
    const zoomed = { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 };
    const visitor = await newVisitor(zoomed);
    await visitor.openAndJoin(room, "Olu");
    await expectNoHorizontalScroll(visitor.page);
    await expectTabReachesAllControls(visitor.page);
    const unzoomed = await newVisitor({ viewport: { width: 1280, height: 800 } });
    await unzoomed.openAndJoin(room, "Kim");
    const controls = ({ page }: Visitor) =>
      page.getByRole("button").or(page.getByRole("link")).filter({ visible: true }).allTextContents();
    expect(await controls(visitor)).toEqual(expect.arrayContaining(await controls(unzoomed)));
    for (const name of await visitor.names.all()) await expect(name).toBeVisible();
  });

  test("forced colours keep states distinguishable by shape, and the focus visible", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    await clients.joinInOrder(server, room, ["Bo"]);
    const visitor = await newVisitor({ forcedColors: "active" });
    await visitor.openAndJoin(room, "Ana");
    const border = (selector: string) =>
      visitor.page.locator(selector).first().evaluate((element) => getComputedStyle(element).border);
    expect(await border(".row:not(.is-you)")).not.toEqual(await border(".row.is-you"));
    await visitor.openMenu();
    const { newestFirstButton } = visitor;
    await newestFirstButton.focus();
    await visitor.page.keyboard.press("Space");
    await expect(newestFirstButton).toHaveAttribute("aria-pressed", "true");
    const look = await newestFirstButton.evaluate((button) => ({
      mark: getComputedStyle(button, "::before").content,
      outline: getComputedStyle(button).outlineStyle,
    }));
    expect(look.mark).toContain("✓");
    expect(look.outline).toBe("solid");
  });
});

/** Records all announcements of the live region from now on. */
async function recordAnnouncements(visitor: Visitor): Promise<string[]> {
  const announcements: string[] = [];
  await visitor.page.exposeFunction("heard", (text: string) => announcements.push(text));
  await visitor.announcer.evaluate((region) => {
    const { heard } = window as unknown as { heard: (text: string) => void };
    new MutationObserver(() => heard(region.textContent ?? "")).observe(region, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  return announcements;
}
