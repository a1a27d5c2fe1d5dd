// The page in a browser that runs no scripts.

import { SCRIPTS_NOT_USED } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { expectNoHorizontalScroll } from "../support/layout";

const NAMES = ["Ana Sousa", "Bo", "<b>Kim</b>", "مريم الحداد", "W".repeat(100)];

test.beforeEach(({ browserErrors }) => browserErrors.areExpected(SCRIPTS_NOT_USED));

test("without scripts the list and the count are there", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES);
  const visitor = await newVisitor({ javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}`);

  await visitor.shows(NAMES);
  await expect(visitor.roomName).toContainText(room);
  await expect(visitor.emptyRoom).toBeHidden();
  await expect(visitor.html).not.toHaveAttribute("data-hydrated");
});

test("without scripts an empty room shows a notice", async ({ newVisitor, room }) => {
  const visitor = await newVisitor({ javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}`);

  await visitor.shows([]);
  await expect(visitor.emptyRoom).toBeVisible();
});

test("without scripts a notice says what needs them", async ({
  newVisitor,
  room,
}) => {
  const visitor = await newVisitor({ javaScriptEnabled: false });
  await visitor.page.goto(`/r/${room}`);
  await expect(visitor.page.getByText(/JavaScript/)).toBeVisible();
  // No control without function is shown; the invitation works without scripts.
  for (const button of await visitor.page.getByRole("button").all()) {
    if ((await button.getAttribute("popovertarget")) === null) await expect(button).toBeDisabled();
  }

  const withScripts = await newVisitor();
  await withScripts.open(room);
  await expect(withScripts.page.getByText(/JavaScript/)).toBeHidden();
});

test("without scripts there is no horizontal scrolling", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, NAMES);
  for (const width of [320, 768, 1280]) {
    const visitor = await newVisitor({
      javaScriptEnabled: false,
      viewport: { width, height: 700 },
    });
    await visitor.page.goto(`/r/${room}`);
    await expectNoHorizontalScroll(visitor.page);
  }
});
