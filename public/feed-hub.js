// One event stream for all views of this browser that need one: browsers open only six HTTP/1.1 connections to a host,
// and a stream for each view would leave none for the seventh. feed.js decides which page runs it.

/** How long the server may be silent, in milliseconds: it sends a beat every 10 s. */
const IDLE_TIMEOUT = 15_000;
/** How long a stream may take to open, in milliseconds: without a free connection it never does. */
const OPEN_TIMEOUT = 4_000;
/** How long a new view waits for others that load with it, in milliseconds. */
const GATHER_DELAY = 50;
/** The bounds of the delay before another attempt, which doubles with each failure, in milliseconds. */
const MIN_RETRY_DELAY = 2_000;
const MAX_RETRY_DELAY = 15_000;
/** After how many unanswered beats a view counts as gone: a page that crashed says no goodbye. */
const MAX_UNANSWERED = 6;
/** The most rooms in one stream: the server allows no more. */
const MAX_ROOMS = 50;
/** How long a room that the server refused waits for another attempt, in milliseconds. */
const REFUSED_RETRY_DELAY = 5_000;
const EVENTS = ["existing_users", "more_users", "resumed", "changes", "beat", "refused"];

/**
 * Keeps the stream open for the views, and tells `tell(room, news)` what comes: `{ position, frame, asks }` for each
 * event of a room, `{ isLost }` for a room that can't be in the stream, and for all rooms when the stream broke.
 */
export class Hub {
  #tell;
  /** What each view watches, by its id. */
  #views = new Map();
  /** The last known position of each room, from which a stream resumes. */
  #positions = new Map();
  /** The open stream, its rooms, those of them that the server refused, and whether an event has come. */
  #stream;
  #openTimer;
  #failures = 0;

  constructor(tell) {
    this.#tell = tell;
  }

  /** A view watches a room, from a position or from the list on. */
  watch(id, { room, since, wantsFrames, isLost }) {
    this.#views.set(id, { room, wantsFrames, unanswered: 0 });
    // A list in pieces is of use only from its beginning on.
    if (wantsFrames) this.#positions.delete(room);
    else if (!this.#positions.has(room)) this.#positions.set(room, since);
    if (!this.#rooms().includes(room)) {
      this.#tell(room, { isLost: true });
      return;
    }
    if (this.#stream?.refused.has(room)) {
      this.#tell(room, { isLost: true });
      // The views of other rooms wait with it for their new stream.
      if (isLost && !this.#openTimer) this.#openIn(REFUSED_RETRY_DELAY);
      return;
    }
    const isWatched = this.#stream?.isLive && this.#stream.rooms.includes(room);
    if (isWatched && !wantsFrames && !isLost) this.#tell(room, { position: this.#positions.get(room) });
    // While another attempt is due, a view that heard nothing learns nothing new.
    else if (this.#stream || !isLost || !this.#openTimer) this.#openIn(GATHER_DELAY);
  }

  /** A view answered a beat. */
  isHere(id) {
    const view = this.#views.get(id);
    if (view) view.unanswered = 0;
  }

  /** A view has gone. */
  forget(id) {
    const room = this.#views.get(id)?.room;
    if (!this.#views.delete(id) || this.#viewsOf(room).length > 0) return;
    this.#positions.delete(room);
    this.#openIn(GATHER_DELAY);
  }

  close() {
    clearTimeout(this.#openTimer);
    this.#openTimer = undefined;
    this.#stream?.source.close();
    clearTimeout(this.#stream?.timer);
    this.#stream = undefined;
  }

  #viewsOf(room) {
    return [...this.#views].filter(([, view]) => view.room === room);
  }

  /** The rooms of the stream, in the order in which they came. */
  #rooms() {
    const rooms = new Set([...this.#views.values()].map(({ room }) => room));
    return [...rooms].slice(0, MAX_ROOMS);
  }

  #openIn(milliseconds) {
    clearTimeout(this.#openTimer);
    this.#openTimer = setTimeout(() => this.#open(), milliseconds);
  }

  #open() {
    const hadStream = Boolean(this.#stream);
    this.close();
    if (hadStream) {
      // The server counts it until it notices its end, and a room may have one place left.
      this.#openIn(GATHER_DELAY);
      return;
    }
    const rooms = this.#rooms();
    if (rooms.length === 0) return;
    const known = rooms.filter((room) => this.#positions.get(room));
    const since = known.map((room) => `${room}.${this.#positions.get(room)}`);
    const query = new URLSearchParams({ rooms: rooms.join(), since: since.join() });
    const source = new EventSource(new URL(`api/events?${query}`, import.meta.url));
    this.#stream = { source, rooms, refused: new Set(), isLive: false };
    this.#expect(OPEN_TIMEOUT);
    source.onopen = () => this.#expect(IDLE_TIMEOUT);
    // The browser's own reconnection would resume one room only.
    source.onerror = () => this.#onLost();
    for (const name of EVENTS) source.addEventListener(name, (event) => this.#onEvent(event));
  }

  /** Something has to come within this time. */
  #expect(milliseconds) {
    clearTimeout(this.#stream.timer);
    this.#stream.timer = setTimeout(() => this.#onLost(), milliseconds);
  }

  #onLost() {
    this.close();
    this.#tell(undefined, { isLost: true });
    const delay = Math.min(MAX_RETRY_DELAY, MIN_RETRY_DELAY * 2 ** this.#failures);
    this.#failures += 1;
    this.#openIn(delay * (0.5 + Math.random() / 2));
  }

  #onEvent({ type, data, lastEventId }) {
    this.#stream.isLive = true;
    this.#failures = 0;
    this.#expect(IDLE_TIMEOUT);
    // The id is of the last event that had one, whatever its room.
    const [, roomOfId, position] = /^([^.]+)\.(.+)$/.exec(lastEventId) ?? [];
    if (roomOfId) this.#positions.set(roomOfId, position);
    const room = /^\{"room":"([^"]+)"/.exec(data)?.[1];
    if (type === "refused") {
      this.#stream.refused.add(room);
      this.#tell(room, { isLost: true });
      return;
    }
    const views = this.#viewsOf(room);
    const frame = views.some(([, view]) => view.wantsFrames) ? data : undefined;
    const asks = type === "beat";
    for (const [id, view] of asks ? views : []) {
      view.unanswered += 1;
      if (view.unanswered > MAX_UNANSWERED) this.forget(id);
    }
    // Beats say whether the server still hears the other servers.
    const isOld = asks ? data.includes(',"as_of":') : undefined;
    this.#tell(room, { position: this.#positions.get(room), frame, asks, isOld });
  }
}
