import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

test("files that a server serves are what the sources say", () => {
  assert.doesNotThrow(() => execFileSync(process.execPath, ["scripts/build.mjs", "--check"], { stdio: "pipe" }));
});
