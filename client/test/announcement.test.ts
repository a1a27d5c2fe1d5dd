import assert from "node:assert/strict";
import { test } from "node:test";

import { announcement } from "../src/announcement.js";
import { hueOf, initials } from "../src/appearance.js";
import { user } from "./support/samples.js";

const people = (...names: readonly string[]) => names.map((name, number) => user(number, name));
const said = (joined: readonly string[], left: readonly string[]) =>
  announcement({ joined: people(...joined), left: people(...left), changed: [] });

test("announcement names who came and who went, and counts those beyond three", () => {
  assert.equal(said(["Ana"], []), "Ana joined. ");
  assert.equal(said(["Ana", "Bo"], ["Cy"]), "Ana and Bo joined. Cy left. ");
  assert.equal(said([], ["Ana", "Bo", "Cy", "Di", "Ed"]), "Ana, Bo, Cy, and 2 more left. ");
  assert.equal(said([], []), "");
});

test("initials are of the first and the last word, with everything that modifies them", () => {
  const cases = {
    "Ana Maria de Sousa": "A\u200cS",
    neha: "n",
    "(Bo) \"the\" <b>": "B\u200cb",
    "مريم الحداد": "م\u200cا",
    "👩🏽‍🚀 Mae": "👩🏽‍🚀\u200cM",
    "🇩🇪🇫🇷": "🇩🇪",
    "E\u0301va": "E\u0301",
    "---": "-",
  };
  for (const [name, letters] of Object.entries(cases)) assert.equal(initials(name), letters, name);
});

test("colour of a face is that of Rollcall's own pages", () => {
  // As in app/src/text/avatar.rs: tint 8 and tint 2.
  assert.deepEqual([hueOf("Ana0Bo1Cy2D"), hueOf("abcdefghijk")], [265, 85]);
});
