import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { digest, fnv1a } from "../src/digest.js";
import type { ServerFrame } from "../src/frames.js";
import { Replica } from "../src/replica.js";
import { changes, idOf, list, wireUser } from "./support/samples.js";

/**
 * A recorded step: a frame (none where the socket ended), and the Rust replica after it. Was the frame no gap? Then its
 * position, whether it is whole, `you`, the digest, and the hash of all rows in order.
 */
type Step = [ServerFrame | null, boolean, string | null, boolean, string | null, string, string];

test("list and digest are those of the Rust replica after each of 10,000 recorded steps", () => {
  const steps = readFileSync("test/recorded-frames.jsonl", "utf8").trimEnd().split("\n");
  assert.ok(steps.length >= 10_000, `${steps.length}`);
  const replica = new Replica();
  for (const [index, line] of steps.entries()) {
    const [frame, ...expected] = JSON.parse(line) as Step;
    let follows = true;
    if (frame) follows = replica.receive(frame);
    else replica.disconnected();
    const { position, isSynced, you } = replica;
    const rows = [...replica.rows.values()];
    const texts = rows.map(({ id, name, joined, state, look = "" }) => [id, name, joined, state, look].join("\0"));
    const at = position ? `${position.epoch}.${position.seq}` : null;
    const hash = fnv1a(texts.join("\n")).toString(16).padStart(16, "0");
    const actual = [follows, at, isSynced, you, digest(rows), hash];
    assert.deepEqual(actual, expected, `line ${index + 1}: ${line}`);
  }
});

function started(seq: number, numbers: readonly number[]): Replica {
  const replica = new Replica();
  assert.ok(replica.receive(list(seq, numbers)));
  return replica;
}

const ids = (replica: Replica) => [...replica.rows.keys()];

test("difference that does not fit changes nothing", () => {
  const replica = started(5, [1, 2]);
  const before = replica.rows;
  const wrong = { disconnect_user: { left: [idOf(1)] }, new_user: [wireUser(2)] };
  assert.equal(replica.receive(changes(5, 6, wrong)), false);
  assert.equal(replica.rows, before);
  assert.deepEqual(ids(replica), [idOf(1), idOf(2)]);
});

test("list that is longer than it says, or has a row twice, is a gap", () => {
  assert.equal(started(5, [1]).receive(list(6, [1, 2, 3], { count: 2 })), false);
  assert.equal(started(5, [1]).receive(list(6, [1, 2, 2])), false);
});

test("changes in the middle of a list are a gap", () => {
  const replica = started(5, [1]);
  assert.ok(replica.receive(list(6, [1], { count: 2 })));
  assert.equal(replica.receive(changes(5, 7, { new_user: [wireUser(3)] })), false);
});

test("rows keep their objects where nothing changed", () => {
  const replica = started(5, [1, 2]);
  const one = replica.rows.get(idOf(1));
  replica.receive(changes(5, 6, { user_changed: { away: [idOf(2)] } }));
  assert.equal(replica.rows.get(idOf(1)), one);
  assert.equal(replica.rows.get(idOf(2))?.state, "away");
});

test("list that is found to be wrong is nothing to resume from", () => {
  const replica = started(5, [1]);
  assert.equal(replica.receive(changes(6, 7)), false);
  assert.ok(replica.isWrong);
  replica.disconnected();
  assert.equal(replica.position, undefined);
  assert.deepEqual(ids(replica), [idOf(1)]);
});
