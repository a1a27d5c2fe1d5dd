// Everyone can use the page: what is said aloud, and whatever a browser is set to.
// What axe finds is asked for every state, where it is photographed.

import { NO_CONNECTION } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import { numberedPeople } from "../support/names";
import { expectTheKeyboardLeadsEverywhere } from "../support/keyboard";
import { expectNoHorizontalScroll } from "../support/layout";
import { Regular } from "../support/regulars";
import { UNTIL_A_PAGE_HAS_HEALED, UNTIL_A_ROW_IS_GONE, type Visitor } from "../support/visitor";

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

test("the list is one to every screen reader, and a name that is cut can be read in full", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  const name = "W".repeat(40);
  await visitor.openAndJoin(room, name);
  // A list without bullets is none to some browsers, unless it says so.
  await expect(visitor.roster).toHaveAttribute("role", "list");
  await expect(visitor.rows.locator(".who")).toHaveAttribute("title", name);
});

test.describe("what is said aloud", () => {
  test("is said in a region that the first HTML has, empty", async ({ server, request, room }) => {
    const html = await (await request.get(`${server.url}/r/${room}`)).text();
    const [, attributes, words] = /<div([^>]*data-testid="announcer"[^>]*)>(.*?)<\/div>/s.exec(html) ?? [];
    expect(attributes).toContain('role="status"');
    expect(words).toBe("");
  });

  test("does not tell of a connection that was lost for a moment", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const bo = new Regular({ server, room, name: "Bo", tab: "t1" });
    await bo.follows();
    await expect(ana.announcer).toHaveText("Bo joined");
    const said = await everythingSaid(ana);
    const bosRow = ana.rows.filter({ hasText: "Bo" });
    bo.break();
    await expect(bosRow).toHaveAttribute("data-state", "reconnecting");
    await bo.follows();
    await expect(bosRow).toHaveAttribute("data-state", "here");
    await crowd.join(server, room, "Cy");
    await expect(ana.announcer).toHaveText("Cy joined");
    expect(said.filter((words) => words.includes("Bo"))).toEqual([]);
    bo.abandon();
  });

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
    await expect(ana.announcer).toHaveText(/\bBo left/, UNTIL_A_ROW_IS_GONE);
  });

  test("counts the many who come at once", async ({ newVisitor, server, crowd, room }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const said = await everythingSaid(ana);
    const names = numberedPeople(37);
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

  test("a zoom of 200 % hides nothing and covers nothing", async ({
    newVisitor,
    server,
    crowd,
    room,
  }) => {
    await crowd.joinInOrder(server, room, NAMES);
    // To a page, a window of 1280 by 800 pixels at 200 % is this.
    const zoomed = { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 };
    const visitor = await newVisitor(zoomed);
    await visitor.openAndJoin(room, "Olu");
    await expectNoHorizontalScroll(visitor.page);
    await expectTheKeyboardLeadsEverywhere(visitor.page);
    const unzoomed = await newVisitor({ viewport: { width: 1280, height: 800 } });
    await unzoomed.openAndJoin(room, "Kim");
    const controls = ({ page }: Visitor) =>
      page.getByRole("button").or(page.getByRole("link")).filter({ visible: true }).allTextContents();
    // There is one more: the way past the list, to what stands beside it in a wider window.
    expect(await controls(visitor)).toEqual(expect.arrayContaining(await controls(unzoomed)));
    for (const name of await visitor.names.all()) await expect(name).toBeVisible();
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

/** All that the live region comes to say from now on. */
async function everythingSaid(visitor: Visitor): Promise<string[]> {
  const said: string[] = [];
  await visitor.page.exposeFunction("heard", (text: string) => said.push(text));
  await visitor.announcer.evaluate((region) => {
    const { heard } = window as unknown as { heard: (text: string) => void };
    new MutationObserver(() => heard(region.textContent ?? "")).observe(region, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  return said;
}
