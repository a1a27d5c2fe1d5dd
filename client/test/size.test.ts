// The budget of what other people's pages load, compressed as a server sends it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";

const BUDGETS = { "client.js": 4_000, "roll-call.js": 6_000 };

for (const [name, budget] of Object.entries(BUDGETS)) {
  test(`${name} has at most ${budget} bytes`, (context) => {
    const options = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
    const bytes = brotliCompressSync(readFileSync(`../public/${name}`), options).length;
    context.diagnostic(`${name}: ${bytes} bytes`);
    assert.ok(bytes <= budget, `${bytes} bytes`);
    assert.ok(bytes > 1_000);
  });
}
