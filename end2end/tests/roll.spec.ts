// "Take the roll": who of an expected list is missing. roll-match.spec.ts has what is compared how.

import { readFile } from "node:fs/promises";

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { encoded, OLD_TEAMS_IN_GERMAN, TEAMS, ZOOM } from "../support/participant-files";
import { LIST, MISSING, OTHERWISE, SAME, sheetOf, STRANGERS, withList } from "../support/roll-sheet";

/** With date and time. */
function fileName(room: string, kind: string): RegExp {
  return new RegExp(`^roll-${room}-\\d{4}-\\d\\d-\\d\\d-\\d{4}\\.${kind}$`);
}

test("24 of 30 are here after three answers, and the table agrees", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, [...SAME, ...OTHERWISE.map(([, name]) => name), ...STRANGERS]);
  const visitor = await newVisitor({ permissions: ["clipboard-read", "clipboard-write"], timezoneId: "Asia/Kolkata" });
  // The first click opens the sheet.
  const sheet = await withList(visitor, room, LIST);
  await expect(sheet.headline).toHaveText("21 of 30");
  await expect(sheet.part("counts")).toHaveText("3 to check · 6 missing");
  await expect(visitor.page.locator("#missing-count")).toHaveText(" · 21 of 30 · 3 to check · 6 missing");
  await expect(sheet.part("missing").getByRole("listitem")).toHaveText(MISSING);
  await expect(sheet.part("questions").getByRole("listitem")).toHaveCount(3);
  for (const [name, shown] of OTHERWISE) {
    const question = sheet.part("questions").getByRole("listitem").filter({ hasText: `Is ${shown} ${name}?` });
    await question.getByRole("button", { name: "Yes" }).click();
  }
  await expect(sheet.headline).toHaveText("24 of 30");
  await expect(sheet.part("questions")).toBeHidden();
  await expect(sheet.part("missing").getByRole("listitem")).toHaveText(MISSING);
  await expect(sheet.part("strangers").locator("bdi")).toHaveText(STRANGERS);
  await expect(sheet.part("repeated").getByRole("listitem")).toHaveText("Ben Carter 2 times");

  await sheet.button("Copy roll").click();
  await expect(sheet.part("status")).toHaveText("Copied");
  const copied = await visitor.page.evaluate(() => navigator.clipboard.readText());
  const rows = copied.trimEnd().split("\n").map((line) => line.split("\t"));
  expect(rows[0]).toEqual(["status", "name", "arrived", "here as"]);
  expect([...new Set(rows.slice(1).map(([status]) => status))]).toEqual(["missing", "not on the list", "here"]);
  const named = (status: string) => rows.filter((row) => row[0] === status).map((row) => row[1]);
  expect(named("here")).toHaveLength(24);
  expect(named("missing")).toEqual(MISSING);
  expect(named("not on the list")).toEqual(["Mickey Mouse", "'=1+1"]);
  const minute = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
  expect(rows.find((row) => row[1] === "José Silva")).toEqual(["here", "José Silva", minute, "Zé"]);

  const downloading = visitor.page.waitForEvent("download");
  await sheet.button("Download CSV").click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(fileName(room, "csv"));
  const table = await readFile(await download.path(), "utf8");
  expect(table.startsWith('\ufeff"status","name","arrived","here as"\r\n')).toBe(true);
  expect(table).toMatch(/\r\n"here","Amelie Bauer","[-0-9]+T[:0-9]+\+05:30",""\r\n/);
  expect(table).toContain(`"not on the list","'=1+1",`);
  expect(table.trimEnd().split("\r\n")).toHaveLength(rows.length);

  const downloadingWorkbook = visitor.page.waitForEvent("download");
  await sheet.button("Download Excel").click();
  const workbook = await downloadingWorkbook;
  expect(workbook.suggestedFilename()).toMatch(fileName(room, "xlsx"));
  // Its texts are stored as they are.
  const content = await readFile(await workbook.path(), "utf8");
  expect(content.match(/<row>/g)).toHaveLength(rows.length);
  expect(content).toContain(">missing<");
});

test("answers and the list stay in this browser, and can be taken back", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, ["Zé", "Ana Sousa"]);
  const visitor = await newVisitor();
  let sheet = await withList(visitor, room, ["José Silva", "Ana Sousa", "Maria Lopez"]);
  await sheet.button("Yes").click();
  await expect(sheet.headline).toHaveText("2 of 3");
  await visitor.page.reload();
  await visitor.isLive();
  await expect(visitor.page.locator("#missing-count")).toHaveText(" · 2 of 3 · 1 missing");
  sheet = sheetOf(visitor.page);
  await sheet.open();
  await expect(sheet.field).toHaveValue("José Silva\nAna Sousa\nMaria Lopez");
  await expect(sheet.part("here")).toContainText("as Zé");
  await sheet.button("Undo the answer about Zé").click();
  await expect(sheet.headline).toHaveText("1 of 3");
  await sheet.button("No").click();
  await expect(sheet.part("strangers").locator("bdi")).toHaveText(["Zé"]);
  // It is the browser's, and nobody else's.
  const other = await newVisitor();
  await other.open(room);
  await expect(other.page.locator("#missing-count")).toHaveCount(0);

  await sheet.button("Clear the list").click();
  await expect(sheet.field).toBeFocused();
  await expect(sheet.part("missing")).toBeHidden();
  await expect(visitor.page.locator("#missing-count")).toHaveCount(0);
  const kept = await visitor.page.evaluate(() => Object.keys(localStorage));
  expect(kept.filter((key) => key.startsWith("rollcall-roll-"))).toEqual([]);
});

test("the participant files of Zoom and Teams are taken", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, ["Ana Sousa", "Maria Lopez"]);
  const visitor = await newVisitor();
  for (const [name, buffer] of [
    ["zoom.csv", encoded(ZOOM, "utf8")],
    ["zoom16.csv", encoded(ZOOM, "utf16le")],
    ["teams.csv", encoded(TEAMS, "utf16le")],
    ["teams8.csv", encoded(TEAMS, "utf8")],
    ["teams-alt.csv", encoded(OLD_TEAMS_IN_GERMAN, "utf16le")],
  ] as const) {
    const sheet = await withList(visitor, room, []);
    await visitor.page.getByLabel("Open a file").setInputFiles({ name, mimeType: "text/csv", buffer });
    await expect(sheet.part("status"), name).toHaveText("3 names added.");
    await expect(sheet.headline, name).toHaveText("2 of 3");
    await expect(sheet.part("missing").getByRole("listitem"), name).toHaveText(["José Silva"]);
  }
  const sheet = sheetOf(visitor.page);
  const nothing = { name: "nothing.csv", mimeType: "text/csv", buffer: Buffer.from("--") };
  await visitor.page.getByLabel("Open a file").setInputFiles(nothing);
  await expect(sheet.part("status")).toHaveText("No names found in this file.");

  // Dropped on the sheet.
  await sheet.button("Clear the list").click();
  const transfer = await visitor.page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], "names.csv"));
    return transfer;
  }, TEAMS);
  await sheet.field.dispatchEvent("drop", { dataTransfer: transfer });
  await expect(sheet.headline).toHaveText("2 of 3");
});

test("of a pasted table only the names are kept", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const sheet = await withList(visitor, room, []);
  await sheet.field.evaluate((field) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", "No.\tName\tClass\n1\tMaria Lopez\t7a\n2\tJosé Silva\t7b\n");
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true, bubbles: true }));
  });
  await expect(sheet.field).toHaveValue("Maria Lopez\nJosé Silva\n");
  await expect(sheet.headline).toHaveText("0 of 2");
});

test("the list follows the room, and a called roll does not", async ({ newVisitor, server, clients, room }) => {
  const [ana, , , dee] = await clients.joinInOrder(server, room, ["Ana Sousa", "Ben Carter", "ben carter", "Dee"]);
  const visitor = await newVisitor();
  const sheet = await withList(visitor, room, ["Ana Sousa", "Ben Carter", "Cy Lee", "Dee Moss"]);
  await expect(sheet.headline).toHaveText("2 of 4");
  dee?.send({ event: "rename", name: "Dee Moss" });
  await expect(sheet.headline).toHaveText("3 of 4");
  dee?.send({ event: "leave" });
  await expect(sheet.part("missing").getByRole("listitem")).toHaveText(["Cy Lee", "Dee Moss"]);
  await expect(sheet.part("here").getByRole("listitem").last()).toContainText("here 2 times");
  await sheet.button("Call the roll now").click();
  await expect(sheet.dialog.getByRole("heading", { level: 2 })).toHaveText(
    new RegExp(`^Roll for ${room}, [A-Z][a-z]{2}, [A-Z][a-z]{2} \\d+, \\d+:\\d\\d\\s[AP]M$`),
  );
  await expect(sheet.headline).toBeFocused();
  await clients.join(server, room, "Cy Lee");
  ana?.send({ event: "leave" });
  await expect(visitor.names).toHaveText(["Ben Carter", "ben carter", "Cy Lee"]);
  const late = [/^Dee Moss$/, /^Cy Lee late \d+:\d\d\s[AP]M$/];
  await expect(sheet.headline).toHaveText("2 of 4");
  await expect(sheet.part("missing").getByRole("listitem")).toHaveText(late);
  // The page shows who is here now.
  const plates = visitor.page.locator("#missing-people bdi");
  await expect(plates).toHaveText(["Ana Sousa", "Dee Moss"]);
  await expect(visitor.page.locator("#missing-count")).toHaveText(" · 2 of 4 · 2 missing");
  // Also after a reload.
  await visitor.page.reload();
  await visitor.isLive();
  await sheet.open();
  await expect(sheet.part("missing").getByRole("listitem")).toHaveText(late);
  const downloading = visitor.page.waitForEvent("download");
  await sheet.button("Download CSV").click();
  const table = await readFile(await (await downloading).path(), "utf8");
  expect(table.split("\r\n").slice(1, 3)).toEqual([
    '"missing","Dee Moss","",""',
    expect.stringMatching(/^"late","Cy Lee","[^"]+",""$/),
  ]);
  await sheet.button("Back to live").click();
  await expect(sheet.part("missing").getByRole("listitem")).toHaveText(["Ana Sousa", "Dee Moss"]);
  await expect(sheet.headline).toBeFocused();
});

test("called rolls are kept, and what was cleared can be taken back", async ({ newVisitor, server, clients, room }) => {
  await clients.joinInOrder(server, room, ["Ana Sousa", "Mickey Mouse"]);
  const visitor = await newVisitor({ locale: "en-GB" });
  // A wrong clock.
  await visitor.page.clock.setFixedTime(new Date("2020-02-02T02:02:02Z"));
  const sheet = await withList(visitor, room, []);
  await expect(sheet.field).toBeFocused();
  await sheet.field.fill("Ana Sousa\nCy Lee");
  await sheet.button("Call the roll now").click();
  const heading = sheet.dialog.getByRole("heading", { level: 2 });
  await expect(heading).toHaveText(/, \d+:\d\d$/);
  await expect(heading).not.toContainText("2 Feb");
  await sheet.button("Back to live").click();
  await clients.join(server, room, "Cy Lee");
  await expect(sheet.headline).toHaveText("2 of 2");
  await sheet.button("Call the roll now").click();
  const rolls = sheet.part("rolls").getByRole("listitem").getByRole("button");
  await expect(rolls).toHaveText([/· 2 of 2$/, /· 1 of 2$/]);

  await sheet.button("Clear the list").click();
  await expect(sheet.field).toHaveValue("");
  await expect(sheet.part("result")).toBeHidden();
  await sheet.button("Undo").click();
  await expect(sheet.field).toHaveValue("Ana Sousa\nCy Lee");
  await sheet.button("Clear the list").click();
  // The rolls have their own lists.
  await rolls.nth(1).click();
  await expect(rolls.nth(1)).toHaveAttribute("aria-pressed", "true");
  await expect(sheet.headline).toHaveText("1 of 2");
  await expect(sheet.part("missing").getByRole("listitem")).toHaveText([/^Cy Lee late/]);
  await sheet.button("Delete the called rolls").click();
  await expect(sheet.button("Undo")).toBeFocused();
  await sheet.button("Undo").click();
  await expect(rolls).toHaveCount(2);
  await sheet.button("Delete the called rolls").click();
  const kept = await visitor.page.evaluate(() => Object.keys(localStorage));
  expect(kept.filter((key) => key.startsWith("rollcall-roll-"))).toEqual([]);
});

test("the visitor is no stranger, and a list that is too long says so", async ({ newVisitor, server, clients, room }) => {
  await clients.join(server, room, "Mickey Mouse");
  const visitor = await newVisitor();
  await visitor.open(room);
  await visitor.join("Teacher");
  const sheet = sheetOf(visitor.page);
  await sheet.open();
  await sheet.field.fill("Ana Sousa");
  await expect(sheet.part("strangers").locator("bdi")).toHaveText(["Mickey Mouse"]);
  await sheet.field.evaluate((field: HTMLTextAreaElement) => {
    field.value = "";
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", Array.from({ length: 30_000 }, (_, index) => `Pupil number ${index}`).join("\n"));
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true, bubbles: true }));
  });
  await expect(sheet.dialog).toContainText("Only the first 2,000 names are used.");
  await expect(sheet.headline).toHaveText("0 of 2,000");
  await sheet.field.fill("Ana Sousa");
  await expect(sheet.dialog).not.toContainText("Only the first");
});

test("who is missing is said once, and again when the roll is called", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.join(server, room, "Ana Sousa");
  const visitor = await newVisitor();
  const sheet = await withList(visitor, room, ["Ana Sousa", "Ben Carter", "Cy Lee"]);
  await expect(sheet.part("said")).toHaveText("1 of 3. 2 missing: Ben Carter and Cy Lee.");
  await clients.join(server, room, "Ben Carter");
  await expect(sheet.headline).toHaveText("2 of 3");
  await expect(sheet.part("said")).toHaveText("1 of 3. 2 missing: Ben Carter and Cy Lee.");
  await sheet.button("Call the roll now").click();
  await expect(sheet.part("said")).toHaveText("2 of 3. 1 missing: Cy Lee.");
});

test("a link carries the list, which never reaches the server", async ({ newVisitor, server, clients, room }) => {
  await clients.join(server, room, "Ana Sousa");
  const visitor = await newVisitor({ permissions: ["clipboard-read", "clipboard-write"] });
  const other = await newVisitor();
  const requests: string[] = [];
  for (const { page } of [visitor, other]) {
    page.on("request", (request) => requests.push(decodeURIComponent(request.url()) + (request.postData() ?? "")));
  }
  const sheet = await withList(visitor, room, ["Ana Sousa", "Wanda Król"]);
  await expect(sheet.headline).toHaveText("1 of 2");
  await sheet.button("Copy a link with this list").click();
  await expect(sheet.part("status")).toHaveText("Copied");
  const link = await visitor.page.evaluate(() => navigator.clipboard.readText());
  expect(link).toContain(`/r/${room}#roll=`);

  await other.page.goto(link);
  const taken = sheetOf(other.page);
  await expect(taken.headline).toHaveText("1 of 2");
  await expect(taken.part("missing").getByRole("listitem")).toHaveText(["Wanda Król"]);
  expect(new URL(other.page.url()).hash).toBe("");
  await other.isLive();
  // Whoever has another list is asked.
  await taken.field.fill("Ben Carter");
  await other.page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
  await expect(taken.dialog).toContainText("This link has a list of 2 names.");
  await expect(taken.field).toHaveValue("Ben Carter");
  await taken.button("Keep mine").click();
  await expect(taken.headline).toHaveText("0 of 1");
  await other.page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
  await taken.button("Use this list").click();
  await expect(taken.headline).toHaveText("1 of 2");
  await other.page.evaluate(() => (location.hash = "#roll=:broken"));
  await expect(taken.part("status")).toHaveText(/The list in this link is incomplete/);

  expect(requests.filter((text) => /Wanda|Król|roll=/.test(text))).toEqual([]);
  const sent = JSON.stringify([visitor.wire.sent, other.wire.sent]);
  expect(sent).not.toContain("Wanda");
});

test("the page shows who is missing, and whose rows are not on the list", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.joinInOrder(server, room, ["Ana Sousa", "Mickey Mouse"]);
  const visitor = await newVisitor();
  const sheet = await withList(visitor, room, ["Ana Sousa", "Wanda Król", "Lopez, Maria"]);
  await expect(sheet.headline).toHaveText("1 of 3");
  await visitor.page.keyboard.press("Escape");
  await expect(sheet.dialog).toBeHidden();
  await expect(visitor.page.locator("#missing-count")).toHaveText(" · 1 of 3 · 2 missing");
  const plates = visitor.page.getByRole("list", { name: "Missing" });
  await expect(plates.locator("bdi")).toHaveText(["Wanda Król", "Lopez, Maria"]);
  await expect(plates.locator(".avatar")).toHaveText([/^W.?K$/, /^M.?L$/]);
  const marked = visitor.rows.filter({ has: visitor.page.locator("[data-mark='not on the list']") });
  await expect(marked.locator("bdi")).toHaveText(["Mickey Mouse"]);

  const chip = visitor.page.getByRole("button", { name: "Missing 2" });
  await chip.click();
  await expect(chip).toHaveAttribute("aria-pressed", "true");
  await expect(visitor.roster).toBeHidden();
  await expect(plates).toBeVisible();
  await chip.click();
  await expect(visitor.roster).toBeVisible();

  // Rows that come later are marked too, and whoever comes is no longer missing.
  await clients.joinInOrder(server, room, ["Wanda Król", "Minnie Mouse"]);
  await expect(plates.locator("bdi")).toHaveText(["Lopez, Maria"]);
  await expect(marked.locator("bdi")).toHaveText(["Mickey Mouse", "Minnie Mouse"]);
  await clients.join(server, room, "Maria Lopez");
  await expect(chip).toBeHidden();
  await expect(visitor.page.locator("#missing-count")).toHaveText(" · 3 of 3");
});

test("the marks wait until the page is hydrated, which they would make fail", async ({
  newVisitor,
  server,
  clients,
  room,
}) => {
  await clients.join(server, room, "Ana Sousa");
  const visitor = await newVisitor();
  const sheet = await withList(visitor, room, ["Ana Sousa", "Ben Carter"]);
  const renderings: string[] = [];
  visitor.page.on("request", (request) => {
    if (request.url().includes("parts.json")) renderings.push(request.url());
  });
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await visitor.page.route("**/*.wasm", async (route) => {
    await released;
    await route.continue();
  });
  await visitor.page.reload();
  // As after ten seconds.
  await visitor.html.evaluate((html) => html.setAttribute("data-stale", "true"));
  await sheet.open();
  await expect(sheet.headline).toHaveText("1 of 2");
  const count = visitor.page.locator("#missing-count");
  await expect(count).toHaveCount(0);
  release();
  await visitor.isLive();
  await expect(count).toHaveText(" · 1 of 2 · 1 missing");
  expect(renderings).toEqual([]);
});

test("the list lasts until the page is closed where the browser blocks storage", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  await visitor.page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", {
      get: () => {
        throw new DOMException("The operation is insecure.", "SecurityError");
      },
    });
  });
  const sheet = await withList(visitor, room, ["Ana Sousa"]);
  await expect(sheet.headline).toHaveText("0 of 1");
  await expect(sheet.dialog).toContainText("This browser blocks storage");
});

test("the roll says when it is not live, and goes on afterwards", async ({
  newVisitor,
  ownServer,
  clients,
  browserErrors,
  room,
}) => {
  browserErrors.areExpected(NO_CONNECTION);
  await clients.join(ownServer, room, "Ana Sousa");
  const visitor = await newVisitor({ of: ownServer });
  const sheet = await withList(visitor, room, ["Ana Sousa", "Ben Carter"]);
  await expect(sheet.headline).toHaveText("1 of 2");
  await ownServer.kill();
  await expect(sheet.dialog).toContainText("Not live. Reconnecting…");
  await ownServer.start();
  await clients.join(ownServer, room, "Ben Carter");
  await expect(sheet.part("missing")).not.toContainText("Ben Carter", { timeout: 60_000 });
  await expect(sheet.dialog).not.toContainText("Not live");
});
