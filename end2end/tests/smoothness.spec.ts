// Ten thousand people of whom a hundred change each second: how smoothly the page scrolls, sorts and
// searches. The times are printed, and judged elsewhere: a slow machine is no fault of the page.

import { BigRoom } from "../support/big-room";
import { expect, test } from "../support/fixtures";
import { grouped } from "../support/visitor";

const MANY = 10_000;
const CHANGES_PER_SECOND = 100;

/** For how long each measurement goes on. */
const SECONDS = 4;

test("a hundred changes a second, scrolled, sorted and searched: says how long the longest task was", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor();
  const people = await BigRoom.openedBy(visitor, room, MANY);
  await visitor.page.evaluate(watchTasks);

  const scroll = (): Promise<unknown> => visitor.page.evaluate(scrollFor, SECONDS);
  const sort = async () => {
    for (const isByName of ["true", "false", "true"]) {
      await visitor.sortButton.click();
      await expect(visitor.sortButton).toHaveAttribute("aria-pressed", isByName);
      await expect.poll(() => visitor.isFilled()).toBe(true);
    }
  };
  const search = async () => {
    await visitor.findField.pressSequentially("person 12", { delay: 200 });
    await visitor.findField.press("ControlOrMeta+A");
    await visitor.findField.press("Delete");
  };
  for (const [what, act] of [
    ["scrolled, in order of arrival", scroll],
    ["put in order, and back", sort],
    ["scrolled, from A to Z", scroll],
    ["searched, from A to Z", search],
  ] as const) {
    const frames = visitor.page.evaluate(watchFrames, SECONDS);
    await Promise.all([people.changes(CHANGES_PER_SECOND, SECONDS), act()]);
    const gaps = await frames;
    const tasks = await visitor.page.evaluate(takeTasks);
    console.log(
      `${MANY} people, ${CHANGES_PER_SECOND} changes a second, ${what}: ${gaps.length} frames in ${SECONDS} s, ` +
        `the longest gap ${Math.round(Math.max(...gaps))} ms; ` +
        `tasks over 50 ms: ${tasks.length} (${tasks.join(", ")}).`,
    );
    await expect.poll(() => visitor.isFilled()).toBe(true);
    await expect(visitor.count).toHaveText(grouped(people.users.length));
    await visitor.page.evaluate(() => scrollTo(0, 0));
  }
});

interface Watching {
  tasks: number[];
  observer: PerformanceObserver;
}

/** Notes how long each long task was: the browser calls those so that take more than 50 ms. */
function watchTasks(): void {
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(Math.round(duration));
  });
  observer.observe({ type: "longtask" });
  Object.assign(window, { tasks, observer } satisfies Watching);
}

/** Answers how long the long tasks were since it was asked last. */
function takeTasks(): number[] {
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

/** Answers how long each frame took. */
async function watchFrames(seconds: number): Promise<number[]> {
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
