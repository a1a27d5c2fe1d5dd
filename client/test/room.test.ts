// The room over a fake network, with simulated time.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Room, type Change, type Refusal, type RoomOptions, type Status } from "../src/client.js";
import { fakeFetch, FakeSocket, FakeStream, refusal, settled } from "./support/fakes.js";
import { changes, idOf, list, refused, resumed, user, wireUser } from "./support/samples.js";

const SERVER = "https://rollcall.example/below";
const NOT_ALLOWED = { code: "origin_not_allowed", message: "Only for pages of this site." };

const rooms: Room[] = [];

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  mock.method(Math, "random", () => 0.5);
  Object.assign(globalThis, { WebSocket: FakeSocket, fetch: fakeFetch });
});

afterEach(() => {
  for (const room of rooms.splice(0)) room.close();
  mock.timers.runAll();
  mock.timers.reset();
  mock.restoreAll();
  FakeSocket.all.length = FakeStream.all.length = 0;
  refusal.current = undefined;
});

function roomWith(options: Partial<RoomOptions> = {}) {
  const room = new Room({ room: "team-7", server: SERVER, ...options });
  rooms.push(room);
  const seen = { changes: [] as Change[], statuses: [] as Status[], refusals: [] as Refusal[], closed: 0 };
  room.on("change", (change) => seen.changes.push(change));
  room.on("status", (status) => seen.statuses.push(status));
  room.on("refused", (refusal) => seen.refusals.push(refusal));
  room.on("close", () => (seen.closed += 1));
  return { room, seen };
}

/** A room with a live list of these people. */
function liveRoom(numbers: readonly number[], options: Partial<RoomOptions> = {}) {
  const all = roomWith(options);
  FakeSocket.last.onopen?.();
  FakeSocket.last.receive(list(7, numbers, { you: idOf(1) }));
  return all;
}

/** Watches by the event stream, which has been opened. */
async function watchers(...names: readonly string[]) {
  const all = names.map((room) => roomWith({ room, watchOnly: true }));
  mock.timers.tick(50);
  await settled();
  return all;
}

const names = (room: Room) => room.users.map(({ name }) => name);

test("room opens a socket below the server's path, and shows the list and its changes", () => {
  const { room, seen } = roomWith({ name: "Ana" });
  assert.equal(FakeSocket.last.url, "wss://rollcall.example/below/r/team-7/socket");
  assert.deepEqual([room.status, room.users, room.you], ["connecting", [], null]);
  FakeSocket.last.onopen?.();
  const [first] = FakeSocket.last.sent;
  assert.deepEqual([first?.event, "name" in first! && first.name], ["got_a_new_user", "Ana"]);
  FakeSocket.last.receive(list(7, [1, 2], { you: idOf(1) }));
  assert.deepEqual([room.status, names(room), room.you], ["live", ["Name 1", "Name 2"], idOf(1)]);
  const users = room.users;
  assert.equal(room.users, users);
  FakeSocket.last.receive(changes(7, 8, { disconnect_user: { lost: [idOf(2)] }, new_user: [wireUser(3)] }));
  assert.deepEqual(names(room), ["Name 1", "Name 3"]);
  assert.notEqual(room.users, users);
  assert.deepEqual(seen.changes, [
    { joined: [user(1), user(2)], left: [], changed: [] },
    { joined: [user(3)], left: [{ ...user(2), reason: "lost" }], changed: [] },
  ]);
  assert.deepEqual(seen.statuses, ["live"]);
});

test("list stays during a break, and the next socket resumes it", () => {
  const { room, seen } = liveRoom([1, 2], { name: "Name 1" });
  FakeSocket.last.end();
  assert.deepEqual([room.status, names(room)], ["stale", ["Name 1", "Name 2"]]);
  mock.timers.tick(250);
  assert.equal(FakeSocket.all.length, 2);
  FakeSocket.last.onopen?.();
  const [first] = FakeSocket.last.sent;
  assert.deepEqual("since" in first! && first.since, { epoch: "e1", seq: 7 });
  FakeSocket.last.receive(resumed(7, 7, {}, idOf(1)));
  assert.equal(room.status, "live");
  assert.deepEqual(seen.statuses, ["live", "stale", "live"]);
  assert.equal(seen.changes.length, 1);
});

test("break after a list is the first failure again", () => {
  liveRoom([1]);
  for (let attempt = 2; attempt < 6; attempt += 1) {
    FakeSocket.last.end();
    mock.timers.tick(250);
    assert.equal(FakeSocket.all.length, attempt);
    FakeSocket.last.onopen?.();
    FakeSocket.last.receive(resumed(7, 7));
  }
});

test("pieces of a long list or difference make nothing stale", () => {
  const { seen } = liveRoom([1]);
  FakeSocket.last.receive(changes(7, 7, { new_user: [wireUser(2)] }), changes(7, 9, { new_user: [wireUser(3)] }));
  FakeSocket.last.receive(list(9, [1, 2], { count: 3 }), { event: "more_users", users: [wireUser(3)] });
  assert.deepEqual(seen.statuses, ["live"]);
});

test("gap is asked for, and the list is stale until it came", () => {
  const { room } = liveRoom([1]);
  FakeSocket.last.receive(changes(8, 9, { new_user: [wireUser(2)] }));
  assert.equal(room.status, "stale");
  assert.deepEqual(FakeSocket.last.sent.at(-1), { event: "resync" });
  FakeSocket.last.receive(list(9, [1, 2]));
  assert.deepEqual([room.status, names(room)], ["live", ["Name 1", "Name 2"]]);
});

test("server that is silent for 15 s is left, one that never answers after 5 s", () => {
  const { room } = liveRoom([1]);
  mock.timers.tick(14_000);
  assert.equal(room.status, "live");
  mock.timers.tick(1_000);
  assert.equal(room.status, "stale");
  assert.ok(FakeSocket.last.isClosed);
  mock.timers.tick(250);
  assert.equal(FakeSocket.all.length, 2);
  mock.timers.tick(5_250);
  assert.ok(FakeSocket.last.isClosed);
});

test("events of a socket that was left change nothing", () => {
  const { room } = liveRoom([1]);
  const [old] = FakeSocket.all;
  mock.timers.tick(15_000);
  old!.receive(changes(7, 8, { new_user: [wireUser(2)] }));
  old!.end();
  assert.deepEqual(names(room), ["Name 1"]);
  mock.timers.tick(250);
  FakeSocket.last.onopen?.();
  FakeSocket.last.receive(resumed(7, 7));
  mock.timers.tick(5_000);
  assert.equal(FakeSocket.all.length, 2);
});

test("duplicate of a tab takes another id", () => {
  liveRoom([1], { name: "Ana", tab: "t1" });
  const tab = () => "tab" in FakeSocket.last.sent[0]! && FakeSocket.last.sent[0].tab;
  assert.equal(tab(), "t1");
  FakeSocket.last.end(4409);
  mock.timers.tick(250);
  FakeSocket.last.onopen?.();
  assert.notEqual(tab(), "t1");
});

test("refusal is told, and the client goes on as a watcher", () => {
  const { seen } = roomWith({ name: " " });
  FakeSocket.last.onopen?.();
  FakeSocket.last.receive(refused("got_a_new_user"));
  assert.deepEqual(FakeSocket.last.sent[1], { event: "watch" });
  FakeSocket.last.receive(list(7, [2]), refused("visible", "too_fast"));
  assert.deepEqual(seen.refusals.map(({ code }) => code), ["name_empty"]);
});

test("join, rename and leave are sent", () => {
  const { room } = liveRoom([2]);
  room.join("Ana");
  FakeSocket.last.receive(resumed(7, 8, { new_user: [wireUser(1, "Ana")] }, idOf(1)));
  room.rename("Ann");
  room.leave();
  assert.deepEqual(FakeSocket.last.sent.map(({ event }) => event), ["watch", "got_a_new_user", "rename", "leave"]);
});

test("after two attempts without a socket the event stream brings the list, until a socket opens", async () => {
  const { room, seen } = liveRoom([1, 2]);
  FakeSocket.last.end();
  mock.timers.tick(250);
  await settled();
  assert.equal(FakeStream.all.length, 0);
  FakeSocket.last.end();
  mock.timers.tick(50);
  await settled();
  assert.equal(FakeStream.last.query.get("since"), "team-7.e1.7");
  await FakeStream.last.event("team-7", resumed(7, 8, { new_user: [wireUser(3)] }));
  assert.deepEqual([room.status, names(room), room.you], ["live", ["Name 1", "Name 2", "Name 3"], idOf(1)]);
  // Further attempts that fail change nothing.
  mock.timers.tick(450);
  FakeSocket.last.end();
  assert.equal(room.status, "live");
  mock.timers.tick(1_000);
  FakeSocket.last.onopen?.();
  assert.ok(FakeStream.last.isAborted);
  const [first] = FakeSocket.last.sent;
  assert.deepEqual("since" in first! && first.since, { epoch: "e1", seq: 8 });
  assert.deepEqual(seen.refusals, []);
});

test("page of an origin that is not allowed hears why", async () => {
  refusal.current = NOT_ALLOWED;
  const { room, seen } = roomWith();
  FakeSocket.last.end();
  mock.timers.tick(250);
  FakeSocket.last.end();
  await settled();
  assert.deepEqual(seen.refusals.map(({ message }) => message), [NOT_ALLOWED.message]);
  assert.equal(room.status, "connecting");
});

test("room without a WebSocket at all is watched", async () => {
  Object.assign(globalThis, { WebSocket: undefined });
  const { room } = roomWith();
  await settled();
  mock.timers.tick(250);
  await settled();
  mock.timers.tick(50);
  await settled();
  await FakeStream.last.event("team-7", list(7, [1]));
  assert.deepEqual([room.status, names(room)], ["live", ["Name 1"]]);
});

test("seven rooms that are only watched are one stream", async () => {
  const all = await watchers("a", "b", "c", "d", "e", "f", "g");
  assert.equal(FakeStream.all.length, 1);
  assert.equal(FakeSocket.all.length, 0);
  assert.equal(FakeStream.last.query.get("rooms"), "a,b,c,d,e,f,g");
  await FakeStream.last.event("c", list(3, [1]));
  await FakeStream.last.event("d", list(4, [2]));
  assert.deepEqual(all.map(({ room }) => names(room)).join(), ",,Name 1,Name 2,,,");
  assert.throws(() => all[0]!.room.join("Ana"), TypeError);
});

test("51st room has a stream of its own, until there is a place", async () => {
  const all = await watchers(...Array.from({ length: 51 }, (_, number) => `r${number}`));
  const counts = () => FakeStream.all.map(({ query }) => query.get("rooms")!.split(",").length);
  assert.deepEqual(counts(), [50, 1]);
  all[0]!.room.close();
  await watchers("new");
  mock.timers.tick(50);
  await settled();
  assert.deepEqual(FakeStream.all.map(({ isAborted }) => isAborted), [true, false, false]);
  assert.match(FakeStream.last.query.get("rooms")!, /^r1,.*,new$/);
});

test("event that comes in pieces counts when it is whole", async () => {
  const [a] = await watchers("a");
  const text = `event: existing_users\ndata: ${JSON.stringify({ room: "a", ...list(3, [1]) })}\n\n`;
  await FakeStream.last.send(`: a comment\n\n${text.slice(0, 60)}`);
  assert.deepEqual(names(a!.room), []);
  await FakeStream.last.send(text.slice(60));
  assert.deepEqual(names(a!.room), ["Name 1"]);
});

test("room that comes later joins the stream, and nobody sees a break", async () => {
  const [a] = await watchers("a");
  await FakeStream.last.event("a", list(3, [1]));
  const [b] = await watchers("b");
  assert.ok(FakeStream.all[0]!.isAborted);
  mock.timers.tick(50);
  await settled();
  assert.equal(FakeStream.all.length, 2);
  assert.equal(FakeStream.last.query.get("rooms"), "a,b");
  assert.equal(FakeStream.last.query.get("since"), "a.e1.3");
  await FakeStream.last.event("b", list(9, [2]));
  assert.deepEqual([a!.seen.statuses, b!.seen.statuses], [["live"], ["live"]]);
  // When it goes, the other stays.
  b!.room.close();
  mock.timers.tick(50);
  mock.timers.tick(50);
  await settled();
  assert.equal(FakeStream.last.query.get("rooms"), "a");
  a!.room.close();
  assert.ok(FakeStream.last.isAborted);
});

test("two lists of one room begin anew unless they are at the same point", async () => {
  const [one] = await watchers("a");
  await FakeStream.last.event("a", list(3, [1]));
  const [other] = await watchers("a");
  mock.timers.tick(50);
  await settled();
  assert.equal(FakeStream.last.query.get("since"), "");
  await FakeStream.last.event("a", list(4, [1, 2]));
  assert.deepEqual([names(one!.room), names(other!.room)], [["Name 1", "Name 2"], ["Name 1", "Name 2"]]);
});

test("stream that breaks, or is silent, is stale and opened again", async () => {
  const [a] = await watchers("a");
  await FakeStream.last.event("a", list(3, [1]));
  await FakeStream.last.end();
  assert.equal(a!.room.status, "stale");
  mock.timers.tick(250);
  await settled();
  assert.equal(FakeStream.last.query.get("since"), "a.e1.3");
  await FakeStream.last.event("a", resumed(3, 3));
  assert.equal(a!.room.status, "live");
  mock.timers.tick(15_000);
  await settled();
  assert.equal(a!.room.status, "stale");
  assert.deepEqual(names(a!.room), ["Name 1"]);
});

test("gap in a stream opens it anew from the list", async () => {
  const [a] = await watchers("a");
  await FakeStream.last.event("a", list(3, [1]));
  await FakeStream.last.event("a", changes(4, 5));
  assert.equal(a!.room.status, "stale");
  mock.timers.tick(50);
  mock.timers.tick(50);
  await settled();
  assert.equal(FakeStream.last.query.get("since"), "");
  await FakeStream.last.event("a", list(5, [1, 2]));
  assert.deepEqual([a!.room.status, names(a!.room)], ["live", ["Name 1", "Name 2"]]);
});

test("room that the stream leaves out hears why, and comes back", async () => {
  const [a, full] = await watchers("a", "full");
  await FakeStream.last.event("a", list(3, [1]));
  const answer = { event: "refused", code: "sockets_per_room", message: "This room is full." } as const;
  await FakeStream.last.event("full", answer);
  assert.deepEqual(full!.seen.refusals.map(({ message }) => message), [answer.message]);
  assert.deepEqual(a!.seen.refusals, []);
  mock.timers.tick(7_500);
  mock.timers.tick(50);
  await settled();
  assert.equal(FakeStream.all.length, 2);
  await FakeStream.last.event("full", list(3, [2]));
  assert.deepEqual([full!.room.status, a!.room.status], ["live", "live"]);
});

test("stream that is refused as a whole says why", async () => {
  refusal.current = NOT_ALLOWED;
  const [a] = await watchers("a");
  await FakeStream.last.end();
  assert.deepEqual(a!.seen.refusals.map(({ code }) => code), [NOT_ALLOWED.code]);
});

test("closed room is silent for good", async () => {
  const { room, seen } = liveRoom([1]);
  const socket = FakeSocket.last;
  room.close();
  room.close();
  socket.receive(changes(7, 8, { new_user: [wireUser(2)] }));
  mock.timers.tick(60_000);
  assert.deepEqual([room.status, names(room), seen.closed], ["closed", ["Name 1"], 1]);
  assert.deepEqual(seen.statuses, ["live", "closed"]);
  assert.equal(FakeSocket.all.length, 1);
  assert.ok(socket.isClosed);
});

test("signal closes the room, also one that was aborted before", () => {
  const controller = new AbortController();
  const { room } = liveRoom([1], { signal: controller.signal });
  controller.abort();
  assert.equal(room.status, "closed");
  assert.equal(roomWith({ signal: controller.signal }).room.status, "closed");
});

test("handler that was taken off hears nothing", () => {
  const { room } = liveRoom([1]);
  let heard = 0;
  const off = room.on("change", () => (heard += 1));
  off();
  FakeSocket.last.receive(changes(7, 8, { new_user: [wireUser(2)] }));
  assert.equal(heard, 0);
});

test("iterator gives a slow reader the net change, and ends with the room", async () => {
  const { room } = liveRoom([1]);
  const iterator = room[Symbol.asyncIterator]();
  const first = iterator.next();
  await settled();
  FakeSocket.last.receive(changes(7, 8, { new_user: [wireUser(2)] }));
  assert.deepEqual((await first).value, { joined: [user(2)], left: [], changed: [] });
  FakeSocket.last.receive(changes(8, 9, { new_user: [wireUser(3)] }), changes(9, 10, { disconnect_user: { left: [idOf(2)] } }));
  const { value } = await iterator.next();
  assert.deepEqual(value, { joined: [user(3)], left: [{ ...user(2), reason: undefined }], changed: [] });
  const last = iterator.next();
  await settled();
  room.close();
  assert.deepEqual(await last, { value: undefined, done: true });
});

test("name that no room can have is an error that says what to do", () => {
  for (const room of ["", "Team", "a_b", "-a", "a-", "a".repeat(65)]) {
    assert.throws(() => new Room({ room, server: SERVER }), /1 to 64 of a-z0-9/, room);
  }
  assert.equal(roomWith({ room: "a".repeat(64) }).room.status, "connecting");
});

/** The token of the last socket's first frame. */
const sentToken = () => FakeSocket.last.sent[0]?.token;

test("token is in the first frame, and one that is refused ends the room", () => {
  const { room, seen } = roomWith({ name: "Ana", token: "a.b.c" });
  FakeSocket.last.onopen?.();
  assert.equal(sentToken(), "a.b.c");
  FakeSocket.last.end(4401, "The token has expired.");
  assert.equal(room.status, "closed");
  assert.deepEqual(seen.refusals, [{ code: "4401", message: "The token has expired." }]);
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.all.length, 1);
});

test("what gets a token is asked for each connection, and nobody is told that one expired", async () => {
  let asked = 0;
  const { room, seen } = roomWith({ watchOnly: true, token: async () => `token ${(asked += 1)}` });
  FakeSocket.last.onopen?.();
  assert.equal(FakeSocket.last.sent.length, 0);
  await settled();
  assert.deepEqual([FakeSocket.last.sent[0]?.event, sentToken()], ["watch", "token 1"]);
  FakeSocket.last.receive(list(7, [1]));
  FakeSocket.last.end(4401, "The token has expired.");
  mock.timers.tick(250);
  FakeSocket.last.onopen?.();
  await settled();
  assert.equal(sentToken(), "token 2");
  FakeSocket.last.receive(resumed(7, 7));
  assert.deepEqual([room.status, seen.refusals, seen.changes.length], ["live", [], 1]);
  FakeSocket.last.end(4403, "The token is not for this room.");
  assert.deepEqual([room.status, seen.refusals.length], ["closed", 1]);
});

test("connection is tried again where no token is got, and a token that comes too late is not sent", async () => {
  let answer: (token: string) => void = () => undefined;
  const tokens = [() => Promise.reject(new Error("offline")), () => new Promise<string>((resolve) => (answer = resolve))];
  roomWith({ name: "Ana", token: () => tokens.shift()?.() ?? "a.b.c" });
  FakeSocket.last.onopen?.();
  await settled();
  mock.timers.tick(250);
  assert.equal(FakeSocket.all.length, 2);
  const second = FakeSocket.last;
  second.onopen?.();
  second.end();
  mock.timers.tick(1_000);
  assert.equal(FakeSocket.all.length, 3);
  answer("late");
  await settled();
  assert.deepEqual([second.sent, FakeSocket.last.sent], [[], []]);
  FakeSocket.last.onopen?.();
  assert.equal(FakeSocket.last.sent.length, 0);
  await settled();
  assert.equal(sentToken(), "a.b.c");
});
