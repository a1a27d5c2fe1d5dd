// The page around a room: what a browser tells it, and what it keeps.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { exchangeTab, followPage } from "../src/page.js";

let window: EventTarget;
let document: EventTarget & { hidden: boolean };
let heard: unknown[];
let leave: () => void;

beforeEach(() => {
  window = new EventTarget();
  document = Object.assign(new EventTarget(), { hidden: false });
  Object.assign(globalThis, { document, addEventListener: window.addEventListener.bind(window) });
  heard = [];
  leave = followPage({
    onShow: () => heard.push("show"),
    onHide: (isKept) => heard.push(["hide", isKept]),
    onVisible: (isVisible) => heard.push(["visible", isVisible]),
    onOnline: () => heard.push("online"),
  });
});

afterEach(() => Reflect.deleteProperty(globalThis, "document"));

const dispatch = (type: string, persisted = false) => window.dispatchEvent(Object.assign(new Event(type), { persisted }));

function hide(hidden: boolean): void {
  document.hidden = hidden;
  document.dispatchEvent(new Event("visibilitychange"));
}

test("page tells when it is hidden and shown, from the beginning on", () => {
  hide(true);
  hide(false);
  dispatch("online");
  assert.deepEqual(heard, [["visible", true], ["visible", false], ["visible", true], "online"]);
});

test("page that goes is not hidden, and one that comes back is visible again", () => {
  dispatch("pagehide", true);
  hide(true);
  dispatch("pageshow", true);
  hide(false);
  assert.deepEqual(heard, [["visible", true], ["hide", true], "show", ["visible", true]]);
});

test("first display is no return", () => {
  dispatch("pageshow");
  dispatch("pagehide");
  assert.deepEqual(heard, [["visible", true], ["hide", false]]);
});

test("page that was left tells nothing", () => {
  leave();
  hide(true);
  dispatch("online");
  dispatch("pagehide");
  assert.deepEqual(heard, [["visible", true]]);
});

test("id of a tab is there for the next page alone", () => {
  const store: Record<string, string> = {};
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, get: () => store });
  assert.equal(exchangeTab("a"), undefined);
  exchangeTab("a", "t1");
  exchangeTab("b", "t2");
  assert.equal(exchangeTab("a"), "t1");
  assert.equal(exchangeTab("a"), undefined);
  assert.equal(exchangeTab("b"), "t2");
});

test("blocked storage is no error", () => {
  const block = () => {
    throw new DOMException("denied", "SecurityError");
  };
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, get: block });
  assert.equal(exchangeTab("a", "t1"), undefined);
});
