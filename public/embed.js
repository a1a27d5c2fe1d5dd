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
let view = document.querySelector("main");
/** The feed is broken or silent. */
let isDisconnected = false;
/** The last rendering could not be fetched. */
let isBehind = false;
let isPolling = false;
let wasStale = false;
let timer;
let rendering = Promise.resolve();
/** The height that the host page was told last. */
let announcedHeight;

function updateStale() {
  const isStale = isDisconnected || isBehind;
  if (html.toggleAttribute("data-stale", isStale) !== wasStale) fit();
  wasStale = isStale;
}

function renderIn(milliseconds) {
  timer ??= setTimeout(() => {
    timer = undefined;
    rendering = rendering.then(render);
  }, milliseconds);
}

async function render() {
  if (isPolling) pollSoon();
  // Nobody sees it.
  if (isPolling && document.hidden) return;
  const fetched = await fetchView().catch(() => undefined);
  isBehind = !fetched;
  updateStale();
  if (fetched) {
    show(fetched);
    await reloadForNewBuild(fetched);
  } else if (!isPolling) renderIn(RETRY_DELAY);
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
  // A proxy may answer with a page of its own.
  if (!response.ok || !fetched.querySelector("main[data-at]")) throw new Error(response.statusText);
  return fetched;
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
    rest.textContent = `+${(people - shown).toLocaleString("en-US")}`;
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
    ({ position }) => {
      // The server may be another version after a break.
      const mayBeNew = isDisconnected;
      isDisconnected = false;
      updateStale();
      // Only the last piece of a split difference has a new position.
      if (mayBeNew || (position && position !== view.dataset.at)) renderIn(BATCH_DELAY + JITTER * Math.random());
    },
    () => {
      isDisconnected = true;
      updateStale();
    },
  );
}
