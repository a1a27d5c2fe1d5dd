// The names in what somebody pastes or drops: one a line, a table, or the participant file of a video meeting. It
// touches no page.

/** The most names of a list. */
const MOST_NAMES = 2_000;
/** The most letters of a name, and how many of a line are read. */
const LONGEST_NAME = 200;
const LONGEST_LINE = 1_000;
/** How much of a text is read: a list may have empty lines between its names, and much beside them in a table. */
const MOST_LINES = 2 * MOST_NAMES + 100;
const LONGEST_TEXT = 500_000;
/** Within how many lines a table's head has to stand: participant files begin with lines about the meeting. */
const MOST_LINES_BEFORE_HEAD = 40;
const SEPARATORS = ["\t", ";", ","];

/** Heads of the column with whole names, in lower case. */
const NAME_HEADS = [
  "name", "names", "full name", "display name", "user name", "name (original name)", "user name (original name)",
  "participant", "participant name", "student", "student name", "attendee", "attendee name",
  "namen", "vollständiger name", "anzeigename", "name (originalname)", "name (ursprünglicher name)", "benutzername",
  "benutzername (originalname)", "teilnehmername", "schüler", "schülername",
  "nom complet", "nombre completo", "nome completo", "naam", "volledige naam", "imię i nazwisko", "ad soyad",
  "姓名", "名前", "氏名",
];
const FIRST_NAME_HEADS = [
  "first name", "firstname", "given name", "forename", "vorname", "prénom", "nombre", "nome", "voornaam", "imię", "ad",
];
const LAST_NAME_HEADS = [
  "last name", "lastname", "surname", "family name", "nachname", "familienname", "nom", "apellido", "apellidos",
  "cognome", "sobrenome", "achternaam", "nazwisko", "soyad",
];
/** A head beside which "Name" is that of the family. */
const GERMAN_FIRST_NAME = "vorname";
/** What meetings write behind names. */
const ROLE =
  /\s*\((?:guest|gast|unverified|nicht überprüft|external|extern|host|co-host|organizer|organisator|me|ich)\)\s*$/iu;
const DEVICE = /\b(?:ipad|iphone|phone|android|galaxy|pixel|macbook|laptop|handy)\b/iu;
/** "1. ", "2) ", "- " and "• " before a name. */
const BULLET = /^(?:\d+[.)]|[-*•–])\s+/u;
/** A first line that names a class and not a person: "Klasse 9c – Mathematik", "Participants:". */
const HEADING =
  /:$|^(?:klasse|kurs|gruppe|class|course|group|grade|year|classe|cours|groupe|clase|curso|grupo|turma|corso|gruppo|klas|cursus|groep|klasa|grupa|клас|група|sınıf|grup)\s[^,;]*\d/iu;
/** Heads of columns that tell two people of one name apart. */
const BIRTHDAYS = /birth|^dob$|geburt|^geb\b|naissance|nacimiento|nascita|nascimento|geboorte|urodzenia|народження|doğum|生日|出生|誕生|生年月日/u;
const DATE = /^\d{1,4}[-./]\s?\d{1,2}[-./]\s?\d{1,4}$/;
const ADDRESS = /[^\s<>()"',;]+@[^\s<>()"',;]+/u;
const EMAIL = /\s*<[^<>\s]+@[^<>\s]+>|\s*\(?[^\s()<>]+@[^\s()<>]+\)?/gu;

/** The text of a file: UTF-8, or UTF-16 with a byte order mark; older files of Windows are in neither.
 * @param {ArrayBuffer} bytes */
export function textOfFile(bytes) {
  const [first, second] = new Uint8Array(bytes);
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** The names in a text, in order. `isTable` says whether it had more than them, and `isCut` whether the end was not read.
 * @param {string} text
 * @returns {{ names: string[], isTable: boolean, isCut: boolean }} */
export function namesIn(text) {
  const part = beginningOf(text);
  const plain = part.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n").replaceAll("\0", "");
  const found = namesBelowHead(plain) ?? namesOfColumn(plain);
  const people = found ?? linesOf(plain).map((line) => ({ name: line, detail: addressIn(line) }));
  const tidied = people.map(({ name, detail }) => ({ name: tidy(name), detail }));
  const names = numbered(tidied.filter(({ name }) => /[\p{L}\p{N}\p{S}]/u.test(name)));
  const isCut = names.length > MOST_NAMES || /\S/.test(text.slice(part.length, part.length + LONGEST_LINE));
  return { names: names.slice(0, MOST_NAMES), isTable: Boolean(found), isCut };
}

/** As many lines as are read: a text that somebody pastes may have any length.
 * @param {string} text */
function beginningOf(text) {
  const part = text.slice(0, LONGEST_TEXT);
  let lines = 0;
  for (const { 0: end, index } of part.matchAll(/\r\n?|\n/g)) {
    lines += 1;
    if (lines === MOST_LINES) return part.slice(0, index + end.length);
  }
  return part;
}

/** A name, and what tells its person apart from others of that name: an e-mail address or a date of birth.
 * @typedef {{ name: string, detail: string }} Person */

/** The names, where the second person of a name is "Ana Sousa (2)". Whoever has no detail is the first one.
 * @param {readonly Person[]} people */
function numbered(people) {
  /** @type {Map<string, string[]>} */
  const details = new Map();
  return people.map(({ name, detail }) => {
    const known = details.get(name) ?? [];
    details.set(name, known);
    if (detail && !known.includes(detail)) known.push(detail);
    const place = known.indexOf(detail);
    return place > 0 ? `${name} (${place + 1})` : name;
  });
}

/** @param {string} text */
function addressIn(text) {
  const cut = text.slice(0, LONGEST_LINE);
  return cut.includes("@") ? (ADDRESS.exec(cut)?.[0].toLowerCase() ?? "") : "";
}

/** Each name of these people once, where nothing tells two of them apart.
 * @param {readonly Person[]} people */
function distinct(people) {
  return [...new Map(people.map((person) => [`${person.name}\0${person.detail}`, person])).values()];
}

/** @param {string} name */
function tidy(name) {
  const cut = name.slice(0, LONGEST_LINE);
  const [known] = [cut.replace(EMAIL, "").replace(ROLE, ""), cut].filter((text) => text.trim());
  return (known ?? "").replace(/[\s\p{Cc}]+/gu, " ").trim().slice(0, LONGEST_NAME);
}

/** The rows of a table (RFC 4180, with any separator).
 * @param {string} text
 * @param {string} separator */
export function rowsOf(text, separator) {
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let cell = "";
  let isQuoted = false;
  const endCell = () => {
    row.push(cell.trim());
    cell = "";
  };
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index];
    if (isQuoted && letter === '"' && text[index + 1] === '"') {
      cell += letter;
      index += 1;
    } else if (letter === '"' && (isQuoted || cell.trim() === "")) {
      isQuoted = !isQuoted;
      cell = isQuoted ? "" : cell;
    } else if (!isQuoted && letter === separator) {
      endCell();
    } else if (!isQuoted && letter === "\n") {
      endCell();
      rows.push(row);
      row = [];
    } else {
      cell += letter;
    }
  }
  endCell();
  rows.push(row);
  return rows;
}

/** @param {readonly string[]} row */
function isEmpty(row) {
  return row.every((cell) => cell === "");
}

/** The names of a table whose head names their column.
 * @param {string} text */
function namesBelowHead(text) {
  for (const separator of SEPARATORS) {
    if (!text.includes(separator)) continue;
    const rows = rowsOf(text, separator);
    for (const [index, row] of rows.slice(0, MOST_LINES_BEFORE_HEAD).entries()) {
      const read = row.filter(Boolean).length > 1 ? readerOf(row) : undefined;
      if (read) return read(tableAfter(rows, index));
    }
  }
  // One column has no separator.
  const [head = "", ...lines] = text.split("\n").filter((line) => line.trim());
  return lines.length > 0 && NAME_HEADS.includes(lowerCase(head)) ? linesOf(lines.join("\n")).map((line) => ({ name: line, detail: addressIn(line) })) : undefined;
}

/** @param {string} text */
function lowerCase(text) {
  return text.trim().replace(/^"|"$/g, "").normalize("NFC").toLowerCase().replace(/[:*]$/, "");
}

/** The rows below a head. An empty line and a heading begin the next section of a participant file.
 * @param {string[][]} rows
 * @param {number} head */
function tableAfter(rows, head) {
  const below = rows.slice(head + 1);
  const end = below.findIndex((row, index) => isEmpty(below[index - 1] ?? ["-"]) && row.filter(Boolean).length === 1);
  const isSectioned = end >= 0 && (rows[head]?.length ?? 0) > 1;
  return (isSectioned ? below.slice(0, end) : below).filter((row) => !isEmpty(row));
}

/** How to read names from the rows below this head; nothing if it is none.
 * @param {readonly string[]} head
 * @returns {((rows: string[][]) => Person[]) | undefined} */
function readerOf(head) {
  const heads = head.map(lowerCase);
  const whole = heads.findIndex((cell) => NAME_HEADS.includes(cell));
  const first = heads.findIndex((cell) => FIRST_NAME_HEADS.includes(cell));
  const last = heads.findIndex(
    (cell) => LAST_NAME_HEADS.includes(cell) || (cell === "name" && heads[first] === GERMAN_FIRST_NAME),
  );
  const birthday = heads.findIndex((cell) => BIRTHDAYS.test(cell));
  const detailOf = (/** @type {string[]} */ row) => addressIn(row.find((cell) => cell.includes("@")) ?? "") || (row[birthday] ?? "");
  if (first >= 0 && last >= 0 && (whole < 0 || whole === last)) {
    return (rows) => rows.map((row) => ({ name: `${row[first] ?? ""} ${row[last] ?? ""}`, detail: detailOf(row) }));
  }
  if (whole < 0) return undefined;
  const hasOriginal = heads[whole]?.includes("(");
  // A participant file has a row for each time that somebody came.
  const nameOf = (/** @type {string[]} */ row) => (hasOriginal ? original(row[whole] ?? "") : (row[whole] ?? ""));
  return (rows) => distinct(rows.map((row) => ({ name: nameOf(row), detail: detailOf(row) })));
}

/** Of "Zé (José Silva)" the name that says more: the one in brackets is that of the account.
 * @param {string} cell */
function original(cell) {
  const [, shown = cell, account = ""] = /^(.+?)\s*\(([^()]+)\)$/u.exec(cell.replace(ROLE, "")) ?? [];
  const words = (/** @type {string} */ name) => name.trim().split(/\s+/).length;
  const isName = account && !/[\d@]/.test(account) && !DEVICE.test(account);
  return isName && words(account) > words(shown) ? account : shown;
}

/** The names of a table without a head: of the column that looks most like names.
 * @param {string} text */
function namesOfColumn(text) {
  const separator = SEPARATORS.find((separator) => isTableOf(text, separator));
  if (!separator) return undefined;
  const rows = rowsOf(text, separator).filter((row) => !isEmpty(row));
  const width = Math.max(...rows.map((row) => row.length));
  const columns = Array.from({ length: width }, (_, column) => rows.map((row) => row[column] ?? ""));
  const hasNames = columns.map((cells) => share(cells, isLikeName) > 0.7 && new Set(cells).size > cells.length / 3);
  const column = hasNames.indexOf(true);
  if (column < 0) return undefined;
  const isOneWord = (/** @type {string} */ cell) => !/\s/.test(cell);
  const isHalf = share(columns[column] ?? [], isOneWord) > 0.5;
  const next = isHalf && hasNames[column + 1] ? column + 1 : column;
  return rows.map((row) => ({
    name: next === column ? (row[column] ?? "") : `${row[column] ?? ""} ${row[next] ?? ""}`,
    detail: addressIn(row.find((cell) => cell.includes("@")) ?? "") || (row.find((cell) => DATE.test(cell)) ?? ""),
  }));
}

/** @param {readonly string[]} cells
 * @param {(cell: string) => boolean} matches */
function share(cells, matches) {
  return cells.filter(matches).length / cells.length;
}

/** @param {string} cell */
function isLikeName(cell) {
  return /\p{L}/u.test(cell) && !/[\d@]/.test(cell);
}

/** @param {string} text
 * @param {string} separator */
function isTableOf(text, separator) {
  const lines = text.split("\n").filter((line) => line.trim());
  if (lines.length < 2) return false;
  const most = separator === "," ? 2 : 1;
  const counts = rowsOf(lines.join("\n"), separator).map((row) => row.length - 1);
  if (share(counts.map(String), (count) => Number(count) >= most) >= 0.8) return true;
  // "Lopez, Maria" is one name, and "Maria Lopez, 12" or "Maria Lopez, m@school.example" is two cells.
  const isDetail = (/** @type {string} */ line) => /,\s*"?[^,]*[\d@][^,]*$/.test(line.slice(0, LONGEST_LINE));
  return separator === "," && (share(lines, isDetail) >= 0.8 || share(lines, (line) => line.startsWith('"')) >= 0.8);
}

/** A name a line. One line alone may have several, such as the recipients of a message.
 * @param {string} text */
function linesOf(text) {
  const all = text.split("\n").map((line) => line.trim().replace(BULLET, "")).filter(Boolean);
  const [only = ""] = all;
  const lines = all.length > 1 && HEADING.test(only) ? all.slice(1) : all;
  if (all.length !== 1) return lines;
  if (only.includes(";")) return only.split(";");
  return only.split(",").length > 2 ? only.split(",") : lines;
}
