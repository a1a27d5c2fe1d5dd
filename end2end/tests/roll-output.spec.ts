// A roll as a table, and an expected list in a link: the pure module, without a page.

import { crc32 } from "node:zlib";

import { expect, test } from "@playwright/test";

import { csv, fragmentOf, localTime, textOfFragment, tsv } from "../../public/roll-output.js";
import { xlsx } from "../../public/roll-xlsx.js";

test("what a spreadsheet would not read as text is marked in the CSV", () => {
  const names = ["=1+1", "＝1", "-", "007", "½", "TRUE", "Wahr", "'", "Ana Sousa", "O'Neill", 'Bo "B"', "李小龍"];
  const table = csv(["status", "name"], names.map((name) => ["=here", name]), ";", [1]);
  const lines = table.split("\r\n");
  expect(lines[0]).toBe('\ufeff"status";"name"');
  expect(lines.at(-1)).toBe("");
  expect(lines.slice(1, -1)).toEqual([
    ...["=1+1", "＝1", "-", "007", "½", "TRUE", "Wahr", "'"].map((name) => `"=here";"'${name}"`),
    ...["Ana Sousa", "O'Neill", 'Bo ""B""', "李小龍"].map((name) => `"=here";"${name}"`),
  ]);
});

test("a pasted table has no formulas, and one cell between two tabs", () => {
  expect(tsv(["status", "name"], [["here", "=1+1"], ["missing", "Ana\tSousa"]])).toBe(
    "status\tname\nhere\t'=1+1\nmissing\tAna Sousa\n",
  );
});

test("times have the visitor's offset", () => {
  const zone = process.env["TZ"];
  for (const [timeZone, time] of [
    ["Asia/Kolkata", "2026-11-30T14:32:17+05:30"],
    ["America/St_Johns", "2026-11-30T05:32:17-03:30"],
    ["UTC", "2026-11-30T09:02:17+00:00"],
  ] as const) {
    process.env["TZ"] = timeZone;
    expect(localTime(Date.UTC(2026, 10, 30, 9, 2, 17) / 1_000)).toBe(time);
  }
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
});

test("a workbook has texts that stay texts, and times of the visitor's clock", async () => {
  const zone = process.env["TZ"];
  process.env["TZ"] = "Asia/Kolkata";
  const arrived = new Date(Date.UTC(2026, 10, 30, 9, 2, 24));
  const names = ["=1+1", "007", "<b>Ana</b> & Bo", "李小龍", "bell\u0007"];
  const workbook = xlsx(["status", "name", "arrived"], names.map((name) => ["here", name, arrived]));
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
  const files = filesOfArchive(Buffer.from(await workbook.arrayBuffer()));
  expect(Object.keys(files)).toContain("xl/workbook.xml");
  const sheet = files["xl/worksheets/sheet1.xml"] ?? "";
  const texts = [...sheet.matchAll(/<c s="\d" t="inlineStr"><is><t xml:space="preserve">(.*?)<\/t>/g)].map(([, text]) => text);
  const written = ["=1+1", "007", "&lt;b&gt;Ana&lt;/b&gt; &amp; Bo", "李小龍", "bell"];
  expect(texts).toEqual(["status", "name", "arrived", ...written.flatMap((name) => ["here", name])]);
  expect(sheet).not.toContain("<f>");
  // 46356 is 2026-11-30, and 0.605… is 14:32:24.
  const times = [...sheet.matchAll(/<c s="2"><v>(.*?)<\/v>/g)].map(([, day]) => Number(day).toFixed(4));
  expect(times).toEqual(names.map(() => "46356.6058"));
});

test("a list returns from the fragment of a link, and a long one is short in it", async () => {
  const long = Array.from({ length: 300 }, (_, index) => `Expected Person ${index}`).join("\n");
  for (const text of ["Ana", "José Silva\n李小龍\n100 % #1 & co", long]) {
    const fragment = await fragmentOf(text);
    expect(fragment).toMatch(/^#roll=[-\w%:.!~*'()]+$/);
    expect(await textOfFragment(fragment)).toBe(text);
  }
  expect((await fragmentOf(long)).length).toBeLessThan(long.length / 4);
  // Written by hand, and cut by a program on the way.
  expect(await textOfFragment("#roll=Ana%0ABo")).toBe("Ana\nBo");
  for (const broken of ["#roll=%E0%A4", "#roll=:AAAA", "#roll=:?"]) {
    expect(await textOfFragment(broken)).toBeUndefined();
  }
  expect(await textOfFragment("#activity")).toBeUndefined();
  // A short fragment that becomes a long text.
  expect(await textOfFragment(await fragmentOf("a".repeat(1_000_000)))).toBeUndefined();
});

/** The files of a ZIP archive without compression, by its directory: their checksums are right. */
function filesOfArchive(bytes: Buffer): Record<string, string> {
  const end = bytes.lastIndexOf(Buffer.from("PK\x05\x06"));
  const files: Record<string, string> = {};
  let at = bytes.readUInt32LE(end + 16);
  for (let number = bytes.readUInt16LE(end + 10); number > 0; number -= 1) {
    const [checksum, size, nameLength] = [bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 24), bytes.readUInt16LE(at + 28)];
    const name = bytes.toString("utf8", at + 46, at + 46 + nameLength);
    const header = bytes.readUInt32LE(at + 42);
    const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
    const content = bytes.subarray(start, start + size);
    expect(crc32(content), name).toBe(checksum);
    files[name] = content.toString("utf8");
    at += 46 + nameLength;
  }
  expect(at).toBe(end);
  return files;
}
