// Pages that others change: proxies on the way, translators and extensions in the browser. Each page works, or says
// that it does not; none is marked as live while its list stands still.

import type { Page } from "@playwright/test";

import { NO_CONNECTION } from "../support/browser-errors";
import type { ProtocolClient, ProtocolClients } from "../support/protocol-client";
import type { SharedServer } from "../support/shared-server";
import { expect, test } from "../support/fixtures";
import { UNTIL_RECONNECTED, type Visitor } from "../support/visitor";

/** A name that proxies take for an e-mail address. */
const FIRST = "ana@example.com";

/** Chromium's message about a style that an extension adds. */
const STYLE_REFUSED = /Applying inline style violates/;

/** What proxies and optimisers do to the HTML. */
const ON_THE_WAY: Record<string, (html: string) => string> = {
  "comments are removed": (html) => html.replace(/<!--.*?-->|<!>/g, ""),
  "blanks between elements are removed": (html) => html.replace(/>\s+</g, "><"),
  "blanks are collapsed": (html) => inMain(html, (main) => main.replace(/\s+/g, " ")),
  "an e-mail address is obfuscated": (html) =>
    inMain(html, (main) =>
      main.replace(`>${FIRST}<`, '><a class="__cf_email__" href="/cdn-cgi/l/email-protection">[email&#160;protected]</a><'),
    ),
  "an advertisement is added to the end of main": (html) => html.replace("</main>", "<div>Advertisement</div></main>"),
  "a frame is added to the start of the body": (html) => html.replace("<body>", "<body><div>Toolbar</div>"),
  "a comment is added before the head": (html) => html.replace("<head>", "<!-- optimised --><head>"),
  "tags are rewritten": (html) => inMain(html, (main) => main.replace(/<(li|p|span) /g, '<$1 data-optimised="1" ')),
};

/** What extensions and translators do to the page before it is hydrated, and after it. */
const IN_THE_BROWSER: Record<string, () => void> = {
  "an element is added after the name field": () => {
    document.querySelector("#name")?.after(document.createElement("div"));
  },
  "an element is added before the name field": () => {
    document.querySelector("#name")?.before(document.createElement("div"));
  },
  "every text is put into a font": () => {
    const walker = document.createTreeWalker(document.querySelector("main")!, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts.filter(({ data }) => data.trim())) {
      const font = document.createElement("font");
      text.replaceWith(font);
      font.append(text.data);
    }
  },
  "the count is put into a span": () => {
    const count = document.querySelector(".number")!;
    const span = document.createElement("span");
    span.textContent = count.textContent;
    count.replaceChildren(span);
  },
  "a name is marked": () => {
    const name = document.querySelector("#roster bdi")!;
    name.innerHTML = `<mark>${name.innerHTML}</mark>`;
  },
  "a name becomes a link": () => {
    const name = document.querySelector("#roster bdi")!;
    name.innerHTML = `<a href="mailto:${name.innerHTML}">${name.innerHTML}</a>`;
  },
  "a name is replaced": () => {
    document.querySelector("#roster bdi")!.firstChild!.nodeValue = "Rose";
  },
  "attributes are added": () => {
    for (const element of document.querySelectorAll("main *")) element.setAttribute("data-checked", "true");
  },
  "a row is removed": () => document.querySelector("#roster li")?.remove(),
  "a row is put into another element": () => {
    const row = document.querySelector("#roster li")!;
    const wrapper = document.createElement("div");
    row.replaceWith(wrapper);
    wrapper.append(row);
  },
  "a style is added to the list": () => document.querySelector("#roster")?.prepend(document.createElement("style")),
  "a text is split": () => (document.querySelector("#roster bdi")!.firstChild as Text).splitText(1),
  "texts are joined": () => {
    for (const comment of document.querySelectorAll("main *"))
      for (const node of [...comment.childNodes]) if (node.nodeType === Node.COMMENT_NODE) node.remove();
    document.querySelector("main")?.normalize();
  },
  "tooltips are removed": () => {
    for (const element of document.querySelectorAll("[title]")) element.removeAttribute("title");
  },
  "tooltips are translated": () => {
    for (const element of document.querySelectorAll("[title]")) element.setAttribute("title", "Übersetzt");
  },
  "the card is emptied": () => document.querySelector(".card")?.replaceChildren(),
  "everything is replaced by a copy": () => {
    const main = document.querySelector("main")!;
    main.replaceChildren(...[...main.childNodes].map((node) => node.cloneNode(true)));
  },
};

test.beforeEach(({ browserErrors }) => browserErrors.areExpected(STYLE_REFUSED));

for (const [what, change] of Object.entries(ON_THE_WAY)) {
  test(`page works if ${what} on the way`, async ({ newVisitor, changedBy, server, clients, room }) => {
    const proxy = await changedBy((page) => (page.html = change(page.html)));
    const visitor = await newVisitor({ of: proxy });
    await opensAndWorks(visitor, server, clients, room);
  });
}

for (const [what, change] of Object.entries(IN_THE_BROWSER)) {
  test(`page works if ${what} before hydration`, async ({ newVisitor, server, clients, room }) => {
    const visitor = await newVisitor();
    await visitor.page.addInitScript(`addEventListener("DOMContentLoaded", ${change})`);
    await opensAndWorks(visitor, server, clients, room);
  });

  test(`page works if ${what} after hydration`, async ({ newVisitor, server, clients, room }) => {
    const visitor = await newVisitor();
    const first = await clients.join(server, room, FIRST);
    await visitor.open(room);
    await visitor.page.evaluate(`(${change})()`);
    await followsRenames(visitor, first);
    await works(visitor, server, clients, room);
  });
}

/** What a live page shows is replaced by copies, on which nothing happens. */
const COPIES: Record<string, () => void> = {
  "the content of each row": () => {
    for (const row of document.querySelectorAll("#roster li")) row.innerHTML += "";
  },
  "each row": () => {
    for (const row of document.querySelectorAll("#roster li")) row.replaceWith(row.cloneNode(true));
  },
  "the content of the list": () => {
    document.querySelector("#roster")!.innerHTML += "";
  },
  "the content of the card": () => {
    document.querySelector(".card")!.innerHTML += "";
  },
  "the content of the menu": () => {
    document.querySelector("#own-menu")!.innerHTML += "";
  },
};

for (const [what, copy] of Object.entries(COPIES)) {
  test(`page works if ${what} is replaced by a copy`, async ({ newVisitor, server, clients, room }) => {
    const visitor = await newVisitor();
    const { page } = visitor;
    const first = await clients.join(server, room, FIRST);
    await visitor.openAndJoin(room, "Kim");
    const reloaded = page.waitForEvent("load");
    await page.evaluate(`(${copy})()`);
    first.send({ event: "rename", name: "Summer" });
    await reloaded;
    await visitor.isLive();
    await visitor.shows(["Summer", "Kim"]);
    await visitor.leave();
    await visitor.shows(["Summer"]);
  });
}

for (const button of ["#connection > button", ".missed > button"]) {
  test(`page loads again if ${button}, which an outage brings, is replaced by a copy`, async ({
    newVisitor,
    networkTo,
    browserErrors,
    server,
    clients,
    room,
  }) => {
    browserErrors.areExpected(NO_CONNECTION);
    const network = await networkTo(server);
    const visitor = await newVisitor({ of: network });
    const { page } = visitor;
    await visitor.openAndJoin(room, "Kim");
    network.setCondition("down");
    await visitor.isDisconnected();
    const isOfBanner = button.startsWith("#connection");
    if (!isOfBanner) {
      await clients.join(server, room, "Bo");
      // After a short outage there is no line of what was missed.
      await expect(visitor.banner).toContainText(/List from (\d{2,} sec|\d+ min)\. ago/, UNTIL_RECONNECTED);
      network.setCondition("clear");
      await expect(visitor.missed).toContainText("Bo joined", UNTIL_RECONNECTED);
    }
    const reloaded = page.waitForEvent("load", UNTIL_RECONNECTED);
    await page.locator(button).evaluate((button) => button.replaceWith(button.cloneNode(true)));
    if (isOfBanner) await expect(visitor.html).toHaveAttribute("data-cause", "failed");
    network.setCondition("clear");
    await reloaded;
    await visitor.isLive();
  });
}

test("a form that was replaced by a copy loads no other page, and keeps the name", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  await visitor.open(room);
  await visitor.isLive();
  const reloaded = page.waitForEvent("load");
  await page.evaluate(() => {
    document.querySelector(".card")!.innerHTML += "";
    document.querySelector<HTMLInputElement>("#name")!.value = "Kim";
    document.querySelector<HTMLButtonElement>(".card .primary")!.click();
  });
  await reloaded;
  expect(new URL(page.url()).search).toBe("");
  await visitor.isLive();
  await expect(visitor.nameField).toHaveValue("Kim");
  await visitor.joinButton.click();
  await visitor.shows(["Kim"]);
});

test("scripts find the elements of a page that was replaced by a copy before hydration", async ({ newVisitor, room }) => {
  const visitor = await newVisitor({ permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = visitor;
  await page.addInitScript(`addEventListener("DOMContentLoaded", ${IN_THE_BROWSER["everything is replaced by a copy"]})`);
  await visitor.openAndJoin(room, "Kim");
  const top = async (selector: string) => (await page.locator(selector).boundingBox())?.y ?? Infinity;
  const panel = await page.locator(".room-panel").boundingBox();
  // The sidebar is below the panel, whose height a script measures.
  await expect.poll(() => top(".sidebar")).toBeGreaterThanOrEqual(Math.floor((panel?.y ?? Infinity) + (panel?.height ?? 0)));
  // Who is alone sees the invitation in the list.
  await page.locator("main").getByRole("button", { name: "Copy", exact: true }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url().split("?")[0]);
});

test("page works if the list is changed while the rest is hydrated", async ({ newVisitor, server, clients, room }) => {
  const visitor = await newVisitor();
  let changes = 0;
  await visitor.page.exposeFunction("noteChange", () => (changes += 1));
  await visitor.page.addInitScript(() => {
    const { noteChange } = window as unknown as { noteChange: () => void };
    const { addEventListener } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (...parameters: Parameters<typeof addEventListener>) {
      // The list is hydrated after the form.
      if (this instanceof HTMLFormElement && this.matches(".name-form") && parameters[0] === "submit") {
        EventTarget.prototype.addEventListener = addEventListener;
        document.querySelector("#roster li")!.before(document.createElement("div"));
        noteChange();
      }
      addEventListener.apply(this, parameters);
    };
  });
  await opensAndWorks(visitor, server, clients, room);
  expect(changes).toBe(1);
});

test("text that was typed before a part was rendered anew is kept", async ({ newVisitor, room }) => {
  const visitor = await newVisitor();
  const { page } = visitor;
  await page.addInitScript(`addEventListener("DOMContentLoaded", () => {
    document.querySelector("#name").value = "Ana";
    document.querySelector("#name").after(document.createElement("div"));
  })`);
  await page.goto(`/r/${room}`);
  await visitor.isLive();
  await expect(visitor.nameField).toHaveValue("Ana");
  await visitor.joinButton.click();
  await visitor.shows(["Ana"]);
});

test("a trap of the WASM is told at once, and the page loads again", async ({
  newVisitor,
  browserErrors,
  server,
  clients,
  room,
}) => {
  browserErrors.areExpected(/unreachable/);
  const visitor = await newVisitor();
  await clients.join(server, room, FIRST);
  await visitor.open(room);
  await recordMarks(visitor.page);
  await trap(visitor.page);
  await works(visitor, server, clients, room);
});

test("a page that fails again and again watches only, and says why", async ({
  newVisitor,
  browserErrors,
  server,
  clients,
  room,
}) => {
  browserErrors.areExpected(/unreachable/);
  const visitor = await newVisitor();
  const { page } = visitor;
  await clients.join(server, room, FIRST);
  await visitor.open(room);
  for (const _ of [1, 2]) {
    await visitor.isLive();
    const reloaded = page.waitForEvent("load");
    await trap(page);
    await reloaded;
  }
  await expect(page.getByText(/something keeps changing this page/)).toBeVisible();
  await expect(visitor.html).not.toHaveAttribute("data-hydrated");
  await expect(visitor.joinButton).toBeHidden();
  const bo = await clients.join(server, room, "Bo");
  await visitor.shows([FIRST, "Bo"]);
  await bo.leave();
  await visitor.shows([FIRST], UNTIL_RECONNECTED);
  // A page that is opened anew starts from the beginning.
  await page.getByRole("link", { name: "Reload" }).click();
  await visitor.isLive();
});

/** Lets the WASM hydrate elements that are not there. */
async function trap(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { script } = JSON.parse(document.getElementById("start-data")!.textContent!) as { script: string };
    const wasm = (await import(script)) as { hydrate_main: () => void };
    document.querySelector("main")!.replaceChildren();
    setTimeout(() => wasm.hydrate_main());
  });
}

/** Fails the test if the page is marked as live after the WASM failed. */
async function recordMarks(page: Page): Promise<void> {
  await page.evaluate(() => {
    addEventListener("error", () =>
      setTimeout(() => {
        if (document.documentElement.hasAttribute("data-live")) console.error("live after a failure");
      }),
    );
  });
}

async function opensAndWorks(
  visitor: Visitor,
  server: SharedServer,
  clients: ProtocolClients,
  room: string,
): Promise<void> {
  const first = await clients.join(server, room, FIRST);
  await visitor.page.goto(`/r/${room}`);
  await visitor.isLive();
  await followsRenames(visitor, first);
  await works(visitor, server, clients, room);
}

/** The row that was changed shows the new name and nothing else, and then the old one again. */
async function followsRenames(visitor: Visitor, first: ProtocolClient): Promise<void> {
  first.send({ event: "rename", name: "Will" });
  await visitor.shows(["Will"]);
  await expect(visitor.rows).toHaveText([/^W\s*Will/]);
  first.send({ event: "rename", name: FIRST });
  await visitor.shows([FIRST]);
}

/** The page joins, renames and leaves, and its count and names follow those of others. */
async function works(visitor: Visitor, server: SharedServer, clients: ProtocolClients, room: string): Promise<void> {
  const { page } = visitor;
  const bo = await clients.join(server, room, "Bo");
  await visitor.shows([FIRST, "Bo"]);
  // A page that noticed the change only now has to be loaded again.
  await visitor.isLive();
  await expect(async () => {
    await visitor.nameField.fill("Kim", { timeout: 2_000 });
    await visitor.joinButton.click({ timeout: 2_000 });
    await expect(visitor.you).toContainText("Kim", { timeout: 2_000 });
  }).toPass({ timeout: 15_000 });
  await visitor.shows([FIRST, "Bo", "Kim"]);
  bo.send({ event: "rename", name: "Summer" });
  await visitor.shows([FIRST, "Summer", "Kim"]);
  await visitor.rename("Kit");
  await visitor.shows([FIRST, "Summer", "Kit"]);
  await bo.leave();
  await visitor.shows([FIRST, "Kit"]);
  await visitor.leave();
  await visitor.shows([FIRST]);
  await expect(visitor.nameField).toBeVisible();
  await expect(page).toHaveTitle(/^\(1\)/);
}

function inMain(html: string, change: (main: string) => string): string {
  return html.replace(/<main>[^]*<\/main>/, change);
}
