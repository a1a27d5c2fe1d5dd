// How long it takes until a page is live. The time is printed and not judged here: it depends on the
// machine.

import { expect, test } from "../support/fixtures";
import { numberedPeople } from "../support/names";

const PEOPLE = 200;
const REPETITIONS = 5;

test("a page with 200 people is served with all rows, and the time until it is live", async ({
  browser,
  server,
  clients,
  request,
  room,
}) => {
  const names = numberedPeople(PEOPLE);
  await clients.joinTogether(server, room, names);
  const html = await (await request.get(`${server.url}/r/${room}`)).text();
  expect(html.match(/<li[^>]* data-user-id=/g)).toHaveLength(PEOPLE);

  const times: number[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    // Not a visitor of the fixtures: what listens to a page's console and asks again and again whether it is live
    // takes a third of the time.
    const context = await browser.newContext({ baseURL: server.url });
    const page = await context.newPage();
    // In milliseconds since the start of the navigation, by the page's own clock.
    await page.addInitScript(() => {
      const observer = new MutationObserver(() => {
        const { hydrated, live } = document.documentElement.dataset;
        if (hydrated !== "true" || live !== "true") return;
        observer.disconnect();
        performance.mark("hydrated and live");
      });
      observer.observe(document, { attributes: true, subtree: true, childList: true });
    });
    await page.goto(`/r/${room}`);
    const mark = await page.waitForFunction(
      () => performance.getEntriesByName("hydrated and live")[0]?.startTime,
      undefined,
      { polling: 100 },
    );
    const moment = await mark.jsonValue();
    // Once the page is live, only the visible rows are in it.
    await expect(page.getByTestId("count")).toHaveText(String(PEOPLE));
    expect(moment).toBeDefined();
    times.push(moment ?? Number.NaN);
    await context.close();
  }
  const sorted = times.map(Math.round).sort((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)];
  console.log(
    `Hydrated and live with ${PEOPLE} people in the room: median ${median} ms ` +
      `of ${REPETITIONS} first visits (${sorted.join(", ")} ms).`,
  );
});
