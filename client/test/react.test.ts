import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { GlobalWindow } from "happy-dom";
import { act, createElement } from "react";
import { createRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";

import { useRollcall, type Rollcall } from "../src/react.js";
import { fakeFetch, FakeSocket, settled } from "./support/fakes.js";
import { changes, idOf, list, wireUser } from "./support/samples.js";

Object.assign(globalThis, { WebSocket: FakeSocket, fetch: fakeFetch, IS_REACT_ACT_ENVIRONMENT: true });

const SERVER = "https://rollcall.example";

/** What the hook returned last. */
let last: Rollcall;

function Page(props: { room: string }) {
  last = useRollcall({ room: props.room, server: SERVER });
  return createElement("p", null, last.users.map(({ name }) => name).join());
}

afterEach(() => {
  FakeSocket.all.length = 0;
});

test("hook renders an empty list on a server, and opens nothing", () => {
  assert.equal(renderToString(createElement(Page, { room: "team-7" })), "<p></p>");
  assert.deepEqual(last, { users: [], you: null, status: "connecting", room: undefined });
  assert.equal(FakeSocket.all.length, 0);
});

test("hook follows a room, then another one, until it is unmounted", async () => {
  const window = new GlobalWindow({ url: "https://page.example" });
  Object.assign(globalThis, { window, document: window.document });
  globalThis.addEventListener = window.addEventListener.bind(window) as typeof addEventListener;
  const container = document.createElement("div");
  const root = createRoot(container);
  await act(async () => root.render(createElement(Page, { room: "a" })));
  const socket = FakeSocket.last;
  await act(async () => {
    socket.onopen?.();
    socket.receive(list(7, [1, 2], { you: idOf(1) }));
  });
  assert.equal(container.textContent, "Name 1,Name 2");
  assert.deepEqual([last.status, last.you], ["live", idOf(1)]);
  await act(async () => socket.receive(changes(7, 8, { new_user: [wireUser(3)] })));
  assert.equal(container.textContent, "Name 1,Name 2,Name 3");
  // An equal object of options is the same room.
  await act(async () => root.render(createElement(Page, { room: "a" })));
  assert.equal(FakeSocket.all.length, 1);
  await act(async () => root.render(createElement(Page, { room: "b" })));
  assert.ok(socket.isClosed);
  assert.equal(FakeSocket.last.url, "wss://rollcall.example/r/b/socket");
  assert.equal(container.textContent, "");
  await act(async () => root.unmount());
  assert.ok(FakeSocket.last.isClosed);
  await settled();
  await window.happyDOM.close();
});
