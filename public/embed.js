// Keeps the embed up to date: after a change in the room it fetches the server's rendering again, and shows as much of
// it as fits the frame. Where the frame can't share the event stream of other views, it fetches regularly instead: seven
// streams of their own would take all connections to the server.

/** How long a change waits for others, and the jitter that spreads the requests of many frames, in milliseconds. */
const BATCH_DELAY = 300;
const JITTER = 900;
/** After how long a request that is not answered counts as failed, and after how long it is sent again, in
* milliseconds: without a free connection it waits for ever. */
const RENDER_TIMEOUT = 5_000;
const RETRY_DELAY = 15_000;
/** What says that the server, or a proxy in front of it, takes no more requests for now, by status. */
const REFUSALS = [429, 503];
/** The longest wait that a refusal may ask for, in milliseconds. */
const MAX_REFUSAL = 3_600_000;
/** How long a lost stream may take to open again before the server is asked why it does not, in milliseconds. */
const EXPLANATION_DELAY = 3_000;
/** How often a frame without an event stream fetches, and the jitter, in milliseconds. */
const POLL_INTERVAL = 4_000;
const POLL_JITTER = 2_000;

// As in start.js: nothing can be fetched from a page with a name and a password in its address.
const address = new URL(document.baseURI);
if (address.username || address.password) {
  address.username = address.password = "";
  location.replace(address);
}

const html = document.documentElement;
/** As the server writes numbers in the view's language: with Latin digits. */
const numbers = new Intl.NumberFormat(html.lang, { numberingSystem: "latn" });
let view = document.querySelector("main");
/** What is shown where the reason is not known. */
const reconnecting = view.querySelector(".reason").textContent;
/** The feed is broken or silent. */
let isDisconnected = false;
/** The server does not hear the other servers: what it has is as of then. */
let isListOld = false;
/** The last rendering could not be fetched. */
let isBehind = false;
/** Why, in the server's words, if it refused the feed or the rendering. */
let refusalOfFeed = "";
let refusalOfRendering = "";
/** When the rendering may be fetched again, by the clock of `performance.now()`. */
let notBefore = 0;
let isPolling = false;
let isAsking = false;
let timer;
let rendering = Promise.resolve();
/** The height that the host page was told last. */
let announcedHeight;

function updateStale() {
  const isStale = isDisconnected || isBehind;
  const reason = (isBehind && refusalOfRendering) || (isDisconnected && refusalOfFeed) || reconnecting;
  // A server of another version may have rendered the view.
  const output = view.querySelector(".reason") ?? document.createElement("span");
  const isChanged = html.hasAttribute("data-stale") !== isStale || output.textContent !== reason;
  html.toggleAttribute("data-stale", isStale);
  output.textContent = reason;
  if (isChanged) fit();
}

function renderIn(milliseconds) {
  const delay = Math.max(milliseconds, notBefore - performance.now());
  timer ??= setTimeout(() => {
    timer = undefined;
    rendering = rendering.then(render);
  }, delay);
}

async function render() {
  // It was refused since this was due.
  if (performance.now() < notBefore) return renderIn(0);
  if (isPolling) pollSoon();
  // Nobody sees it.
  if (isPolling && document.hidden) return;
  refusalOfRendering = "";
  const fetched = await fetchView().catch(() => undefined);
  isBehind = !fetched;
  if (fetched) show(fetched);
  updateStale();
  if (fetched) await reloadForNewBuild(fetched);
  else if (!isPolling) renderIn(performance.now() < notBefore ? 0 : RETRY_DELAY);
}

/** The server is another version than this page's, as the addresses of its scripts say. */
async function reloadForNewBuild(fetched) {
  const { search } = new URL(fetched.querySelector("script[src]").getAttribute("src"), location.href);
  if (search === new URL(import.meta.url).search || html.hasAttribute("data-build")) return;
  html.setAttribute("data-build", search);
  const { reloadWhenQuiet } = await import(`./new-version.js${search}`);
  reloadWhenQuiet(html);
}

function pollSoon() {
  renderIn(POLL_INTERVAL + POLL_JITTER * Math.random());
}

function poll() {
  isPolling = true;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    timer = undefined;
    renderIn(0);
  });
  pollSoon();
}

/** What proves to the server that this frame may read the answer; needed only where it has no origin. */
function key() {
  return self.origin === "null" ? view.dataset.key : undefined;
}

async function fetchView() {
  const address = new URL(location.href);
  if (key()) address.searchParams.set("key", key());
  const response = await fetch(address, { signal: AbortSignal.timeout(RENDER_TIMEOUT) });
  const fetched = new DOMParser().parseFromString(await response.text(), "text/html");
  if (REFUSALS.includes(response.status)) onRefusal(response, fetched);
  // A proxy may answer with a page of its own.
  if (!response.ok || !fetched.querySelector("main[data-at]")) throw new Error(response.statusText);
  return fetched;
}

/** Waits as long as the answer says, and up to twice as long: all frames of a site are refused at once. */
function onRefusal(response, page) {
  // A date, which is allowed too, is not a number.
  const wait = Number(response.headers.get("retry-after")) * 1_000 || RETRY_DELAY;
  notBefore = performance.now() + Math.min(wait, MAX_REFUSAL) * (1 + Math.random());
  refusalOfRendering = page.querySelector("[data-refusal]")?.textContent ?? "";
}

/** Browsers don't tell scripts why a stream does not open, so the server is asked for what it would answer. */
async function explainLoss() {
  if (isAsking) return;
  isAsking = true;
  await new Promise((go) => setTimeout(go, EXPLANATION_DELAY));
  refusalOfFeed = isDisconnected ? await fetchRefusal().catch(() => "") : "";
  isAsking = false;
  updateStale();
}

async function fetchRefusal() {
  const question = new URL(`socket?origin=${encodeURIComponent(location.origin)}`, location.href);
  const response = await fetch(question, { cache: "no-store", signal: AbortSignal.timeout(RENDER_TIMEOUT) });
  return REFUSALS.includes(response.status) ? (await response.json()).message : "";
}

function show(fetched) {
  const fresh = document.adoptNode(fetched.querySelector("main"));
  if (fresh.dataset.at === view.dataset.at) return;
  document.title = fetched.title;
  const hadFocus = view.contains(document.activeElement);
  view.replaceWith(fresh);
  view = fresh;
  if (hadFocus) view.querySelector("a").focus({ preventScroll: true });
  fit();
}

/** Shows the faces that fit, and after them how many more people there are. All of them stay readable to screen readers. */
function fit() {
  const list = view.querySelector(".faces");
  list?.querySelector(".rest")?.remove();
  const faces = list ? [...list.children] : [];
  for (const face of faces) face.classList.remove("only-heard");
  announceHeight();
  const rest = document.createElement("li");
  rest.className = "rest";
  rest.setAttribute("aria-hidden", "true");
  const doesFit = () => list.scrollHeight <= list.clientHeight + 1;
  const people = Number(view.dataset.count);
  if (faces.length === 0 || (people === faces.length && doesFit())) return;
  list.append(rest);
  for (let shown = faces.length; shown >= 0; shown -= 1) {
    faces[shown]?.classList.add("only-heard");
    rest.textContent = `+${numbers.format(people - shown)}`;
    rest.hidden = shown === people;
    if (doesFit()) return;
  }
}

/** Tells the host page the height at which everything is visible: the README has the message. */
function announceHeight() {
  html.removeAttribute("data-fit");
  const height = Math.ceil(view.getBoundingClientRect().height);
  html.setAttribute("data-fit", "");
  if (height === announcedHeight || parent === self) return;
  announcedHeight = height;
  // Nothing in it is secret: the host page knows which room it shows.
  parent.postMessage({ type: "rollcall:height", room: view.dataset.room, height }, "*");
}

// From now on the style sheet animates changes.
html.setAttribute("data-hydrated", "true");
fit();
addEventListener("resize", fit);
start().catch(poll);

async function start() {
  // Of the same build: a cache may hold that of another one.
  const { canShare, openFeed } = await import(`./feed.js${new URL(import.meta.url).search}`);
  if (canShare()) follow(openFeed);
  else poll();
}

function follow(openFeed) {
  openFeed(
    () => ({ room: view.dataset.room, since: view.dataset.at }),
    ({ position, isOld }) => {
      // The server may be another version after a break.
      const mayBeNew = isDisconnected && !isListOld;
      isListOld = isOld ?? isListOld;
      isDisconnected = isListOld;
      updateStale();
      // Only the last piece of a split difference has a new position.
      if (mayBeNew || (position && position !== view.dataset.at)) renderIn(BATCH_DELAY + JITTER * Math.random());
    },
    () => {
      isDisconnected = true;
      updateStale();
      explainLoss();
    },
  );
}
