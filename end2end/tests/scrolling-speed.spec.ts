// How smoothly the page scrolls, sorts and searches in a room of ten thousand people with a hundred changes a
// second. The times are printed and not judged here: they depend on the machine.

import { BigRoom } from "../support/big-room";
import { expect, test } from "../support/fixtures";
import { formatCount } from "../support/visitor";

const MANY = 10_000;
const CHANGES_PER_SECOND = 100;

/** The duration of each measurement, in seconds. */
const SECONDS = 4;

test("the longest tasks with a hundred changes a second, while scrolling, sorting and searching", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  const people = await BigRoom.openedBy(visitor, room, MANY);
  await visitor.page.evaluate(recordLongTasks);

  const scroll = (): Promise<unknown> => visitor.page.evaluate(scrollFor, SECONDS);
  const sort = async () => {
    for (let time = 0; time < 3; time += 1) {
      await visitor.toggle("newestFirstButton");
      await expect.poll(() => visitor.isFilled()).toBe(true);
    }
  };
  const search = async () => {
    await visitor.searchField.pressSequentially("person 12", { delay: 200 });
    await visitor.searchField.press("ControlOrMeta+A");
    await visitor.searchField.press("Delete");
  };
  for (const [what, act] of [
    ["scrolled, by name", scroll],
    ["put in order, and back", sort],
    ["scrolled, the newest first", scroll],
    ["searched, the newest first", search],
  ] as const) {
    const frames = visitor.page.evaluate(recordFrames, SECONDS);
    await Promise.all([people.changes(CHANGES_PER_SECOND, SECONDS), act()]);
    const gaps = await frames;
    const tasks = await visitor.page.evaluate(takeLongTasks);
    console.log(
      `${MANY} people, ${CHANGES_PER_SECOND} changes a second, ${what}: ${gaps.length} frames in ${SECONDS} s, ` +
        `the longest gap ${Math.round(Math.max(...gaps))} ms; ` +
        `tasks over 50 ms: ${tasks.length} (${tasks.join(", ")}).`,
    );
    await expect.poll(() => visitor.isFilled()).toBe(true);
    await expect(visitor.count).toHaveText(formatCount(people.here));
    await visitor.page.evaluate(() => scrollTo(0, 0));
  }
});

interface Watching {
  tasks: number[];
  observer: PerformanceObserver;
}

/** Records the durations of long tasks: browsers report tasks of more than 50 ms. */
function recordLongTasks(): void {
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(Math.round(duration));
  });
  observer.observe({ type: "longtask" });
  Object.assign(window, { tasks, observer } satisfies Watching);
}

/** Returns the durations of long tasks since the last call. */
function takeLongTasks(): number[] {
  const { tasks, observer } = window as unknown as Watching;
  for (const { duration } of observer.takeRecords()) tasks.push(Math.round(duration));
  return tasks.splice(0);
}

/** Scrolls steadily. */
async function scrollFor(seconds: number): Promise<void> {
  const begin = performance.now();
  while (performance.now() - begin < seconds * 1_000) {
    scrollBy(0, 60);
    await new Promise((next) => requestAnimationFrame(next));
  }
}

/** Returns the duration of each frame. */
async function recordFrames(seconds: number): Promise<number[]> {
  const gaps: number[] = [];
  const begin = performance.now();
  let last = begin;
  while (last - begin < seconds * 1_000) {
    await new Promise((next) => requestAnimationFrame(next));
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}
