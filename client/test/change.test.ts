import assert from "node:assert/strict";
import { test } from "node:test";

import { changeBetween } from "../src/change.js";
import type { User } from "../src/frames.js";
import { idOf, user } from "./support/samples.js";

const rows = (...users: readonly User[]) => new Map(users.map((one) => [one.id, one]));

test("change has who joined, who left and why, and who is different", () => {
  const before = rows(user(1), user(2), user(3), user(4));
  const renamed = { ...user(2), name: "Two" };
  const away = { ...user(3), state: "away" } as const;
  const change = changeBetween(before, rows(renamed, away, user(4), user(5)), new Map([[idOf(1), "lost"]]));
  assert.deepEqual(change, {
    joined: [user(5)],
    left: [{ ...user(1), reason: "lost" }],
    changed: [renamed, away],
  });
});

test("person who left and came again is in both", () => {
  const again = { ...user(1), joined: 99 };
  const change = changeBetween(rows(user(1), user(2)), rows(user(2), again));
  assert.deepEqual(change, { joined: [again], left: [{ ...user(1), reason: undefined }], changed: [] });
});
