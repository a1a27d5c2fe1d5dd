// Names that people have: long ones, pasted ones, refused ones; and searches in many scripts.

import { expect, test } from "../support/fixtures";
import { numberedPeople } from "../support/names";

test("names are listed without what was pasted along", async ({ newVisitor, room }) => {
  const [ana, bo] = [await newVisitor(), await newVisitor()];
  await ana.open(room);
  await ana.nameField.fill("\u202aAna\u200b Ma\u00adria\u202c\ufeff");
  await ana.joinButton.click();
  await bo.open(room);
  await bo.nameField.fill("\u200fמרים כהן");
  await bo.joinButton.click();
  for (const visitor of [ana, bo]) {
    await visitor.shows(["Ana Maria", "מרים כהן"]);
  }
  await ana.isListedAs("Ana Maria");
  // A new name that is the old one, but for marks, changes nothing and closes the form.
  await ana.rename("\u2068Ana Ma\u200bria\u2069");
  await expect(ana.newNameField).toBeHidden();
  await expect(ana.ownMenuButton).toBeVisible();
});

test("a visitor learns that somebody here already has the name", async ({ newVisitor, server, clients, room }) => {
  await clients.join(server, room, "Ana");
  const ana = await newVisitor();
  await ana.open(room);
  await ana.isLive();
  const taken = ana.page.getByText("Somebody here already has this name. Add an initial?");
  await ana.nameField.fill("An");
  await expect(taken).toBeHidden();
  await ana.nameField.pressSequentially("A");
  await expect(taken).toBeVisible();
  await expect(ana.nameField).toHaveAccessibleDescription(/already has this name/);
  // Nobody has to: two people may have one name.
  await ana.nameField.press("Enter");
  await ana.shows(["AnA", "Ana"]);
  await ana.openOwnMenu();
  await ana.renameButton.click();
  // Her own name is no one else's.
  await ana.newNameField.fill("Ana M.");
  await expect(taken).toBeHidden();
});

test("each limit of a name has its own sentence", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  await visitor.open(room);
  for (const [name, sentence] of [
    ["W".repeat(101), "Use at most 100 characters."],
    ["👨‍👩‍👧‍👦".repeat(17), "more than 400 bytes"],
    ["\u202eanA", "a character that reverses text"],
    ["A\ue000na", "can't be shown"],
    ["Z\u0301\u0301\u0301", "too many accents"],
  ] as const) {
    await visitor.nameField.fill(name);
    await visitor.joinButton.click();
    await expect(visitor.nameError).toContainText(sentence);
    await expect(visitor.nameField).toHaveValue(name);
  }
  const longest = "W".repeat(100);
  await visitor.join(longest);
  await expect(visitor.names).toHaveText(longest);
});

/** Everyone in the room of searches. */
const PEOPLE = [
  "Jürgen Weiß-Çelik",
  "Łukasz Żak",
  "Ørsted",
  "Đorđe O’Brien",
  "Işık İnan",
  "Γιώργος ΝΊΚΟΣ",
  "Фёдор Андреев",
  "Андрей",
  "שָׁלוֹם מרים",
  "مُحَمَّدٌ",
  "أحمد مـريـم",
  "فاطمة",
  "फ़ातिमा सिंह",
  "ปิ่น",
  "김철수",
  "サクラ ガッコ",
  "⾦田 龍",
  "Ｂｏｂ ﬁona",
  "გიორგი",
  "Նարեկ",
];

/** What is typed, and who is found, by the number in that list. */
const SEARCHES: readonly (readonly [string, readonly number[]])[] = [
  ["jurgen weiss", [0]],
  ["LUKASZ ZAK", [1]],
  ["orsted", [2]],
  ["dorde o'brien", [3]],
  ["isik inan", [4]],
  ["νικοσ", [5]],
  ["федор", [6]],
  ["андрей", [7]],
  ["АНДРЕЕ", [6]],
  ["שלום", [8]],
  ["מרימ", [8]],
  ["محمد", [9]],
  ["احمد مريم", [10]],
  ["فاطمه", [11]],
  ["फातिमा", [12]],
  ["ปิน", [13]],
  ["김ㅊ", [14]],
  ["さくら", [15]],
  ["ｶﾞｯｺ", [15]],
  ["金田", [16]],
  ["bob fi", [17]],
  ["ᲒᲘᲝᲠᲒᲘ", [18]],
  ["ՆԱՐԵԿ", [19]],
];

test("a search finds what people type, in every script", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  // One after the other: they are listed in this order.
  for (const name of PEOPLE) await clients.join(server, room, name);
  const visitor = await newVisitor();
  await visitor.open(room);
  await expect(visitor.rows).toHaveCount(PEOPLE.length);
  // The names as the server composes them, in the order in which they came.
  await visitor.toggle("newestFirstButton");
  const listed = (await visitor.names.allTextContents()).toReversed();
  for (const [typed, found] of SEARCHES) {
    await visitor.searchField.fill(typed);
    await expect(visitor.found, typed).toHaveText(`${found.length} of ${PEOPLE.length}`);
    await expect(visitor.names, typed).toHaveText(found.map((number) => listed[number]!));
  }
});

test("a search that no name can match shows nobody", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinTogether(server, room, numberedPeople(8));
  const visitor = await newVisitor();
  await visitor.open(room);
  for (const typed of ["x".repeat(201), "a".repeat(50_000), "\u0301", "zz"]) {
    await visitor.searchField.fill(typed);
    await expect(visitor.rows).toHaveCount(0);
    await expect(visitor.found).toHaveText("No one here matches that.");
  }
  await visitor.searchField.fill("  ");
  await expect(visitor.rows).toHaveCount(8);
});

for (const lang of ["en", "ar"]) {
  test(`a name of either direction is cut with a sign, and whole in one's own card: ${lang}`, async ({
    newVisitor,
    server,
    clients,
    room,
  }) => {
    const latin = "Wolfeschlegelsteinhausenbergerdorff von und zu Hohenzollern-Sigmaringen";
    const arabic = "مريم الحداد بنت عبد الله بن محمد الفاسي الفهري التازي الطنجي المكناسي";
    await clients.joinInOrder(server, room, [latin, arabic]);
    const visitor = await newVisitor({ viewport: { width: 320, height: 800 } });
    await visitor.page.goto(`/r/${room}?lang=${lang}`);
    const field = visitor.page.locator("#name");
    await field.fill(latin);
    await field.press("Enter");
    await expect(visitor.page.locator("#roster .row")).toHaveCount(3);
    for (const name of await visitor.page.locator("#roster bdi").all()) {
      expect(await name.evaluate((box) => box.scrollHeight > box.clientHeight)).toBe(true);
      // Aligned against its direction, a cut name has its sign outside of its box.
      const { direction, side } = await name.evaluate((box) => {
        const { direction, textAlign } = getComputedStyle(box);
        return { direction, side: textAlign };
      });
      expect([direction === "ltr" ? "left" : "right", "start"]).toContain(side);
    }
    // What follows a name is beside its last line.
    const boxOf = (part: string) => visitor.page.locator(`.is-you ${part}`).boundingBox();
    const [name, mark] = [await boxOf("bdi"), await boxOf(".you")];
    expect(Math.abs(name!.y + name!.height - mark!.y - mark!.height)).toBeLessThan(4);
    const own = visitor.page.locator("#you-are-here bdi");
    expect(await own.evaluate((box) => box.scrollHeight - box.clientHeight)).toBeLessThanOrEqual(1);
  });
}

test("letters of any width stay within their avatar", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, ["𒐫𒐫𒐫 𒐫", "山田 太郎"]);
  const visitor = await newVisitor();
  for (const view of ["", "?wall", "/embed"]) {
    await visitor.page.goto(`/r/${room}${view}`);
    const avatar = visitor.page.locator(".avatar").first();
    await expect(avatar).toHaveCSS("clip-path", "inset(-3px)");
    await expect(avatar).toHaveCSS("white-space", "nowrap");
  }
});
