import assert from "node:assert/strict";
import { test } from "node:test";

import { createElement } from "react";
import { renderToString } from "react-dom/server";

import { useRollcall } from "../src/react.js";
import { FakeSocket } from "./support/fakes.js";

test("hook renders an empty list on a server, and opens nothing", () => {
  Object.assign(globalThis, { WebSocket: FakeSocket });
  const Page = () => {
    const { users, you, status, room } = useRollcall("team-7");
    return createElement("p", null, JSON.stringify([users, you, status, room ?? null]));
  };
  assert.equal(renderToString(createElement(Page)), "<p>[[],null,&quot;connecting&quot;,null]</p>");
  assert.equal(FakeSocket.all.length, 0);
});
