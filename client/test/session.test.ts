import assert from "node:assert/strict";
import { test } from "node:test";

import { digest } from "../src/digest.js";
import { Session } from "../src/session.js";
import { changes, EPOCH, idOf, list, refused, resumed, user, wireUser } from "./support/samples.js";

const YOU = idOf(1);
const since = (seq: number) => ({ epoch: EPOCH, seq });
const announcement = (name: string, seq?: number) => ({
  event: "got_a_new_user",
  name,
  tab: "t1",
  visible: true,
  since: seq === undefined ? undefined : since(seq),
});

/** Ana is on the list, and live. */
function joined(): Session {
  const session = new Session("t1", "Ana");
  assert.deepEqual(session.opened(), announcement("Ana"));
  const rows = { ...list(8, [1, 2], { you: YOU }) };
  assert.deepEqual(session.receive(rows), []);
  assert.equal(session.freshness, "live");
  return session;
}

test("client without a name watches, and joins later", () => {
  const session = new Session("t1");
  assert.deepEqual(session.opened(), { event: "watch", since: undefined });
  assert.deepEqual(session.join("Ana"), []);
  assert.deepEqual(session.receive(list(7, [2], { you: YOU })), [announcement("Ana")]);
  assert.deepEqual(session.receive(resumed(7, 8, { new_user: [wireUser(1, "Ana")] }, YOU)), []);
  session.closed();
  assert.deepEqual(session.opened(), announcement("Ana", 8));
});

test("nothing is sent twice on a socket, and what was not granted is sent on the next one", () => {
  const session = joined();
  assert.deepEqual(session.rename("Ann"), [{ event: "rename", name: "Ann" }]);
  assert.deepEqual(session.receive(changes(8, 9, { new_user: [wireUser(3)] })), []);
  session.closed();
  assert.deepEqual(session.opened(), announcement("Name 1", 9));
  assert.deepEqual(session.receive(resumed(9, 9, {}, YOU)), [{ event: "rename", name: "Ann" }]);
  const renamed = { user_changed: { renamed: [{ id: YOU, name: "Ann" }] } };
  assert.deepEqual(session.receive(changes(9, 10, renamed)), []);
  session.closed();
  assert.deepEqual(session.opened(), announcement("Ann", 10));
  assert.deepEqual(session.receive(resumed(10, 10, {}, YOU)), []);
});

test("request before the answer is complete waits for it", () => {
  const session = new Session("t1", "Ana");
  session.opened();
  assert.deepEqual(session.leave(), []);
  assert.deepEqual(session.receive(list(8, [1], { you: YOU, count: 2 })), []);
  const rest = { event: "more_users", users: [wireUser(2)] } as const;
  assert.deepEqual(session.receive(rest), [{ event: "leave" }]);
  assert.deepEqual(session.receive(changes(8, 9, { disconnect_user: { left: [YOU] } })), []);
  session.closed();
  assert.deepEqual(session.opened(), { event: "watch", since: since(9) });
  assert.deepEqual(session.receive(resumed(9, 9, {}, YOU)), []);
});

test("person who was removed, or left in another tab, does not come back by itself", () => {
  for (const reason of ["removed", "left"]) {
    const session = joined();
    session.receive(changes(8, 9, { disconnect_user: { [reason]: [YOU] } }));
    session.closed();
    assert.deepEqual(session.opened(), { event: "watch", since: since(9) }, reason);
  }
});

test("person whose row was lost during a break is listed again", () => {
  const session = joined();
  session.closed();
  assert.deepEqual(session.opened(), announcement("Name 1", 8));
  // A server of several may answer before the row comes.
  session.receive(resumed(8, 9, { disconnect_user: { lost: [YOU] } }, YOU));
  session.receive(changes(9, 10, { new_user: [wireUser(1, "Ana")] }));
  session.closed();
  assert.deepEqual(session.opened(), announcement("Ana", 10));
});

test("row that is lost while this tab is connected is no departure", () => {
  const session = joined();
  session.receive(changes(8, 9, { disconnect_user: { lost: [YOU] } }));
  session.closed();
  assert.deepEqual(session.opened(), announcement("Name 1", 9));
});

test("gap asks for the list once", () => {
  const session = joined();
  assert.deepEqual(session.receive(changes(9, 10)), [{ event: "resync" }]);
  assert.equal(session.freshness, "stale");
  assert.deepEqual(session.receive(changes(10, 11)), []);
  assert.deepEqual(session.receive(refused("resync", "too_fast")), [{ event: "resync" }]);
  session.receive(list(11, [1, 2], { you: YOU }));
  assert.equal(session.freshness, "live");
});

test("wrong digest asks for the list", () => {
  const session = joined();
  const beat = { event: "beat", seq: 8, count: 2, digest: "0000000000000000" } as const;
  assert.deepEqual(session.receive(beat), [{ event: "resync" }]);
});

test("list of a server that does not hear the others is stale until it does", () => {
  const session = joined();
  const right = { event: "beat", seq: 8, count: 2, digest: digest(session.replica.rows.values()) } as const;
  const beat = (as_of?: number) => ({ ...right, ...(as_of && { as_of }) });
  session.receive(beat(1_000));
  assert.equal(session.freshness, "stale");
  session.receive(beat());
  assert.equal(session.freshness, "live");
});

test("refused name leaves a watcher, and a refused rename leaves the row", () => {
  const session = new Session("t1", " ");
  session.opened();
  assert.deepEqual(session.receive(refused("got_a_new_user")), [{ event: "watch", since: undefined }]);
  session.receive(list(3, [2], { you: YOU }));
  session.closed();
  assert.deepEqual(session.opened(), { event: "watch", since: since(3) });

  const listed = joined();
  listed.rename(" ");
  assert.deepEqual(listed.receive(refused("rename")), []);
  listed.closed();
  assert.deepEqual(listed.opened(), announcement("Name 1", 8));
  assert.deepEqual(listed.receive(resumed(8, 8, {}, YOU)), []);
});

test("refusals of what nobody asked for change nothing", () => {
  const session = joined();
  assert.deepEqual(session.receive(refused("visible")), []);
  session.closed();
  assert.deepEqual(session.opened(), announcement("Name 1", 8));
});

test("visibility is reported once, and only by a tab that is on the list", () => {
  const watcher = new Session("t1");
  watcher.opened();
  watcher.receive(list(8, [1], { you: YOU }));
  assert.deepEqual(watcher.show(false), []);
  const session = joined();
  assert.deepEqual(session.show(false), [{ event: "visible", visible: false }]);
  assert.deepEqual(session.show(false), []);
  session.closed();
  assert.deepEqual(session.show(true), []);
  session.opened();
  session.show(false);
  assert.deepEqual(session.receive(resumed(8, 8, {}, YOU)), [{ event: "visible", visible: false }]);
});

test("feed keeps the id that a socket gave", () => {
  const session = joined();
  session.closed();
  session.receive(list(9, [1, 2, 3]));
  assert.equal(session.replica.you, YOU);
  assert.deepEqual(session.replica.rows.get(idOf(3)), user(3));
  assert.deepEqual(session.rename("Ann"), []);
});
