// Keeps the embed up to date: after a change in the room it fetches the server's rendering again.

/** How long a change waits for others, and the jitter that spreads the requests of many frames, in milliseconds. */
const BATCH_DELAY = 300;
const JITTER = 900;
/** How long the server may be silent, in milliseconds: it sends a beat every 10 s. Failed requests are retried after
* the same time. */
const IDLE_TIMEOUT = 15_000;

const html = document.documentElement;
let view = document.querySelector("main");
/** The feed is broken or silent. */
let isDisconnected = false;
/** The last rendering could not be fetched. */
let isBehind = false;
let timer;
let rendering = Promise.resolve();

function updateStale() {
  html.toggleAttribute("data-stale", isDisconnected || isBehind);
}

function renderIn(milliseconds) {
  timer ??= setTimeout(() => {
    timer = undefined;
    rendering = rendering.then(render);
  }, milliseconds);
}

async function render() {
  const fetched = await fetchView().catch(() => undefined);
  isBehind = !fetched;
  updateStale();
  if (fetched) show(fetched);
  else renderIn(IDLE_TIMEOUT);
}

async function fetchView() {
  const response = await fetch(location.href, { signal: AbortSignal.timeout(IDLE_TIMEOUT) });
  const fetched = new DOMParser().parseFromString(await response.text(), "text/html");
  // A proxy may answer with a page of its own.
  if (!response.ok || !fetched.querySelector("main[data-at]")) throw new Error(response.statusText);
  return fetched;
}

function show(fetched) {
  document.title = fetched.title;
  const fresh = document.adoptNode(fetched.querySelector("main"));
  const hadFocus = view.contains(document.activeElement);
  view.replaceWith(fresh);
  view = fresh;
  if (hadFocus) view.querySelector("a").focus({ preventScroll: true });
}

function openFeed() {
  const feed = new EventSource(`${view.dataset.feed}?since=${view.dataset.at}`);
  const reopen = () => {
    feed.close();
    isDisconnected = true;
    updateStale();
    openFeed();
  };
  let idleTimer = setTimeout(reopen, IDLE_TIMEOUT);
  const onEvent = ({ lastEventId }) => {
    clearTimeout(idleTimer);
    idleTimer = setTimeout(reopen, IDLE_TIMEOUT);
    isDisconnected = false;
    updateStale();
    // Only the last piece of a split difference has an id.
    if (lastEventId && lastEventId !== view.dataset.at) renderIn(BATCH_DELAY + JITTER * Math.random());
  };
  for (const name of ["existing_users", "more_users", "resumed", "changes", "beat"]) {
    feed.addEventListener(name, onEvent);
  }
  // The browser reconnects by itself, unless the server rejected the request; then the timeout reopens the feed.
  feed.onerror = () => {
    isDisconnected = true;
    updateStale();
  };
}

// From now on the style sheet animates changes.
html.setAttribute("data-hydrated", "true");
openFeed();
