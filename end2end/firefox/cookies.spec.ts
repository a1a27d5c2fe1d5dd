// A Firefox that refuses cookies.

import { Firefox } from "./driver/browser";
import { expect, test as base } from "./driver/fixtures";
import { FirefoxElement } from "./driver/element";

/** The setting that refuses all cookies, and any other storage with them. */
const REFUSE_ALL = 2;

const test = base.extend<object, { firefox: Firefox }>({
  firefox: [
    async ({}, use, { project }) => {
      const firefox = await Firefox.start(project.outputDir, { "network.cookie.cookieBehavior": REFUSE_ALL });
      await use(firefox);
      await firefox.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
});

test("page in a browser that refuses cookies says so at once, and works", async ({ newVisitor, room }) => {
  const [ana, bo] = [await newVisitor(), await newVisitor()];
  await ana.open(room);
  const sentence = new FirefoxElement(() => ana.page.mainFrame(), { css: ".without-cookies" });
  await expect.poll(() => sentence.text()).toMatch(/^Your browser or network blocks this site's cookies/);
  await ana.join("Ana");
  await bo.openAndJoin(room, "Bo");
  await ana.shows(["Ana", "Bo"]);
  expect(await ana.context.cookies()).toEqual([]);
});
