// A view's share of the one event stream that all views of this browser have together (feed-hub.js).
//
// The pages elect one of them to run it, over a BroadcastChannel. Web Locks would do that with less code, and a shared
// worker without an election; but neither exists in a frame of another site whose storage the browser blocks, and
// Web Locks do not exist over plain HTTP.

// Of the same build: a cache may hold that of another one.
const { Hub } = await import(`./feed-hub.js${new URL(import.meta.url).search}`);

/** Sites below different paths of a host share its channels, and each has rooms of its own. */
const CHANNEL = `rollcall-feed ${new URL(".", import.meta.url).pathname}`;

/** How long nothing may come, in milliseconds: the server sends a beat every 10 s. */
const IDLE_TIMEOUT = 15_000;
/** How long the elected page may take to answer before this one takes its place, in milliseconds, and the jitter that
* spreads the candidates. */
const ANSWER_TIMEOUT = 100;
const ANSWER_JITTER = 200;

/** Without one where there is none, or where the browser blocks the storage of this site: then it throws. */
function openChannel() {
  try {
    return new BroadcastChannel(CHANNEL);
  } catch {
    return undefined;
  }
}

/** Whether views of this browser find each other. Those in sandboxed frames don't: each has an origin of its own. */
export function canShare() {
  const channel = openChannel();
  channel?.close();
  return Boolean(channel) && self.origin !== "null";
}

/**
 * Watches a room until `close` is called. `describe` returns the request `{ room, since, wantsFrames }`, each time that it
 * is sent; `onNews` gets `{ position, frame, isOld }`, where beats alone say whether the list is old, and `onLost` is
 * called when the stream broke or is silent, or when the server refuses the room. It is opened again.
 *
 * The messages: `{ to, request }` from a view to the elected page (or to any, before it knows one), `{ to, isServed }`
 * in answer; `{ room, news }` from the elected page to all; `{ isElected }` and `{ isRetired }` when that changes. Each
 * has its sender's id as `from`.
 */
export function openFeed(describe, onNews, onLost) {
  const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
  const { room } = describe();
  let channel;
  /** The id of the elected page, if this one knows it. */
  let elected;
  /** The stream, if that is this page. */
  let hub;
  let idleTimer;
  let electionTimer;

  function post(message) {
    channel?.postMessage({ ...message, from: id });
  }

  function open() {
    channel = openChannel();
    if (channel) channel.onmessage = ({ data }) => onMessage(data);
    watch(false);
  }

  function close() {
    clearTimeout(idleTimer);
    clearTimeout(electionTimer);
    if (hub) post({ isRetired: true });
    else post({ to: elected, request: { isGone: true } });
    hub?.close();
    hub = undefined;
    elected = undefined;
    // An open channel would keep the page out of the back/forward cache.
    channel?.close();
    channel = undefined;
  }

  function watch(isLost) {
    expectNews();
    const request = { ...describe(), isLost };
    if (hub) {
      hub.watch(id, request);
      return;
    }
    post({ to: elected, request });
    clearTimeout(electionTimer);
    electionTimer = setTimeout(runHub, ANSWER_TIMEOUT + ANSWER_JITTER * Math.random());
  }

  function runHub() {
    elected = id;
    hub = new Hub((room, news) => {
      post({ room, news });
      onRoomNews(room, news);
    });
    post({ isElected: true });
    watch(false);
  }

  function onMessage({ from, to, request, isServed, room, news, isElected, isRetired }) {
    if (isElected && hub && id < from) {
      // Two pages elected themselves: the one with the smaller id stays.
      post({ isElected: true });
    } else if (isElected) {
      hub?.close();
      hub = undefined;
      elected = from;
      watch(false);
    } else if (isRetired && from === elected) {
      elected = undefined;
      watch(false);
    } else if (request && hub && (to ?? id) === id) {
      serve(from, request);
    } else if (isServed && to === id) {
      elected = from;
      clearTimeout(electionTimer);
    } else if (news && !hub) {
      onRoomNews(room, news);
    }
  }

  function serve(view, request) {
    if (request.isGone) hub.forget(view);
    else if (request.isHere) hub.isHere(view);
    else {
      post({ to: view, isServed: true });
      hub.watch(view, request);
    }
  }

  function onRoomNews(roomOfNews, news) {
    // Without a room it is of all rooms.
    if ((roomOfNews ?? room) !== room) return;
    if (news.isLost) return onLost();
    expectNews();
    if (news.asks && hub) hub.isHere(id);
    else if (news.asks) post({ to: elected, request: { isHere: true } });
    onNews(news);
  }

  function expectNews() {
    clearTimeout(idleTimer);
    idleTimer = setTimeout(() => {
      onLost();
      watch(true);
    }, IDLE_TIMEOUT);
  }

  const onShow = ({ persisted }) => persisted && open();
  addEventListener("pagehide", close);
  addEventListener("pageshow", onShow);
  open();
  return {
    close() {
      removeEventListener("pagehide", close);
      removeEventListener("pageshow", onShow);
      close();
    },
  };
}
