import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../src/backoff.js";

function bounds(times: readonly number[]): number[] {
  const backoff = new Backoff();
  return times.map((now) => backoff.next(now, 1));
}

test("bound doubles, and stays low while the row is held", () => {
  assert.deepEqual(bounds([7, 7, 7, 7, 7, 15_006]), [500, 1_000, 2_000, 3_000, 3_000, 3_000]);
  assert.deepEqual(bounds([0, 0, 0, 15_000, 15_000, 15_000, 15_000]), [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});

test("delay covers the whole range", () => {
  const backoff = new Backoff();
  assert.equal(backoff.next(0, 0), 0);
  assert.equal(backoff.next(0, 0.25), 250);
});

test("failure after a list counts as the first", () => {
  const backoff = new Backoff();
  for (let failure = 0; failure < 9; failure += 1) backoff.next(0, 1);
  assert.equal(backoff.failures, 9);
  backoff.reset();
  assert.equal(backoff.next(99_000, 1), 500);
  for (let failure = 0; failure < 9; failure += 1) backoff.next(99_000 + 14_999, 1);
  assert.equal(backoff.next(99_000 + 14_999, 1), 3_000);
});
