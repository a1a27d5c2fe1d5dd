// One event stream for up to 50 rooms that this page only watches: browsers open six HTTP/1.1 connections to a host.
// It is read by `fetch`, since an `EventSource` can't resume several rooms by itself.

import { Backoff } from "./backoff.js";
import { refusalOf, startWatchdog } from "./connection.js";
import { readFrame, type Position, type ServerFrame } from "./frames.js";

/** How long a new room waits for others that come with it, in milliseconds. */
const GATHER_DELAY = 50;
/** How long a room that the server refused waits for another attempt, at least, in milliseconds. */
const REFUSED_RETRY_DELAY = 5_000;
/** The most watchers of one stream: the server allows no more rooms. */
const MAX_WATCHERS = 50;

/** What follows a room. */
export interface Watcher {
  readonly room: string;
  /** From where the stream should go on. */
  position(): Position | undefined;
  onFrame(frame: ServerFrame): void;
  /** The stream broke. It is opened again. */
  onLost(): void;
}

/** The streams of this page. */
const feeds: Feed[] = [];

/** The stream for one more room that this page watches on a server. */
export function feedOf(server: string): Feed {
  let feed = feeds.find((each) => each.hasPlaceFor(server));
  if (!feed) feeds.push((feed = new Feed(server)));
  return feed;
}

export class Feed {
  readonly #server: string;
  readonly #watchers = new Set<Watcher>();
  readonly #backoff = new Backoff();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stream: AbortController | undefined;

  constructor(server: string) {
    this.#server = server;
  }

  hasPlaceFor(server: string): boolean {
    return server === this.#server && this.#watchers.size < MAX_WATCHERS;
  }

  /** Watches a room, or opens the stream anew from the watcher's position. */
  watch(watcher: Watcher): void {
    this.#watchers.add(watcher);
    this.#openIn(GATHER_DELAY);
  }

  forget(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    // At once, if it was the last: an open stream would keep the page out of the back/forward cache.
    if (this.#watchers.size > 0) this.#openIn(GATHER_DELAY);
    else this.#abort();
  }

  #openIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#stream) return this.#open();
      // The server counts the old one until it notices its end, and a room may have one place left.
      this.#abort();
      return this.#openIn(GATHER_DELAY);
    }, milliseconds);
  }

  #abort(): void {
    this.#stream?.abort();
    this.#stream = undefined;
  }

  async #open(): Promise<void> {
    const [first] = this.#watchers;
    if (!first) return;
    const stream = (this.#stream = new AbortController());
    const watchdog = startWatchdog(() => stream.abort());
    try {
      const { signal } = stream;
      const response = await fetch(this.#address(), { cache: "no-store", credentials: "omit", signal });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        watchdog.reset();
        const lines = (text + value).split("\n");
        text = lines.pop()!;
        // The frames say everything: the events' names and ids only repeat it.
        for (const line of lines) if (line.startsWith("data:")) this.#receive(readFrame(line.slice(5)));
      }
    } catch {
      // What follows is the same as after a stream that ended.
    }
    watchdog.stop();
    // Where it was replaced, nobody lost anything.
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#openIn(this.#backoff.next(Date.now(), Math.random()));
    for (const watcher of this.#watchers) watcher.onLost();
    const refusal = await refusalOf(this.#server, first.room);
    if (refusal) for (const watcher of this.#watchers) watcher.onFrame(refusal);
  }

  #address(): string {
    const positions = new Map<string, string>();
    for (const { room, position } of this.#watchers) {
      const { epoch, seq } = position() ?? {};
      const since = epoch ? `${room}.${epoch}.${seq}` : "";
      // Two lists of a room that are not at the same point both begin anew.
      positions.set(room, positions.has(room) && positions.get(room) !== since ? "" : since);
    }
    const rooms = [...positions.keys()].join();
    const since = [...positions.values()].filter(Boolean).join();
    return `${this.#server}api/events?${new URLSearchParams({ rooms, since })}`;
  }

  #receive(frame: (ServerFrame & { readonly room?: string }) | undefined): void {
    if (!frame) return;
    for (const watcher of [...this.#watchers]) if (watcher.room === frame.room) watcher.onFrame(frame);
    if (frame.event !== "refused") this.#backoff.reset();
    else if (!this.#timer) this.#openIn(REFUSED_RETRY_DELAY * (1 + Math.random()));
  }
}
