// Hydrates the page part by part, and notices where that can't be done or where the hydrated page fails.
//
// Proxies, extensions and translators change pages, and hydration stops with an error at the first node that is not as
// the server rendered it. So the fingerprint of each part is compared right before the part is hydrated; if one
// differs, `recovery.js` renders all parts anew.

/** How long the first paint may take, in milliseconds: a hidden page is never painted. */
const MAX_PAINT_WAIT = 300;
/** How long a failure counts, in milliseconds. */
const FAILURE_LIFETIME = 600_000;
/** How long to wait before loading a script again, in milliseconds. */
const RETRY_INTERVAL = 5_000;
/** How often the hydrated page is verified, in milliseconds. */
const VERIFY_INTERVAL = 1_000;
/** Hydrated elements that the page never replaces. */
const LASTING = ".room-panel, .number, .card, .list-panel, #roster, .sidebar, #find, .chip, .toggle";
/** Elements that hydration gives the property `shown`, the text that the WASM shows in them: a copy has none, as it has
* no listeners. The buttons as children, since extensions add buttons of their own. */
const ORIGINALS = [
  "#roster .avatar, #roster .user-name, #roster .since",
  "#you-are-here > *, .you-are-here > .avatar, .card label, .card .field > button, #own-menu > button",
  "#connection > button, .missed > button",
].join();
/** Those of them that no translator may change. */
const UNTRANSLATED = ".number, #roster .avatar, #roster .user-name, #you-are-here bdi";
/** The form of a visitor who is not listed. */
const JOIN_FORM = ".card > .name-form";

const html = document.documentElement;
/** Browsers resolve all addresses against this one, and fetch none that has a name and a password in it. They send both by
* themselves, so the page is loaded again without them. */
const address = new URL(document.baseURI);
const data = JSON.parse(document.getElementById("start-data").textContent);
/** The list that the modules before this one found. */
const firstList = document.getElementById("roster");
/** The hydrated parts, in order. */
const PARTS = {
  sidebar: "[data-part=sidebar]",
  main: "main",
  list: "[data-part=list]",
};

/** When this page failed lately. The history entry outlives a reload, also where there is no storage; other programs may
* store anything in it. */
const failures = [].concat(history.state?.failures ?? []).filter((time) => Date.now() - time < FAILURE_LIFETIME);
let hasFailed = false;
/** The visitor pressed Join before the page was hydrated. */
let isSubmittedEarly = false;
/** The originals in rows out of view, which the WASM has not hydrated yet. */
let notHydrated = new WeakSet();

/** Computes what `fingerprint.rs` does: 32-bit FNV-1a over the names of elements, the texts and the comments. */
function fingerprint(root) {
  let hash = 0x811c9dc5;
  const add = (text) => {
    const terminated = `${text}\0`;
    for (let index = 0; index < terminated.length; index += 1) {
      hash = Math.imul(hash ^ terminated.charCodeAt(index), 0x01000193);
    }
  };
  const visit = (parent) => {
    for (const node of parent.childNodes) {
      if (node instanceof Element) {
        add(`<${node.localName}`);
        if (!node.hasAttribute("data-part")) visit(node);
        add(">");
      } else {
        add((node instanceof Text ? "#" : "!") + node.data);
      }
    }
  };
  visit(root);
  return hash >>> 0;
}

function isIntact(part) {
  const root = document.querySelector(PARTS[part]);
  return root && fingerprint(root) === data.fingerprints[part];
}

/** Hydrates each part in a task of its own, so that scrolling and typing never wait for all of them; in a hidden page,
* whose timers are throttled, at once. Returns whether all parts were as the server rendered them. */
async function hydrate(page) {
  const yieldToMain = () => document.hidden || new Promise((go) => setTimeout(go));
  if (!page.begin(JSON.stringify(data.page), data.texts)) return false;
  for (const part of Object.keys(PARTS)) {
    await yieldToMain();
    if (!isIntact(part)) return false;
    page[`hydrate_${part}`]();
  }
  noteNotHydrated();
  await yieldToMain();
  page.connect();
  return true;
}

/** Loads one of the scripts that most visits don't need, also where the network comes back only later. */
async function load(name) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      // A module that failed to load fails again under the same URL.
      return await import(`./${name}.js?${data.build}${"&".repeat(attempt)}`);
    } catch {
      await new Promise((go) => setTimeout(go, RETRY_INTERVAL));
    }
  }
}

/** Marks the list as old; the page is not hydrated any more. */
function markStale() {
  html.removeAttribute("data-live");
  html.removeAttribute("data-hydrated");
  if (!html.hasAttribute("data-stale")) html.setAttribute("data-stale", "true");
}

/** Shows why the page is not hydrated. */
function showCause(cause) {
  html.setAttribute("data-cause", cause);
  const output = document.querySelector(".not-started p");
  if (output) output.textContent = data.causes[cause];
}

/** The hydrated page can't go on: it says so at once, and is loaded again. */
async function fail() {
  if (hasFailed) return;
  hasFailed = true;
  html.removeAttribute("data-starting");
  markStale();
  showCause("failed");
  // The WASM may still run, and must not mark the list as live.
  new MutationObserver(markStale).observe(html, { attributeFilter: ["data-live", "data-hydrated", "data-stale"] });
  const { reload } = await load("recovery");
  await reload(data, failures);
}

const isHydrated = ({ shown }) => shown !== undefined;

/** To be called in the task that hydrated the list, in which nobody else can have copied a row. */
function noteNotHydrated() {
  notHydrated = new WeakSet([...document.querySelectorAll(ORIGINALS)].filter((element) => !isHydrated(element)));
}

/** Others may remove elements, or replace them by copies on which nothing happens: then the page would be marked as
* live while what the visitor sees stands still. */
function verifyRegularly(page) {
  const lasting = [...document.querySelectorAll(LASTING)];
  const number = document.querySelector(".number");
  const isAsShown = () =>
    lasting.every((element) => element.isConnected) &&
    document.querySelectorAll("#roster [data-user-id]").length === page.rows() &&
    document.querySelectorAll(".card > form, .card > .you-are-here").length === 1 &&
    number.textContent.replace(/\D/g, "") === String(page.count()) &&
    [...document.querySelectorAll(ORIGINALS)].every((element) => isHydrated(element) || notHydrated.has(element));
  setInterval(() => {
    document.querySelectorAll(UNTRANSLATED).forEach(restoreText);
    if (!isAsShown()) fail();
  }, VERIFY_INTERVAL);
}

/** Not every translator heeds `translate="no"`. */
function restoreText(element) {
  if (isHydrated(element) && element.textContent !== element.shown) element.textContent = element.shown;
}

/** On a slow network the WASM arrives long after this script: whoever presses Join meanwhile is not ignored. */
function enableJoin(isEnabled) {
  const button = document.querySelector(`${JOIN_FORM} .primary`);
  if (button) button.disabled = !isEnabled;
}

/** Before the page is hydrated: the form waits for it, and is submitted then with what is in the field. */
function onEarlySubmit(event) {
  if (!event.target.matches(".name-form")) return;
  event.preventDefault();
  event.stopPropagation();
  isSubmittedEarly = true;
  showWaiting(event.target);
}

/** From now on the WASM takes what is submitted. */
async function submitEarly() {
  removeEventListener("submit", onEarlySubmit, true);
  // What hydration queued comes first: of two commands at once the WASM carries out the last one.
  await new Promise((go) => setTimeout(go));
  const form = isSubmittedEarly && document.querySelector(JOIN_FORM);
  if (form) form.requestSubmit();
}

/** A form that is a copy would load another page. */
function onSubmit(event) {
  if (!event.target.matches(".name-form")) return;
  if (event.defaultPrevented) return showWaiting(event.target);
  event.preventDefault();
  fail();
}

/** Marks the button until the name is refused or the form is gone, which may take as long as there is no connection. */
function showWaiting(form) {
  const [button, field] = [form.querySelector(".primary"), form.querySelector("input")];
  const update = () => {
    if (!field.matches("[aria-invalid=true]") && !html.matches("[data-cause], [data-blocked]")) return;
    observer.disconnect();
    button.removeAttribute("aria-busy");
  };
  const observer = new MutationObserver(update);
  button.setAttribute("aria-busy", "true");
  // Once the WASM has looked at the name: until then there may be the refusal of the one before.
  setTimeout(() => {
    observer.observe(field, { attributeFilter: ["aria-invalid"] });
    observer.observe(html, { attributeFilter: ["data-cause", "data-blocked"] });
    update();
  });
}

/** The invitation and the menus close once the keyboard leaves them: they would cover what has the focus. Their own
* buttons close them by themselves. */
function onFocus({ target }) {
  // The field that `copy.js` copies from takes the focus for a moment only.
  if (target.matches(".to-copy-from")) return;
  for (const popover of document.querySelectorAll(":is(#invitation, .menu):popover-open")) {
    if (!popover.contains(target) && target.popoverTargetElement !== popover) popover.hidePopover();
  }
}

/** The WASM's event stream, where no WebSocket gets through. */
function onChangeOfBody() {
  if (document.querySelector("rollcall-feed")) load("page-feed");
}

/** Whether an error is one of the page's WASM or of its glue. */
function isOurs(error) {
  if (globalThis.WebAssembly && error instanceof WebAssembly.RuntimeError) return true;
  return [data.script, data.wasm].some((url) => String(error?.stack).includes(url));
}

/** What the WASM tells through the attributes of the root element. */
function onAttributeChange(records) {
  for (const { attributeName, oldValue } of records) {
    const value = html.getAttribute(attributeName);
    // The connection sets them again at every attempt.
    if (value === null || value === oldValue) continue;
    if (attributeName === "data-blocked") load("blocked").then(({ explain }) => explain(data));
    else if (value !== data.build) load("new-version").then(({ reloadWhenQuiet }) => reloadWhenQuiet(html));
  }
}

/** Without its cookie, a browser is another person after each reload. Only the server knows whether it comes back: the
* browser may refuse it for its scheme, and a proxy may drop it. */
async function checkCookie() {
  const response = await fetch(data.cookie_check, { cache: "no-store" });
  const { has_cookie: hasCookie } = await response.json();
  html.toggleAttribute("data-without-cookies", hasCookie === false);
}

/** Hydrates the page, or has it follow the list without the WASM. */
async function start() {
  html.toggleAttribute("data-starting", true);
  await hydrateOrFollow();
  html.removeAttribute("data-starting");
}

async function hydrateOrFollow() {
  const isPainted = new Promise((go) => {
    requestAnimationFrame(() => setTimeout(go));
    setTimeout(go, MAX_PAINT_WAIT);
  });
  const context = { data, failures, showCause, markStale };
  let page;
  try {
    if (failures.length > 1) throw new Error("the page failed again after it was rendered anew");
    page = await import(data.script);
    // The WASM formats numbers and times with `format.js`. It is compiled beside the first paint, not after it.
    await Promise.all([page.default({ module_or_path: data.wasm }), import(`./format.js?${data.build}`), isPainted]);
  } catch (error) {
    markStale();
    enableJoin(false);
    const { follow } = await load("recovery");
    return follow(context, error);
  }
  if (failures.length > 0 || !(await hydrate(page))) {
    const { hydrateAnew } = await load("recovery");
    await hydrateAnew(context, page, Object.keys(PARTS));
    noteNotHydrated();
  } else if (firstList && !firstList.isConnected) {
    // It was replaced by a copy, which could be hydrated.
    load("recovery").then(({ runModules }) => runModules(data, data.page.list.now));
  }
  verifyRegularly(page);
  submitEarly();
  if (html.hasAttribute("data-wall")) load("wall").then((wall) => wall.start(page));
}

new MutationObserver(onAttributeChange).observe(html, {
  attributeFilter: ["data-blocked", "data-build"],
  attributeOldValue: true,
});
new MutationObserver(onChangeOfBody).observe(document.body, { childList: true });
addEventListener("submit", onEarlySubmit, true);
addEventListener("submit", onSubmit);
if (HTMLElement.prototype.hidePopover) addEventListener("focusin", onFocus);
addEventListener("error", ({ error }) => isOurs(error) && fail());
addEventListener("unhandledrejection", ({ reason }) => isOurs(reason) && fail());
if (address.username || address.password) {
  address.username = address.password = "";
  location.replace(address);
} else {
  enableJoin(true);
  // Without an answer nothing is known.
  if (data.cookie_check) checkCookie().catch(() => undefined);
  start().catch((error) => {
    fail();
    throw error;
  });
}
document.getElementById("find")?.addEventListener("focus", () => load("highlight"), { once: true });
if (html.hasAttribute("data-wall")) load("wake-lock");
if (location.hash.startsWith("#host=") || document.querySelector(".host")) load("host");
