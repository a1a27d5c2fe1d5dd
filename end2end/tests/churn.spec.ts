// A page in a room that never rests holds no more after many changes than after few.

import type { CDPSession } from "@playwright/test";

import { BigRoom } from "../support/big-room";
import { expect, test } from "../support/fixtures";
import { grouped, type Visitor } from "../support/visitor";

/** For how long people come and go; `CHURN_MINUTES=10` is the long look. */
const MINUTES = Number(process.env["CHURN_MINUTES"] ?? "0.25");

const MANY = 10_000;
const CHANGES_PER_SECOND = 100;

/** After so many seconds the page is where it was: scrolled back, in order of arrival, nobody looked for. */
const ROUND_IN_SECONDS = 5;

/** Fewer than a few rows are made of: what is on its way into the page or out of it at that moment. */
const NODES_IN_MOTION = 60;

/** Whatever is made once is made in these: each list finds the place in memory where it is made anew. */
const FIRST_ROUNDS = 3;

/** Four pages of memory. Ten thousand people put in order take twice as much. */
const WASM_IN_MOTION = 262_144;

// A recording holds nodes of its own.
test.use({ trace: "off" });

/** What a page holds, after everything that nobody needs any more was cleared away. */
interface Held {
  heapInBytes: number;
  wasmInBytes: number;
  /** Nodes of the document and those that something still refers to, but for what was said in words. */
  nodes: number;
  listeners: number;
}

test("the page holds no more after many changes than after few", async ({ newVisitor, room }) => {
  test.setTimeout((2 * MINUTES + 2) * 60_000);
  const visitor = await newVisitor();
  await visitor.page.addInitScript(noteTheMemory);
  const people = await BigRoom.for(visitor.page, MANY);
  const devtools = await visitor.context.newCDPSession(visitor.page);
  await devtools.send("Performance.enable");
  await visitor.open(room);
  await expect(visitor.count).toHaveText(grouped(MANY));

  for (let round = 0; round < FIRST_ROUNDS; round += 1) await churn(visitor, people);
  const before = await heldAtRest(visitor, devtools);
  const rounds = Math.max(1, Math.round((MINUTES * 60) / ROUND_IN_SECONDS));
  for (let round = 0; round < rounds; round += 1) await churn(visitor, people);
  const after = await heldAtRest(visitor, devtools);
  const changes = rounds * ROUND_IN_SECONDS * CHANGES_PER_SECOND;
  console.log(`${MANY} people, ${changes} changes in ${rounds} rounds:`);
  console.log(`  before: ${inWords(before)}\n  after:  ${inWords(after)}`);

  await expect(visitor.count).toHaveText(grouped(people.users.length));
  expect(after.nodes).toBeLessThan(before.nodes + NODES_IN_MOTION);
  expect(after.wasmInBytes).toBeLessThan(before.wasmInBytes + WASM_IN_MOTION);
  expect(after.listeners).toBeLessThan(before.listeners + NODES_IN_MOTION);
});

/** People come, go and are away, while the list is scrolled, sorted and searched. */
async function churn(visitor: Visitor, people: BigRoom): Promise<void> {
  const changes = people.changes(CHANGES_PER_SECOND, ROUND_IN_SECONDS);
  await visitor.page.evaluate(() => scrollTo(0, 20_000));
  await visitor.sortButton.click();
  await seek(visitor, "person 1");
  await expect(visitor.found).toContainText("of");
  await seek(visitor, "");
  await visitor.sortButton.click();
  await changes;
  await visitor.page.evaluate(() => scrollTo(0, 0));
  await expect(visitor.names.first()).toHaveText(people.users[0]?.name ?? "");
  await expect(visitor.count).toHaveText(grouped(people.users.length));
}

/** As if it had been typed, but without the history from which typing is undone: the browser keeps a node for each entry. */
async function seek(visitor: Visitor, sought: string): Promise<void> {
  await visitor.findField.evaluate((field: HTMLInputElement, sought) => {
    field.value = sought;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, sought);
}

/** What it holds when nothing is on its way into the page or out of it any more: what it holds twice in a row. */
async function heldAtRest(visitor: Visitor, devtools: CDPSession): Promise<Held> {
  let last = await held(visitor, devtools);
  const isAtRest = async () => {
    const { nodes } = last;
    last = await held(visitor, devtools);
    return last.nodes === nodes;
  };
  await expect.poll(isAtRest, { intervals: [500] }).toBe(true);
  return last;
}

async function held(visitor: Visitor, devtools: CDPSession): Promise<Held> {
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const metric = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  const { wasmInBytes, words } = await visitor.page.evaluate(() => {
    const { memory } = window as unknown as { memory: WebAssembly.Memory };
    // The panel fills up to its hundred entries, and what is said comes and goes.
    const said = document.querySelectorAll("#activity, [role=status]");
    const count = (node: Node): number =>
      [...node.childNodes].reduce((sum, child) => sum + 1 + count(child), 0);
    return {
      wasmInBytes: memory.buffer.byteLength,
      words: [...said].reduce((sum, region) => sum + count(region), 0),
    };
  });
  return {
    heapInBytes: metric("JSHeapUsedSize"),
    wasmInBytes,
    nodes: metric("Nodes") - words,
    listeners: metric("JSEventListeners"),
  };
}

function inWords({ heapInBytes, wasmInBytes, nodes, listeners }: Held): string {
  const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`;
  return (
    `${mebibytes(heapInBytes)} of heap, ${mebibytes(wasmInBytes)} of WASM memory, ` +
    `${nodes} nodes, ${listeners} listeners`
  );
}

/** Runs in the page, before its own scripts: notes the memory of the WASM that they start. */
function noteTheMemory(): void {
  const note = ({ exports }: WebAssembly.Instance) =>
    Object.assign(window, { memory: exports["memory"] });
  const { instantiate, instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (...source) => {
    const result = await instantiateStreaming(...source);
    note(result.instance);
    return result;
  };
  WebAssembly.instantiate = (async (...source: Parameters<typeof instantiate>) => {
    const result = (await instantiate(...source)) as unknown;
    note((result as { instance?: WebAssembly.Instance }).instance ?? (result as WebAssembly.Instance));
    return result;
  }) as typeof instantiate;
}
