// The list without WASM: after each change the server's rendering is fetched again.

/** How long a change waits for others, and the jitter that spreads the requests of many pages, in milliseconds. */
const BATCH_DELAY = 300;
const JITTER = 900;
/** After how long a request that failed is sent again, in milliseconds. */
const RETRY_DELAY = 15_000;
/** What changes with the list; the rest of the page stays. */
const CHANGING = [".list-panel", ".count"];

/** Follows the list of a page that is not hydrated. */
export function followList({ fetchParts, renderMain, markStale, data }) {
  const html = document.documentElement;
  let isConnected = false;
  let isListOld = false;
  let isCurrent = false;
  /** Something failed since the list was live; a page that only begins to follow says nothing. */
  let hasFailed = false;
  /** When the list was last known to be right. */
  let asOf = new Date(data.page.list.now);
  const output = document.querySelector(".not-started p");
  const cause = output?.textContent;
  /** The position of the rendering that is shown: `EPOCH.SEQ`. */
  let position;
  let timer;
  let rendering = Promise.resolve();

  function mark() {
    const isLive = isConnected && isCurrent;
    hasFailed &&= !isLive;
    const time = asOf.toLocaleTimeString(html.lang);
    say(hasFailed ? `${cause} ${data.causes.reconnecting.replace("{0}", time)}` : cause);
    if (!isLive) return markStale();
    asOf = new Date();
    html.removeAttribute("data-stale");
    html.setAttribute("data-live", "true");
  }

  /** The same words are not set again: screen readers would read them again. */
  function say(words) {
    // The page that has no network says so already, and when it loads again.
    if (output && output.textContent !== words && html.dataset.cause !== "no_network") output.textContent = words;
  }

  function renderIn(milliseconds) {
    timer ??= setTimeout(() => {
      timer = undefined;
      rendering = rendering.then(render);
    }, milliseconds);
  }

  async function render() {
    const parts = await fetchParts().catch(() => undefined);
    isCurrent = Boolean(parts);
    hasFailed ||= !parts;
    if (parts) show(parts);
    else renderIn(RETRY_DELAY);
    mark();
  }

  function show(parts) {
    html.setAttribute("data-build", parts.build);
    const fresh = new DOMParser().parseFromString(parts.main, "text/html");
    const pairs = CHANGING.map((selector) => [document.querySelector(`main ${selector}`), fresh.querySelector(selector)]);
    // The first time, as whoever changed the page may have changed any part of it.
    if (!position || pairs.some(([old]) => !old)) renderMain(parts);
    else for (const [old, part] of pairs) old.replaceWith(part);
    document.title = parts.title;
    position = `${parts.page.list.epoch}.${parts.page.list.seq}`;
  }

  async function follow() {
    // Of the same build: a cache may hold that of another one.
    const { openFeed } = await import(`./feed.js${new URL(import.meta.url).search}`);
    openFeed(
      () => ({ room: data.page.room, since: position }),
      ({ position: latest, isOld }) => {
        // Beats alone say whether the server still hears the other servers.
        isListOld = isOld ?? isListOld;
        isConnected = !isListOld;
        hasFailed ||= isListOld;
        mark();
        // Only the last piece of a split difference has a new position.
        if (latest && latest !== position) renderIn(BATCH_DELAY + JITTER * Math.random());
      },
      () => {
        isConnected = false;
        hasFailed = true;
        mark();
      },
    );
  }

  render().then(follow);
}
