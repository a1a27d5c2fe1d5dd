// Memory of a page in a busy room: it does not grow with the number of changes.

import type { CDPSession } from "@playwright/test";

import { BigRoom } from "../support/big-room";
import { expect, test } from "../support/fixtures";
import { inPageOrder } from "../support/names";
import { formatCount, type Visitor } from "../support/visitor";

/** How long the room changes; `CHURN_MINUTES=10` is the long run. */
const MINUTES = Number(process.env["CHURN_MINUTES"] ?? "0.25");

const MANY = 10_000;
const CHANGES_PER_SECOND = 100;

/** After so many seconds the page is back in its first state: at the top, in the order of names, without a query. */
const ROUND_IN_SECONDS = 5;

/** The nodes that are being added or removed at any moment: fewer than a few rows have. */
const NODES_IN_MOTION = 60;

/** Rounds for one-time allocations, and for buffers to reach their final sizes. */
const FIRST_ROUNDS = 3;

/** Four pages of memory. Sorting ten thousand people takes twice as much. */
const WASM_IN_MOTION = 262_144;

// A trace recording would keep nodes of its own.
test.use({ trace: "off" });

/** The resources of a page after garbage collection. */
interface Usage {
  heapInBytes: number;
  wasmInBytes: number;
  /** Nodes of the document and those still referenced, except the text of announcements. */
  nodes: number;
  listeners: number;
}

test("a page uses no more memory after many changes than after few", async ({ newVisitor, room }) => {
  test.setTimeout((2 * MINUTES + 2) * 60_000);
  const visitor = await newVisitor();
  await visitor.page.addInitScript(exposeWasmMemory);
  const people = await BigRoom.for(visitor.page, MANY);
  const devtools = await visitor.context.newCDPSession(visitor.page);
  await devtools.send("Performance.enable");
  await visitor.open(room);
  await expect(visitor.count).toHaveText(formatCount(MANY));

  for (let round = 0; round < FIRST_ROUNDS; round += 1) await churn(visitor, people);
  const before = await usageAtRest(visitor, devtools);
  const rounds = Math.max(1, Math.round((MINUTES * 60) / ROUND_IN_SECONDS));
  for (let round = 0; round < rounds; round += 1) await churn(visitor, people);
  const after = await usageAtRest(visitor, devtools);
  const changes = rounds * ROUND_IN_SECONDS * CHANGES_PER_SECOND;
  console.log(`${MANY} people, ${changes} changes in ${rounds} rounds:`);
  console.log(`  before: ${format(before)}\n  after:  ${format(after)}`);

  await expect(visitor.count).toHaveText(formatCount(people.here));
  expect(after.nodes).toBeLessThan(before.nodes + NODES_IN_MOTION);
  expect(after.wasmInBytes).toBeLessThan(before.wasmInBytes + WASM_IN_MOTION);
  expect(after.listeners).toBeLessThan(before.listeners + NODES_IN_MOTION);
});

/** People join, leave and are away, while the list is scrolled, sorted and searched. */
async function churn(visitor: Visitor, people: BigRoom): Promise<void> {
  const changes = people.changes(CHANGES_PER_SECOND, ROUND_IN_SECONDS);
  await visitor.page.evaluate(() => scrollTo(0, 20_000));
  await visitor.toggle("newestFirstButton");
  await typeQuery(visitor, "person 1");
  await expect(visitor.found).toContainText("of");
  await typeQuery(visitor, "");
  await visitor.toggle("newestFirstButton");
  await changes;
  await visitor.page.evaluate(() => scrollTo(0, 0));
  const here = people.users.filter(({ state }) => state !== "away").map(({ name }) => name);
  await expect(visitor.names.first()).toHaveText(inPageOrder(here)[0]!);
  await expect(visitor.count).toHaveText(formatCount(people.here));
}

/** Types a query without undo history, for which the browser keeps a node for each entry. */
async function typeQuery(visitor: Visitor, query: string): Promise<void> {
  await visitor.searchField.evaluate((field: HTMLInputElement, query) => {
    field.value = query;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, query);
}

/** The usage once nothing is being added or removed: when two measurements agree. */
async function usageAtRest(visitor: Visitor, devtools: CDPSession): Promise<Usage> {
  let last = await usage(visitor, devtools);
  const isAtRest = async () => {
    const { nodes } = last;
    last = await usage(visitor, devtools);
    return last.nodes === nodes;
  };
  await expect.poll(isAtRest, { intervals: [500] }).toBe(true);
  return last;
}

async function usage(visitor: Visitor, devtools: CDPSession): Promise<Usage> {
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const metric = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  const { wasmInBytes, words } = await visitor.page.evaluate(() => {
    const { memory } = window as unknown as { memory: WebAssembly.Memory };
    // The activity log grows to its hundred entries, and announcements change.
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

function format({ heapInBytes, wasmInBytes, nodes, listeners }: Usage): string {
  const mebibytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`;
  return (
    `${mebibytes(heapInBytes)} of heap, ${mebibytes(wasmInBytes)} of WASM memory, ` +
    `${nodes} nodes, ${listeners} listeners`
  );
}

/** Runs in the page before its scripts, and exposes the memory of the WASM instance. */
function exposeWasmMemory(): void {
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
