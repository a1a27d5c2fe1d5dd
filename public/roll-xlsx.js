// A roll as a workbook (Office Open XML, ECMA-376) with one sheet, made in the browser: the expected list in it never
// reaches a server. It touches no page.

const NAMESPACES = "http://schemas.openxmlformats.org";
const SPREADSHEET = `${NAMESPACES}/spreadsheetml/2006/main`;
const DOCUMENT = `${NAMESPACES}/officeDocument/2006/relationships`;
const CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
/** The formats of cells, as indices of `cellXfs`. */
const [TEXT, HEADER, TIME] = [0, 1, 2];
/** Days from 1899-12-30, the first day of a workbook's calendar, to 1970-01-01. */
const DAYS_BEFORE_1970 = 25_569;
const SECONDS_OF_A_DAY = 86_400;
/** In characters. */
const COLUMN_WIDTH = 24;

/** A workbook whose texts stay texts, and whose times are dates of the visitor's clock.
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | Date)[])[]} rows
 * @returns {Blob} */
export function xlsx(head, rows) {
  return new Blob([/** @type {BlobPart} */ (archive(filesOf(head, rows)))], { type: `${CONTENT_TYPE}.sheet` });
}

/** @param {readonly string[]} head
 * @param {readonly (readonly (string | Date)[])[]} rows
 * @returns {Record<string, string>} */
function filesOf(head, rows) {
  const sheetRows = [head.map((text) => cell(text, HEADER)), ...rows.map((row) => row.map((value) => cell(value, TEXT)))];
  const relationship = (/** @type {string} */ type, /** @type {string} */ target) =>
    `<Relationship Id="${type}" Type="${DOCUMENT}/${type}" Target="${target}"/>`;
  const relationships = (/** @type {string[]} */ ...content) =>
    `${DECLARATION}<Relationships xmlns="${NAMESPACES}/package/2006/relationships">${content.join("")}</Relationships>`;
  const override = (/** @type {string} */ part, /** @type {string} */ type) =>
    `<Override PartName="/xl/${part}.xml" ContentType="${CONTENT_TYPE}.${type}+xml"/>`;
  return {
    "[Content_Types].xml":
      `${DECLARATION}<Types xmlns="${NAMESPACES}/package/2006/content-types">` +
      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
      override("workbook", "sheet.main") + override("worksheets/sheet1", "worksheet") + override("styles", "styles") +
      "</Types>",
    "_rels/.rels": relationships(relationship("officeDocument", "xl/workbook.xml")),
    "xl/workbook.xml":
      `${DECLARATION}<workbook xmlns="${SPREADSHEET}" xmlns:r="${DOCUMENT}">` +
      '<sheets><sheet name="Roll" sheetId="1" r:id="worksheet"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": relationships(
      relationship("worksheet", "worksheets/sheet1.xml"),
      relationship("styles", "styles.xml"),
    ),
    "xl/styles.xml":
      `${DECLARATION}<styleSheet xmlns="${SPREADSHEET}">` +
      '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy-mm-dd hh:mm:ss"/></numFmts>' +
      '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>' +
      '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>' +
      '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>' +
      // 49 is the format of text: a cell that somebody edits stays one.
      '<cellXfs count="3"><xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyFont="1"/>' +
      '<xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>',
    "xl/worksheets/sheet1.xml":
      `${DECLARATION}<worksheet xmlns="${SPREADSHEET}">` +
      '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews>' +
      `<cols><col min="1" max="${head.length}" width="${COLUMN_WIDTH}" customWidth="1"/></cols>` +
      `<sheetData>${sheetRows.map((cells) => `<row>${cells.join("")}</row>`).join("")}</sheetData></worksheet>`,
  };
}

/** @param {string | Date} value
 * @param {number} format */
function cell(value, format) {
  if (value instanceof Date) return `<c s="${TIME}"><v>${dayOf(value)}</v></c>`;
  return `<c s="${format}" t="inlineStr"><is><t xml:space="preserve">${escaped(value)}</t></is></c>`;
}

/** A time as days of a workbook's calendar, which has no time zones.
 * @param {Date} time */
function dayOf(time) {
  return DAYS_BEFORE_1970 + (time.getTime() / 1_000 - time.getTimezoneOffset() * 60) / SECONDS_OF_A_DAY;
}

/** @param {string} text */
function escaped(text) {
  // XML 1.0 has no way to write most control characters.
  const writable = text.replace(/[\0-\x08\v\f\x0E-\x1F\uFFFE\uFFFF]/g, "");
  return writable.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A ZIP archive (PKWARE APPNOTE 6.3) of files that are stored as they are.
 * @param {Record<string, string>} files */
function archive(files) {
  const encoder = new TextEncoder();
  /** @type {Uint8Array[]} */
  const parts = [];
  /** @type {Uint8Array[]} */
  const directory = [];
  let offset = 0;
  for (const [path, text] of Object.entries(files)) {
    const [name, content] = [encoder.encode(path), encoder.encode(text)];
    // What both kinds of header have: version 2.0, names in UTF-8, stored, 1980-01-01, the sizes.
    const { length } = content;
    const sizes = [[checksum(content), 4], [length, 4], [length, 4], [name.length, 2], [0, 2]];
    const common = [[20, 2], [0x0800, 2], [0, 2], [0, 2], [33, 2], ...sizes];
    const header = joined(fields([[0x0403_4B50, 4], ...common]), name);
    directory.push(fields([[0x0201_4B50, 4], [20, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]), name);
    parts.push(header, content);
    offset += header.length + length;
  }
  const index = joined(...directory);
  const number = directory.length / 2;
  const end = fields([[0x0605_4B50, 4], [0, 2], [0, 2], [number, 2], [number, 2], [index.length, 4], [offset, 4], [0, 2]]);
  return joined(...parts, index, end);
}

/** Numbers, lowest byte first, each with its length in bytes.
 * @param {number[][]} numbers */
function fields(numbers) {
  return Uint8Array.from(numbers.flatMap(([number = 0, length = 0]) =>
    Array.from({ length }, (_, index) => (number >>> (8 * index)) & 0xFF)));
}

/** @param {Uint8Array[]} parts */
function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** CRC-32 as ZIP uses it.
 * @param {Uint8Array} bytes */
function checksum(bytes) {
  let rest = 0xFFFF_FFFF;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0xEDB8_8320 : 0);
  }
  return ~rest >>> 0;
}
