import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { digest, fnv1a } from "../src/digest.js";
import { user } from "./support/samples.js";

const hex = (hash: bigint) => hash.toString(16).padStart(16, "0");

test("hash is that of the reference vectors of FNV-1a", () => {
  assert.equal(hex(fnv1a("")), "cbf29ce484222325");
  assert.equal(hex(fnv1a("a")), "af63dc4c8601ec8c");
  assert.equal(hex(fnv1a("foobar")), "85944171f73967e8");
});

test("hash of names is what the Rust code computes", () => {
  const recorded = readFileSync("../app/src/recorded_values.txt", "utf8");
  const lines = [...recorded.matchAll(/^fnv1a (.*) = ([0-9a-f]{16})$/gm)];
  assert.equal(lines.length, 16);
  for (const [, name, hash] of lines) assert.equal(hex(fnv1a(name!)), hash, name);
});

test("digest does not depend on the order, and wraps", () => {
  const users = Array.from({ length: 40 }, (_, number) => user(number));
  const sum = users.reduce((sum, { id, name }) => sum + fnv1a(`${id}\0${name}\0here`), 0n);
  assert.ok(sum > 2n ** 64n);
  assert.equal(digest(users), hex(sum % 2n ** 64n));
  assert.equal(digest(users.reverse()), digest(users));
  assert.equal(digest([]), "0000000000000000");
});
