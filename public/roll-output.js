// A roll as a table for spreadsheets, and an expected list as a part of a link. It touches no page.

/** Spreadsheets run a cell that begins with one of these as a formula. This file does what csv.rs does. */
const FORMULA_PREFIX = /^[=+\-@\t\r＝＋－＠]/u;
/** What spreadsheets read as a truth value, in the languages that Excel translates it to. */
const TRUTH_VALUES = new Set([
  "true", "false", "wahr", "falsch", "vrai", "faux", "verdadero", "falso", "vero", "verdadeiro", "waar", "onwaar",
  "prawda", "fałsz", "doğru", "yanlış", "sant", "falskt", "sand", "falsk", "sann", "usann", "tosi", "epätosi", "pravda",
  "nepravda", "истина", "ложь",
]);
/** What stands before a text that a spreadsheet would not read as text, and before one that begins with it. */
const TEXT_MARK = "'";
/** A list as plain text begins with neither of them: a colon is encoded. */
const COMPRESSED = ":";
const FRAGMENT = "#roll=";

/** @param {string} text */
function isMarked(text) {
  const isConverted = FORMULA_PREFIX.test(text) || /\p{N}/u.test(text) || TRUTH_VALUES.has(text.toLowerCase());
  return text.startsWith(TEXT_MARK) || isConverted;
}

/** A table as CSV (RFC 4180) with a byte order mark, without which Excel does not decode it as UTF-8. The cells of the
 * columns that `areTexts` names are read as text.
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 * @param {string} separator
 * @param {readonly number[]} areTexts */
export function csv(head, rows, separator, areTexts) {
  const quoted = (/** @type {string} */ text) => `"${text.replaceAll('"', '""')}"`;
  const lines = rows.map((row) =>
    row.map((text, column) => quoted(areTexts.includes(column) && isMarked(text) ? TEXT_MARK + text : text)),
  );
  return `\ufeff${[head.map(quoted), ...lines].map((cells) => `${cells.join(separator)}\r\n`).join("")}`;
}

/** A table to paste: cells between tabs, of which none is a formula.
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows */
export function tsv(head, rows) {
  const marked = (/** @type {string} */ text) => (FORMULA_PREFIX.test(text) ? TEXT_MARK + text : text);
  const cell = (/** @type {string} */ text) => marked(text).replace(/\s+/gu, " ");
  return [head, ...rows].map((row) => `${row.map(cell).join("\t")}\n`).join("");
}

/** A time with the visitor's offset (RFC 3339), in seconds since 1970.
 * @param {number} seconds */
export function localTime(seconds) {
  const time = new Date(seconds * 1_000);
  const offset = -time.getTimezoneOffset();
  const two = (/** @type {number} */ number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  const local = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

/** The fragment of a link with this list, compressed where that is shorter: it never reaches a server.
 * @param {string} text */
export async function fragmentOf(text) {
  const plain = encodeURIComponent(text);
  const short = await compressed(text).catch(() => plain);
  return FRAGMENT + (short.length < plain.length ? short : plain);
}

/** The list in the fragment of an address, if it has one.
 * @param {string} fragment
 * @returns {Promise<string | undefined>} */
export async function textOfFragment(fragment) {
  if (!fragment.startsWith(FRAGMENT)) return undefined;
  const value = fragment.slice(FRAGMENT.length);
  try {
    return await (value.startsWith(COMPRESSED) ? decompressed(value.slice(1)) : decodeURIComponent(value));
  } catch {
    // A program may have cut the link.
    return undefined;
  }
}

/** @param {string} text */
async function compressed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return COMPRESSED + base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The longest list that a link may have, in characters: a short one can become any length. */
const LONGEST_TEXT = 200_000;

/** @param {string} value */
async function decompressed(value) {
  const binary = atob(value.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (text.length <= LONGEST_TEXT) {
    const { done, value: piece } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(piece, { stream: true });
  }
  throw new Error("the list is too long");
}
