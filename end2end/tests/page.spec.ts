// The page of a room: addresses, first HTML, forms.

import type { Locator } from "@playwright/test";

import { BigRoom } from "../support/big-room";
import { NOT_FOUND } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { numberedPeople } from "../support/names";
import { disconnectedUsers, newUsers } from "../support/protocol";
import { UNTIL_A_ROW_IS_REMOVED, UNTIL_AWAY, Visitor } from "../support/visitor";

test.describe("addresses", () => {
  test("rooms are separate", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    const bo = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(`${room}-b`, "Bo");
    await expect(ana.roomName).toContainText(room);
    await expect(bo.roomName).toContainText(`${room}-b`);

    // The same person has a row of their own in a second room, with another id.
    const anaInTheOther = new Visitor(await ana.context.newPage());
    await anaInTheOther.open(`${room}-b`);
    await anaInTheOther.shows(["Bo"]);
    await anaInTheOther.join("Ana");
    await bo.shows(["Bo", "Ana"]);
    await ana.shows(["Ana"]);
    expect(await anaInTheOther.ownId()).not.toBe(await ana.ownId());
    const changes = newUsers(ana.wire.received).map((user) => user.name);
    expect(changes).not.toContain("Bo");
  });

  test("the address / is the room lobby", async ({ newVisitor }) => {
    const ana = await newVisitor();
    await ana.page.goto("/");
    await ana.isLive();
    await expect(ana.roomName).toContainText("lobby");
    expect(ana.wire.sockets).toEqual([expect.stringMatching("/r/lobby/socket$")]);
  });

  for (const [why, name, sentence] of [
    ["characters that no room has", "a_b", "letters a to z"],
    ["a hyphen at an end", "-team", "letters a to z"],
    ["too long a name", "x".repeat(65), "1 to 64 characters"],
    ["markup", "%3Cscript%3Epwned=1%3C%2Fscript%3E", "letters a to z"],
  ] as const) {
    test(`an invalid room name (${why}) gets a 404 page with the reason`, async ({
      newVisitor,
      browserErrors,
    }) => {
      browserErrors.areExpected(NOT_FOUND);
      const visitor = await newVisitor();
      const response = await visitor.page.goto(`/r/${name}`);
      expect(response?.status()).toBe(404);
      await expect(visitor.page.getByText(sentence)).toBeVisible();
      await visitor.page.getByRole("link", { name: "lobby" }).click();
      await visitor.isLive();
      expect(new URL(visitor.page.url()).pathname).toBe("/");
    });
  }

  test("an unknown address gets a 404 page", async ({ newVisitor, browserErrors }) => {
    browserErrors.areExpected(NOT_FOUND);
    const visitor = await newVisitor();
    const response = await visitor.page.goto("/nowhere");
    expect(response?.status()).toBe(404);
    await expect(visitor.page.getByText("There is no page at this address.")).toBeVisible();
  });

  test("a room name in upper case redirects to lower case", async ({
    newVisitor,
    room,
  }) => {
    const visitor = await newVisitor();
    await visitor.open(room.toUpperCase());
    expect(new URL(visitor.page.url()).pathname).toBe(`/r/${room}`);
    await expect(visitor.roomName).toContainText(room);
  });

  test("/healthz answers while the server runs", async ({ server, request }) => {
    const response = await request.get(`${server.url}/healthz`);
    expect(response.status()).toBe(200);
  });
});

test.describe("a reload", () => {
  test("the first HTML of a listed person shows their own status", async ({
    newVisitor,
    room,
  }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");

    const html = await (await ana.context.request.get(`/r/${room}`)).text();
    const card = /data-testid="you".*<bdi[^>]*>Ana<\/bdi>.*>You're on the list</;
    expect(html).toMatch(card);
    expect(html).not.toContain(">Your name<");
    const strangers = await newVisitor();
    const strangersHtml = await (await strangers.context.request.get(`/r/${room}`)).text();
    expect(strangersHtml).toContain(">Your name<");
    expect(strangersHtml).not.toMatch(card);
  });

  test("a reload of a listed person never shows the form", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    const bo = await newVisitor();
    await ana.page.addInitScript(() => {
      const check = () => {
        if (document.querySelector("form")) Object.assign(window, { aFormWasSeen: true });
      };
      new MutationObserver(check).observe(document, { childList: true, subtree: true });
    });
    const aFormWasSeen = () => ana.page.evaluate(() => "aFormWasSeen" in window);
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    const id = await ana.ownId();
    // The first visit shows the form, so the check works.
    expect(await aFormWasSeen()).toBe(true);

    await ana.page.reload();
    await ana.isLive();
    await ana.isListedAs("Ana");
    await expect(ana.rows).toHaveCount(2);
    await expect(bo.rows).toHaveCount(2);
    expect(await ana.ownId()).toBe(id);
    expect(await aFormWasSeen()).toBe(false);
  });

  test("ten fast reloads cause no change for other people", async ({
    pair,
    server,
    clients,
    room,
  }) => {
    const { ana, bo } = pair;
    const program = await clients.join(server, room, "A program");
    await bo.shows(["Ana", "Bo", "A program"]);

    for (let reload = 0; reload < 10; reload += 1) await ana.page.reload();
    await ana.isLive();
    // A client that disconnects after the last reload is removed, so Ana would have been removed by then.
    await program.leave();
    for (const visitor of [ana, bo]) await visitor.shows(["Ana", "Bo"], UNTIL_A_ROW_IS_REMOVED);
    expect(disconnectedUsers(bo.wire.received)).toEqual([await program.id()]);
    expect(newUsers(bo.wire.received).map((user) => user.id)).not.toContain(await ana.ownId());
  });
});

test.describe("names", () => {
  test("the only form asks for a name, and there is no dialog", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    await ana.open(room);
    // The invitation has a field that can only be read.
    const fields = ana.page.locator("input:not([readonly]), textarea").filter({ visible: true });
    await expect(fields).toHaveCount(1);
    await expect(ana.joinButton).toBeEnabled();
    for (const button of [ana.cancelButton, ana.saveButton, ana.renameButton, ana.leaveButton]) {
      await expect(button).toBeHidden();
    }
    await ana.join("Ana");
    await expect(fields).toHaveCount(0);
    for (const button of [ana.joinButton, ana.cancelButton, ana.saveButton]) {
      await expect(button).toBeHidden();
    }
  });

  test("a name is shown as text, whatever characters it has", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const typed = "<img src=x onerror=window.pwned=1>";
    const names = [
      "<script>window.pwned=1</script>",
      "</script><script>window.pwned=1//",
      "</li><iframe onload=window.pwned=1>",
      `"'><b onclick='pwned=1' x="&amp;&lt;b`,
      "{{constructor}} ${pwned} %s \\u0041",
      "שלום עולם",
      "раураl",
      "__proto__",
    ];
    await clients.joinInOrder(server, room, names);
    const ana = await newVisitor();
    const watcher = await newVisitor();
    await watcher.open(room);
    await ana.openAndJoin(room, typed);
    await ana.isListedAs(typed);
    const late = await newVisitor();
    await late.open(room);

    for (const visitor of [ana, watcher, late]) {
      await visitor.shows([...names, typed]);
      const main = visitor.page.getByRole("main");
      await expect(main.locator("img:not(.code), iframe, b")).toHaveCount(0);
      expect(await visitor.page.evaluate(() => "pwned" in window)).toBe(false);
    }
    // Also in the first HTML and its embedded data.
    const html = await (await late.context.request.get(`/r/${room}`)).text();
    for (const piece of ["<img src=x", "<script>window", "<iframe", "<b onclick"]) {
      expect(html).not.toContain(piece);
    }
  });

  test("white space in a name is normalised", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    await ana.open(room);
    await ana.join("  Ana \t Sousa ");
    await ana.shows(["Ana Sousa"]);
    expect(await ana.names.first().textContent()).toBe("Ana Sousa");
  });

  for (const [fault, name] of [
    ["of 101 characters", "x".repeat(101)],
    ["of nothing but spaces", "   "],
  ] as const) {
    test(`a name ${fault} gets an error under the field, and the visitor can correct it`, async ({
      newVisitor,
      room,
    }) => {
      const ana = await newVisitor();
      await ana.open(room);
      await expect(ana.nameError).toHaveCount(0);
      await ana.nameField.fill(name);
      await ana.nameField.press("Enter");

      await expect(ana.nameError).toBeVisible();
      await expect(ana.nameError).toHaveText(/^[A-Z].* .*\.$/);
      await expect(ana.nameField).toHaveAttribute("aria-invalid", "true");
      await expect(ana.nameField).toHaveAccessibleDescription(await ana.nameError.innerText());
      await expect(ana.nameField).toHaveValue(name);
      await expect(ana.nameField).toBeFocused();
      const field = await ana.nameField.boundingBox();
      const sentence = await ana.nameError.boundingBox();
      expect(sentence?.y).toBeGreaterThan(field?.y ?? Infinity);
      await ana.shows([]);

      await ana.join("Ana");
      await expect(ana.nameError).toHaveCount(0);
      await ana.shows(["Ana"]);
    });
  }

  test("a refused new name keeps the old one, and the visitor can correct it", async ({
    newVisitor,
    room,
  }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await ana.rename("x".repeat(101));
    await expect(ana.nameError).toBeVisible();
    await ana.shows(["Ana"]);

    await ana.newNameField.fill("Ann");
    await ana.saveButton.click();
    await ana.shows(["Ann"]);
    await expect(ana.nameError).toHaveCount(0);
  });

  test("the name field is filled with the last name", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana Sousa");
    await ana.page.goto(`/r/${room}-b`);
    await ana.isLive();
    await expect(ana.nameField).toHaveValue("Ana Sousa");
    await expect(ana.nameField).toBeFocused();
    await ana.page.keyboard.press("Enter");
    await ana.shows(["Ana Sousa"]);

    // Another browser does not have it.
    const bo = await newVisitor();
    await bo.open(room);
    await expect(bo.nameField).toHaveValue("");
  });
});

test.describe("a listed person", () => {
  test("a rename changes the name and keeps the row", async ({ pair }) => {
    const { ana, bo } = pair;
    const id = await ana.ownId();

    await ana.startRename();
    await expect(ana.newNameField).toHaveValue("Ana");
    await ana.newNameField.fill("Ann");
    await ana.saveButton.click();
    for (const visitor of [ana, bo]) {
      await visitor.shows(["Ann", "Bo"]);
      await expect(visitor.rowWithId(id).locator("bdi.user-name")).toHaveText("Ann");
    }
    await ana.isListedAs("Ann");
    // The server sent no departure and no join.
    expect(disconnectedUsers(bo.wire.received)).toEqual([]);
    expect(newUsers(bo.wire.received).map((user) => user.id)).not.toContain(id);
  });

  test("a rename can be cancelled", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    await ana.startRename();
    await ana.newNameField.fill("Ann");
    await ana.cancelButton.click();
    await expect(ana.newNameField).toHaveCount(0);
    await ana.isListedAs("Ana");
    await ana.shows(["Ana"]);
    expect(ana.wire.sent.map((frame) => frame.event)).not.toContain("rename");
  });

  test("leaving removes the row and shows the form again", async ({ pair }) => {
    const { ana, bo } = pair;
    await ana.leave();

    for (const visitor of [ana, bo]) await visitor.shows(["Bo"]);
    await expect(ana.nameField).toBeVisible();
    await expect(ana.you).toHaveCount(0);
    await expect(ana.ownRow).toHaveCount(0);
    await ana.join("Ana again");
    for (const visitor of [ana, bo]) await visitor.shows(["Bo", "Ana again"]);
  });

  test("a second tab of the same browser shares the row", async ({
    pair,
    server,
    clients,
    room,
  }) => {
    const { ana, bo } = pair;
    const secondTab = new Visitor(await ana.context.newPage());
    await secondTab.open(room);
    await secondTab.isListedAs("Ana");
    for (const visitor of [ana, secondTab, bo]) await visitor.shows(["Ana", "Bo"]);

    // The row stays while one of the tabs is open. A client that disconnects after the first tab is
    // removed, so Ana would have been removed by then.
    const program = await clients.join(server, room, "A program");
    await bo.shows(["Ana", "Bo", "A program"]);
    await ana.page.close();
    await program.leave();
    for (const visitor of [secondTab, bo]) {
      await visitor.shows(["Ana", "Bo"], UNTIL_A_ROW_IS_REMOVED);
    }
    expect(disconnectedUsers(bo.wire.received)).toEqual([await program.id()]);
  });

  test("leaving in one tab leaves in all tabs", async ({ newVisitor, room }) => {
    const ana = await newVisitor();
    await ana.openAndJoin(room, "Ana");
    const secondTab = new Visitor(await ana.context.newPage());
    await secondTab.open(room);
    await secondTab.leave();
    for (const visitor of [ana, secondTab]) {
      await visitor.shows([]);
      await expect(visitor.nameField).toBeVisible();
    }
  });
});

test.describe("the page", () => {
  test("the title has the count", async ({ newVisitor, server, clients, room }) => {
    const ana = await newVisitor();
    await ana.open(room);
    await expect(ana.page).toHaveTitle(/\b0\b/);
    await ana.join("Ana");
    await expect(ana.page).toHaveTitle(/\b1\b/);
    const bo = await clients.join(server, room, "Bo");
    await expect(ana.page).toHaveTitle(/\b2\b/);
    const html = await (await ana.context.request.get(`/r/${room}`)).text();
    expect(html).toMatch(/<title>[^<]*\b2\b[^<]*<\/title>/);
    bo.send({ event: "leave" });
    await expect(ana.page).toHaveTitle(/\b1\b/);
  });

  test("an empty room shows a notice until a person joins", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const ana = await newVisitor();
    await ana.open(room);
    await expect(ana.emptyRoom).toBeVisible();
    await ana.shows([]);
    const bo = await clients.join(server, room, "Bo");
    await expect(ana.emptyRoom).toBeHidden();
    await ana.shows(["Bo"]);
    bo.send({ event: "leave" });
    await expect(ana.emptyRoom).toBeVisible();
  });

  test("typing is not disturbed by joins and departures", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const ana = await newVisitor();
    await ana.open(room);
    await ana.page.keyboard.type("An");
    const bo = await clients.join(server, room, "Bo");
    await ana.shows(["Bo"]);
    bo.send({ event: "leave" });
    await ana.shows([]);
    await ana.page.keyboard.type("a");
    await expect(ana.nameField).toHaveValue("Ana");
  });

  test("on a phone the list follows the card, visually and in tab order", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    await clients.joinTogether(server, room, numberedPeople(7));
    const ana = await newVisitor({ viewport: { width: 390, height: 844 } });
    await ana.openAndJoin(room, "Ana");
    await expect(ana.rows).toHaveCount(8);
    await clients.join(server, room, "Bo");
    await expect(ana.activityEntries.first()).toHaveText("Bo joined");
    const top = async (part: Locator) => (await part.boundingBox())?.y ?? Infinity;
    const firstRow = await top(ana.rows.first());
    // The list has to start in the upper half of the screen.
    expect(firstRow).toBeLessThan(422);
    expect(firstRow).toBeLessThan(await top(ana.activity));
    expect(firstRow).toBeGreaterThan(await top(ana.you));
    // The visitor's own controls come first, then those of the list, and then the activity.
    await ana.ownMenuButton.focus();
    for (const next of [ana.searchField, ana.activity.getByRole("list")]) {
      await ana.page.keyboard.press("Tab");
      await expect(next).toBeFocused();
    }
  });

  test("on a phone nine rows are in sight after joining, one's own first", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    await clients.joinTogether(server, room, numberedPeople(14));
    const ana = await newVisitor({ viewport: { width: 390, height: 844 } });
    await ana.openAndJoin(room, "Zoë");
    await expect(ana.rows).toHaveCount(15);
    await expect(ana.rows.first()).toContainText("Zoë");
    // The first one, too, is neither above the window nor under the header.
    for (const index of [0, 8]) await expect(ana.rows.nth(index)).toBeInViewport({ ratio: 1 });
    const header = await ana.page.locator(".page-header").boundingBox();
    const first = await ana.rows.first().boundingBox();
    expect(first?.y).toBeGreaterThanOrEqual((header?.y ?? 0) + (header?.height ?? 0));
  });

  test("a link leads past a long list on a phone, and the sidebar is sticky in wide windows", async ({
    newVisitor,
    room,
  }) => {
    const ana = await newVisitor({ viewport: { width: 390, height: 844 } });
    await BigRoom.openedBy(ana, room, 2_000);
    const activity = ana.activity.getByRole("heading");
    await expect(activity).not.toBeInViewport();
    await ana.openMenu();
    await ana.page.getByRole("link", { name: "Activity" }).click();
    await expect(activity).toBeInViewport({ ratio: 1 });
    // The menu is in nobody's way.
    await expect(ana.menu).toBeHidden();

    await ana.page.setViewportSize({ width: 1440, height: 900 });
    await ana.page.evaluate(() => scrollTo(0, 20_000));
    for (const part of [ana.roomName, ana.joinButton, activity]) await expect(part).toBeInViewport();
    const bottom = async (part: Locator) => part.evaluate((e) => e.getBoundingClientRect().bottom);
    expect(await bottom(ana.joinButton)).toBeLessThan(await bottom(activity));
  });

  test("a sidebar that is higher than the window can be scrolled to its end", async ({
    newVisitor,
    room,
  }) => {
    const ana = await newVisitor({ viewport: { width: 1440, height: 480 } });
    await BigRoom.openedBy(ana, room, 2_000);
    const end = ana.page.getByText("No one has come or gone yet.");
    await ana.page.evaluate(() => scrollTo(0, 0));
    await expect(ana.count).toBeInViewport({ ratio: 1 });
    await expect(end).not.toBeInViewport();
    await ana.page.evaluate(() => scrollTo(0, 20_000));
    await expect(end).toBeInViewport({ ratio: 1 });
    const bottom = async (part: Locator) => part.evaluate((e) => e.getBoundingClientRect().bottom);
    const top = async (part: Locator) => part.evaluate((e) => e.getBoundingClientRect().top);
    expect(await bottom(ana.joinButton)).toBeLessThan(await top(ana.activity));
    // Keyboard focus in the room panel shows all of it, below the page's header.
    const headerEnd = await bottom(ana.page.locator(".page-header"));
    expect(await top(ana.count)).toBeLessThan(headerEnd);
    await ana.nameField.focus();
    await ana.page.keyboard.press("Tab");
    await expect(ana.joinButton).toBeFocused();
    await expect.poll(() => top(ana.count)).toBeGreaterThanOrEqual(headerEnd);
    await expect(ana.joinButton).toBeInViewport({ ratio: 1 });
  });

  test("the link to the room is copied from the invitation", async ({ newVisitor, server, room }) => {
    const ana = await newVisitor({ permissions: ["clipboard-read", "clipboard-write"] });
    // The copied address has no query and no fragment.
    await ana.open(`${room}?from=elsewhere`);
    await ana.page.evaluate(() => (location.hash = "sidebar"));
    await ana.openInvitation();
    await ana.invitation.getByRole("button", { name: "Copy", exact: true }).click();
    await expect(ana.invitation.getByRole("button", { name: "Copied" })).toBeVisible();
    await expect
      .poll(() => ana.page.evaluate(() => navigator.clipboard.readText()))
      .toBe(`${server.url}/r/${room}`);
  });

  test("the link is copied with execCommand where the Clipboard API is not available", async ({
    newVisitor,
    server,
    room,
  }) => {
    const ana = await newVisitor();
    await ana.page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await ana.open(room);
    await ana.openInvitation();
    await ana.invitation.getByRole("button", { name: "Copy", exact: true }).focus();
    await ana.page.keyboard.press("Enter");
    await expect(ana.invitation.getByRole("button", { name: "Copied" })).toBeFocused();
    await ana.closeMenu();
    await ana.nameField.focus();
    await ana.page.keyboard.press("ControlOrMeta+V");
    await expect(ana.nameField).toHaveValue(`${server.url}/r/${room}`);
  });

  test("a visitor who opens a new room stays in this one", async ({ newVisitor, room }) => {
    const kai = await newVisitor();
    const ana = await newVisitor();
    await ana.open(room);
    await kai.openAndJoin(room, "Kai");
    // It is no everyday action: it is in the menu, and not beside "Invite".
    await expect(kai.page.locator(".tools").getByText("New room")).toHaveCount(0);
    await kai.openMenu();
    const link = kai.menu.getByRole("link", { name: "New room" });
    const opened = kai.context.waitForEvent("page");
    await link.click();
    await expect((await opened).getByRole("heading", { name: "New room" })).toBeVisible();
    await kai.shows(["Kai"]);
    await ana.shows(["Kai"]);
  });

  test("the headline and the title count those who are here, and say how many are away", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const [first] = await clients.joinInOrder(server, room, ["Ana", "Bo", "Cy"]);
    first!.send({ event: "visible", visible: false });
    const visitor = await newVisitor();
    const wall = await newVisitor();
    await visitor.open(room);
    await wall.page.goto(`/r/${room}?wall`);
    await wall.isLive();
    for (const { page } of [visitor, wall]) {
      await expect(page.getByText("2 here now · 1 away")).toBeVisible(UNTIL_AWAY);
      await expect(page).toHaveTitle(/^\(2\) /);
    }
    first!.send({ event: "visible", visible: true });
    for (const { page, count } of [visitor, wall]) {
      await expect(count).toHaveText("3");
      await expect(page.getByText("away").filter({ visible: true })).toHaveCount(0);
      await expect(page).toHaveTitle(/^\(3\) /);
    }
  });

  test("a row that animates out is not drawn outside the list's panel", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const [, bo] = await clients.joinInOrder(server, room, ["Ana", "Bo"]);
    const visitor = await newVisitor({ reducedMotion: "no-preference", viewport: { width: 390, height: 900 } });
    await visitor.open(room);
    await visitor.shows(["Ana", "Bo"]);
    // In an object, so that the call ends when the observer is there and not when it has seen the row.
    const observer = await visitor.page.evaluateHandle(() => ({
      drawn: new Promise<{ hasCopy: boolean; bottom: number; edge: number }>((resolve) => {
        new MutationObserver((_, observer) => {
          const copy = document.querySelector(".leaving");
          if (!copy) return;
          observer.disconnect();
          for (const animation of copy.getAnimations()) animation.pause();
          new IntersectionObserver(([entry]) => {
            const edge = document.querySelector(".list-panel")!.getBoundingClientRect().bottom;
            resolve({ hasCopy: true, bottom: entry!.intersectionRect.bottom, edge });
          }).observe(copy);
        }).observe(document.querySelector(".list-panel")!, { childList: true });
      }),
    }));
    bo!.send({ event: "leave" });
    const { hasCopy, bottom, edge } = await observer.evaluate(({ drawn }) => drawn);
    expect(hasCopy).toBe(true);
    expect(bottom).toBeLessThanOrEqual(edge);
  });

  test("the chart ends with the count of now, and its caption says it", async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const people = await clients.joinInOrder(server, room, ["Ana", "Bo", "Cy"]);
    const visitor = await newVisitor();
    people[2]!.send({ event: "leave" });
    people[1]!.send({ event: "visible", visible: false });
    await visitor.open(room);
    await expect(visitor.count).toHaveText("1", UNTIL_AWAY);
    const caption = visitor.page.locator(".past-hour figcaption");
    await expect(caption).toHaveText(/, now 1$/);
  });
});

test("the sticky head of the list leaves the edge of the list's panel free", async ({ newVisitor, server, clients, room }) => {
  await clients.joinTogether(server, room, numberedPeople(8));
  const { page } = await newVisitor({ viewport: { width: 390, height: 800 } });
  await page.goto(`/r/${room}`);
  await expect(page.locator(".search")).toBeVisible();
  await expect(page.locator(".list-head")).toHaveCSS("position", "sticky");
  const [panel, head] = await page.evaluate(() =>
    [".list-panel", ".list-head"].map((part) => document.querySelector(part)!.getBoundingClientRect().toJSON()),
  );
  // As much as the shadow within the panel, and the border.
  expect(head.left - panel.left).toBeGreaterThanOrEqual(4);
  expect(panel.right - head.right).toBeGreaterThanOrEqual(4);
});
