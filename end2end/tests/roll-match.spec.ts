// Who of an expected list is here: the pure modules of the roll, without a page.

import { expect, test } from "@playwright/test";

import { answer, matchRoll, rollOf, wordsOf, type Answer, type Person } from "../../public/roll-match.js";
import { namesIn, textOfFile } from "../../public/roll-names.js";
import { encoded, OLD_TEAMS, OLD_TEAMS_IN_GERMAN, TEAMS, TEAMS_IN_GERMAN, ZOOM } from "../support/participant-files";

/** People of these names; `ids` are their places. */
function people(...names: string[]): Person[] {
  return names.map((name, index) => ({ id: `id-${index}`, name, joined: 1_790_000_000 + index }));
}

/** The bytes of a buffer alone: Node shares memory between small ones. */
function bytesOf({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

/** Who is here, missing, in question and not on the list, by name. */
function roll(expected: readonly string[], here: readonly Person[], answers: readonly Answer[] = []) {
  const result = matchRoll(rollOf(expected), here, answers);
  return {
    here: result.here.map(({ expected, people }) => [expected.name, ...people.map(({ name }) => name)].join(" = ")),
    unclear: result.unclear.map(({ name }) => name),
    missing: result.missing.map(({ name }) => name),
    questions: result.questions.map(
      ({ person, candidates }) => `${person.name}: ${candidates.map(({ name }) => name).join(", ")}`,
    ),
    strangers: result.strangers.map(({ name }) => name),
  };
}

test("names that differ in case, accents, width, spaces and punctuation are one name", () => {
  for (const [one, other] of [
    ["José Silva", "JOSE  SILVA"],
    ["Jürgen Weiß-Çelik", "jurgen weiss celik"],
    ["Łukasz Żak", "lukasz zak"],
    ["Ørsted", "orsted"],
    ["Işık", "ISIK"],
    ["Ærø", "aero"],
    ["O’Brien", "O'Brien"],
    ["Ｂｏｂ Ｌｅｅ", "bob lee"],
    ["ΓΙΏΡΓΟΣ", "γιωργος"],
    ["Фёдор", "федор"],
    ["مُحَمَّدٌ", "محمد"],
    ["שָׁלוֹם", "שלום"],
    ["🙂 Sunny", "Sunny"],
    ["ﬁona", "Fiona"],
    ["ｻｸﾗ", "サクラ"],
    ["Zoe\u0308", "Zoë"],
    ["Lopez, Maria", "Maria Lopez"],
  ] as const) {
    expect(wordsOf(one), `${one}, ${other}`).toEqual(wordsOf(other));
  }
  for (const [one, other] of [
    ["Андрей", "Андреи"],
    ["के", "का"],
    ["かな", "がな"],
    ["🙂", "🎉"],
    ["李", "杏"],
  ] as const) {
    expect(wordsOf(one), `${one}, ${other}`).not.toEqual(wordsOf(other));
  }
});

test("either order of first and last name is a match, and no other order", () => {
  const expected = ["Lopez, Maria", "Wei Li", "李小龍", "Maria Jose Garcia"];
  expect(roll(expected, people("Maria Lopez", "Li Wei", "李 小龍", "Garcia Maria Jose"))).toEqual({
    here: ["Lopez, Maria = Maria Lopez", "Wei Li = Li Wei", "李小龍 = 李 小龍", "Maria Jose Garcia = Garcia Maria Jose"],
    unclear: [],
    missing: [],
    questions: [],
    strangers: [],
  });
  expect(roll(["Maria Jose Garcia"], people("Jose Maria Garcia"))).toEqual({
    here: [],
    unclear: ["Maria Jose Garcia"],
    missing: [],
    questions: ["Jose Maria Garcia: Maria Jose Garcia"],
    strangers: [],
  });
});

test("two people whose names are each other's in the other order stay two", () => {
  const both = ["Li Wei", "Wei Li"];
  expect(roll(both, people("Wei Li")).missing).toEqual(["Li Wei"]);
  expect(roll(both, people("Wei Li", "Li Wei")).missing).toEqual([]);
  // Both people may be the one who is expected: the name in this order is, and the other is asked about.
  const one = roll(["Li Wei"], people("Wei Li", "Li Wei"));
  expect(one.here).toEqual(["Li Wei = Li Wei"]);
  expect(one.questions).toEqual(["Wei Li: Li Wei"]);
});

test("what is similar is asked, and never assumed", () => {
  for (const [name, expected] of [
    ["Zé", "José Silva"],
    ["Maria", "Maria Lopez"],
    ["Maria L.", "Maria Lopez"],
    ["M. Lopez", "Maria Lopez"],
    ["Maria Lopez", "Maria L."],
    ["Maria Lopez (iPad)", "Maria Lopez"],
    ["Jon Smyth", "John Smith"],
    ["Jon S.", "John Smith"],
    ["Annemarie Dubois", "Anne Marie Dubois"],
    ["Max Braun", "Maximilian Braun"],
    ["Beth", "Elizabeth Moss"],
    ["Maria Lopez", "Maria Silva Lopez"],
    ["Jhon Smith", "John Smith"],
    ["Katya Ivanova", "Ivanova, Ekaterina"],
  ] as const) {
    expect(roll([expected], people(name)), `${name}, ${expected}`).toEqual({
      here: [],
      unclear: [expected],
      missing: [],
      questions: [`${name}: ${expected}`],
      strangers: [],
    });
  }
  for (const [name, expected] of [
    ["Maria Silva", "Maria Lopez"],
    ["Ana", "Olu"],
    ["M", "Maria Lopez"],
    ["Mickey Mouse", "Maria Lopez"],
    ["Dan", "Ann"],
    ["李小龍", "李小狼"],
  ] as const) {
    expect(roll([expected], people(name)).questions, `${name}, ${expected}`).toEqual([]);
  }
});

test("a name that may be one of two is one question with both", () => {
  const expected = ["Maria Lopez", "Maria Silva", "Mario Rossi"];
  expect(roll(expected, people("Maria")).questions).toEqual(["Maria: Maria Lopez, Maria Silva"]);
  // The most similar alone.
  expect(roll(["John Smith", "John Smithers"], people("Jon Smith")).questions).toEqual(["Jon Smith: John Smith"]);
  // Who is here under their own name is not asked about again.
  expect(roll(expected, people("Maria", "Maria Silva")).questions).toEqual(["Maria: Maria Lopez"]);
});

test("answers are remembered by name, and end when two people have it", () => {
  const expected = ["José Silva", "Maria Lopez"];
  const [ze] = people("Zé");
  const [jose, maria] = rollOf(expected).names;
  if (!ze || !jose || !maria) throw new Error("nobody");
  const yes = [answer(ze, jose, true)];
  expect(roll(expected, people("Zé"), yes).here).toEqual(["José Silva = Zé"]);
  // Another browser, tomorrow.
  expect(roll(expected, [{ ...ze, id: "new", name: "ZE" }], yes).here).toEqual(["José Silva = ZE"]);
  // Two of that name: the answer was about one of them.
  const two = roll(expected, people("Zé", "Zé"), yes);
  expect(two.here).toEqual(["José Silva = Zé"]);
  expect(two.strangers).toEqual(["Zé"]);

  const no = [answer(ze, jose, false)];
  expect(roll(expected, people("Zé"), no)).toMatchObject({ missing: expected, questions: [], strangers: ["Zé"] });
  // About a name that is no longer expected.
  expect(roll(["Maria Lopez"], people("Zé"), yes).strangers).toEqual(["Zé"]);
  // Contradictory answers about people who have the name are no answer about a third one.
  const both = [...yes, { ...answer(ze, maria, true), id: "other" }];
  expect(roll(expected, [{ ...ze, id: "third" }], both).questions).toEqual(["Zé: José Silva"]);
});

test("a name that was pasted twice counts once, and people who are here twice too", () => {
  const { names, repeated } = rollOf(["Ana Sousa", "Bo", "ANA SOUSA", "Sousa, Ana"]);
  expect(names.map(({ name }) => name)).toEqual(["Ana Sousa", "Bo"]);
  expect(repeated.map(({ name, times }) => [name, times])).toEqual([["Ana Sousa", 3]]);
  expect(roll(["Ana Sousa", "Bo"], people("Ana Sousa", "ana sousa"))).toEqual({
    here: ["Ana Sousa = Ana Sousa = ana sousa"],
    unclear: [],
    missing: ["Bo"],
    questions: [],
    strangers: [],
  });
});

test("umlauts may be written as two letters", () => {
  for (const [name, expected] of [
    ["Bjoern", "Björn"],
    ["Anna Krüger", "Krueger, Anna"],
    ["Mueller Anna", "Anna Müller"],
    ["Soeren Aagaard", "Søren Ågaard"],
  ] as const) {
    expect(roll([expected], people(name)).here, `${name}, ${expected}`).toEqual([`${expected} = ${name}`]);
  }
  // Two different names.
  expect(roll(["Michal Novak"], people("Michael Novak")).here).toEqual([]);
  expect(roll(["Björn", "Bjoern"], people("Bjoern")).missing).toEqual(["Björn"]);
});

test("a family name is asked about while nobody else has it", () => {
  const expected = ["Ivanova, Ekaterina", "Moss, Elena"];
  expect(roll(expected, people("Katya Ivanova")).questions).toEqual(["Katya Ivanova: Ivanova, Ekaterina"]);
  expect(roll(expected, people("Katya Ivanova", "Vera Ivanova")).questions).toEqual([]);
  expect(roll([...expected, "Ivanova, Olga"], people("Katya Ivanova")).questions).toEqual([]);
  expect(roll(expected, people("Katya Ivanova", "Ekaterina Ivanova")).strangers).toEqual(["Katya Ivanova"]);
});

test("a note behind a name is not compared, and tells two people of one name apart", () => {
  expect(roll(["Paul Klein (krank)"], people("Paul Klein")).here).toEqual(["Paul Klein (krank) = Paul Klein"]);
  expect(roll(["Paul Klein (krank)"], people("Paul Klein (krank)")).here).toHaveLength(1);
  expect(rollOf(["Paul Klein (krank)", "Paul Klein"]).names).toHaveLength(1);
  expect(roll(["(krank)"], []).missing).toEqual(["(krank)"]);

  const two = ["Maria Lopez", "Maria Lopez (2)"];
  expect(roll(two, people("Maria Lopez", "Maria Lopez")).here).toHaveLength(2);
  // It is not known which one.
  expect(roll(two, people("Maria Lopez"))).toEqual({
    here: [],
    unclear: two,
    missing: [],
    questions: ["Maria Lopez: Maria Lopez, Maria Lopez (2)"],
    strangers: [],
  });
  const [maria] = people("Maria Lopez");
  const [, second] = rollOf(two).names;
  if (!maria || !second) throw new Error("nobody");
  const answered = roll(two, people("Maria Lopez"), [answer(maria, second, true)]);
  expect(answered).toMatchObject({ here: ["Maria Lopez (2) = Maria Lopez"], missing: ["Maria Lopez"], questions: [] });
  expect(roll(["Ana (7a)", "Ana (7b)"], people("Ana (7b)")).missing).toEqual(["Ana (7a)"]);
});

test("a room of 5,000 is compared with a list of 300", () => {
  const expected = Array.from({ length: 300 }, (_, index) => `Expected ${index} Person`);
  const here = people(...Array.from({ length: 5_000 }, (_, index) => `Guest number ${index}`), ...expected.slice(7));
  expect(roll(expected, here)).toMatchObject({ missing: expected.slice(0, 7), questions: [] });
});

test("names are read one a line, and from what people copy", () => {
  for (const [text, names] of [
    ["Ana Sousa\r\n\r\n  Bo  \n", ["Ana Sousa", "Bo"]],
    ["1. Ana\n2. Bo\n- Cy\n• Di", ["Ana", "Bo", "Cy", "Di"]],
    ["Lopez, Maria\nSilva, José", ["Lopez, Maria", "Silva, José"]],
    ["Lopez, Maria", ["Lopez, Maria"]],
    ["Ana, Bo, Cy", ["Ana", "Bo", "Cy"]],
    ["Maria Lopez <m@x.example>; Bo <bo@x.example>", ["Maria Lopez", "Bo"]],
    ["\ufeffAna\n---\n李小龍", ["Ana", "李小龍"]],
    ["Klasse 9c – Mathematik\nAna\nBo", ["Ana", "Bo"]],
    ["Participants:\nAna\nBo", ["Ana", "Bo"]],
    ["Klasse Karl\nAna", ["Klasse Karl", "Ana"]],
    ["Maria Lopez <m@x.example>\nMaria Lopez <n@x.example>\nBo", ["Maria Lopez", "Maria Lopez (2)", "Bo"]],
    ["", []],
  ] as const) {
    expect(namesIn(text), text).toEqual({ names, isTable: false, isCut: false });
  }
});

test("names are read from the column of a table that has them", () => {
  const names = ["Maria Lopez", "José Silva", "Ana Sousa"];
  for (const table of [
    "No.\tName\tClass\n1\tMaria Lopez\t7a\n2\tJosé Silva\t7a\n3\tAna Sousa\t7b",
    "Vorname;Name;Klasse\nMaria;Lopez;7a\nJosé;Silva;7a\nAna;Sousa;7b",
    'Email,Full Name,Age\nm@x.example,"Maria Lopez",7\nj@x.example,"José Silva",8\na@x.example,Ana Sousa,9',
    "1\tMaria\tLopez\t7a\n2\tJosé\tSilva\t7a\n3\tAna\tSousa\t7b",
    "m@x.example;Maria Lopez\nj@x.example;José Silva\na@x.example;Ana Sousa",
    "Maria Lopez,m@x.example\nJosé Silva,j@x.example\nAna Sousa,a@x.example",
    "Name\nMaria Lopez\nJosé Silva\nAna Sousa",
    "First Name,Last Name\nMaria,Lopez\n\nJosé,Silva\nAna,Sousa",
  ]) {
    expect(namesIn(table), table).toEqual({ names, isTable: true, isCut: false });
  }
  expect(namesIn('"Lopez, Maria"\n"Silva ""Zé"", José"').names).toEqual(["Lopez, Maria", 'Silva "Zé", José']);
  expect(namesIn('Name;Note\n"Ana\nSousa";"a ""b"""\nBo;').names).toEqual(["Ana Sousa", "Bo"]);
});

for (const [program, file, names] of [
  ["Zoom", ZOOM, ["José Silva", "Maria Lopez", "Ana Sousa"]],
  ["Teams", TEAMS, ["Maria Lopez", "José Silva", "Sousa, Ana"]],
  ["Teams in German", TEAMS_IN_GERMAN, ["Maria Lopez", "José Silva", "Sousa, Ana"]],
  ["an older Teams", OLD_TEAMS, ["Maria Lopez", "José Silva", "Sousa, Ana"]],
  ["an older Teams in German", OLD_TEAMS_IN_GERMAN, ["Maria Lopez", "José Silva", "Sousa, Ana"]],
] as const) {
  test(`the participant file of ${program} is read, in UTF-8 and in UTF-16`, () => {
    for (const encoding of ["utf8", "utf16le"] as const) {
      expect(namesIn(textOfFile(bytesOf(encoded(file, encoding)))), encoding).toEqual({ names, isTable: true, isCut: false });
    }
  });
}

test("people of one name in a table are told apart by e-mail address and date of birth", () => {
  const names = ["Maria Lopez", "Bo Lee", "Maria Lopez (2)", "Maria Lopez"];
  for (const table of [
    "Name;E-Mail\nMaria Lopez;a@x.example\nBo Lee;b@x.example\nMaria Lopez;c@x.example\nMaria Lopez;",
    "Vorname;Nachname;Geburtsdatum\nMaria;Lopez;1.2.2012\nBo;Lee;1.2.2012\nMaria;Lopez;3.4.2012\nMaria;Lopez;1.2.2012",
    "Maria Lopez\t2012-02-01\nBo Lee\t2012-02-01\nMaria Lopez\t2012-04-03\nMaria Lopez\t2012-02-01",
  ]) {
    expect([...new Set(namesIn(table).names)], table).toEqual(names.slice(0, 3));
  }
  // Who came twice is one person.
  expect(namesIn("Name,Join Time\nBo Lee,1/2/2026 9:00\nBo Lee,1/2/2026 9:20").names).toEqual(["Bo Lee"]);
});

test("of a text of any length the first 2,000 names are read", () => {
  const names = Array.from({ length: 30_000 }, (_, index) => `Person ${index}`);
  for (const end of ["\n", "\r\n", "\r", "\n\n"]) {
    expect(namesIn(names.join(end))).toEqual({ names: names.slice(0, 2_000), isTable: false, isCut: true });
    expect(namesIn(names.slice(0, 2_000).join(end) + end).isCut).toBe(false);
  }
  // One line without an end.
  expect(namesIn("x".repeat(5_000_000))).toMatchObject({ names: ["x".repeat(200)], isCut: true });
});

test("a file of an older Windows is read", () => {
  const bytes = Uint8Array.from([0x4a, 0x6f, 0x73, 0xe9]);
  expect(textOfFile(bytes.buffer)).toBe("José");
});
