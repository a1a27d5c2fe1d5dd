// A room as this page follows it, and is listed in it.

import { Backoff } from "./backoff.js";
import { changeBetween, type Change } from "./change.js";
import { refusalOf } from "./connection.js";
import { feedOf, type Feed, type Watcher } from "./feed.js";
import type { ClientFrame, Refusal, ServerFrame, User } from "./frames.js";
import { exchangeTab, followPage, newTab } from "./page.js";
import type { Rows } from "./replica.js";
import { Session } from "./session.js";
import { openSocket, type Socket } from "./socket.js";

// The compiler replaces these by their numbers.
const enum Attempts {
  /** After so many without a list the event stream is opened as well. */
  Fallback = 2,
}
const enum CloseCode {
  /** The room is not for this person. */
  Forbidden = 4403,
  /** The same tab has opened another socket. */
  Replaced = 4409,
}

export interface RoomOptions {
  /** 1 to 64 characters of `a-z`, `0-9` and `-`, starting and ending with a letter or digit. */
  room: string;
  /** The address of Rollcall, such as `https://rollcall.example` or `/rollcall`. Without it: where this script came
   * from, so programs that are bundled have to name it. */
  server?: string | URL | undefined;
  /** Be listed under this name from the beginning on. */
  name?: string | undefined;
  /** Never be listed: then all such rooms of a page share one event stream. */
  watchOnly?: boolean | undefined;
  /** Who this is, signed by the site's own server; or what gets a token, which is asked for a new one whenever a
   * connection is opened. The list of a room that needs one has no fallback where no WebSocket opens. */
  token?: string | (() => string | Promise<string>) | undefined;
  /** The id of this page instance; without it one is made, which a reload keeps. */
  tab?: string | undefined;
  /** Closes the room when it is aborted. */
  signal?: AbortSignal | undefined;
}

/** Until the first list comes, while the list is the server's, while it may be old, after `close`. */
export type Status = "connecting" | "live" | "stale" | "closed";

interface Events {
  change: Change;
  status: Status;
  refused: Refusal;
  close: void;
}

/**
 * The list of a room, live. It connects by itself, reconnects by itself, and keeps the list as it was meanwhile.
 *
 * ```
 * const room = new Room({ room: "team-7", name: "Ana" });
 * room.on("change", () => console.log(room.users.map(({ name }) => name)));
 * ```
 */
export class Room implements AsyncIterable<Change> {
  readonly #server: string;
  readonly #address: string;
  readonly #watchOnly: boolean;
  readonly #token: RoomOptions["token"];
  readonly #session: Session;
  readonly #backoff = new Backoff();
  readonly #handlers = new Set<readonly [keyof Events, (event: never) => void]>();
  readonly #leavePage: () => void;
  readonly #watcher: Watcher;
  #status: Status = "connecting";
  #socket: Socket | undefined;
  /** It brings the list, until a socket opens. */
  #feed: Feed | undefined;
  /** Opens the next socket. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The list that `#users` was made from. */
  #rows: Rows | undefined;
  #users: readonly User[] = [];

  constructor({ room, server, name, watchOnly = false, token, tab, signal }: RoomOptions) {
    if (!/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/.test(room)) {
      throw new TypeError(`"${room}" is no room: 1 to 64 of a-z0-9, and "-" inside.`);
    }
    // Without an address it is where this script came from. One without a host is of the page.
    const { origin, pathname } = new URL(server ?? ".", server ? globalThis.location?.href : import.meta.url);
    this.#server = origin + pathname.replace(/\/*$/, "/");
    this.#address = `${this.#server}r/${room}/socket`;
    this.#watchOnly = watchOnly;
    this.#token = token;
    this.#session = new Session(tab ?? exchangeTab(this.#address) ?? newTab(), watchOnly ? undefined : name);
    this.#watcher = {
      room,
      position: () => this.#session.replica.position,
      onFrame: (frame) => this.#receive(frame),
      onLost: () => this.#lost(),
    };
    this.#leavePage = followPage({
      onShow: () => {
        // A tab that is duplicated now must not copy it.
        exchangeTab(this.#address);
        this.#open();
      },
      onHide: (isKept) => {
        exchangeTab(this.#address, this.#session.tab);
        // Otherwise the browser closes the socket, as that of a page that goes away.
        if (isKept) this.#disconnect();
      },
      onVisible: (isVisible) => {
        this.#send(this.#session.show(isVisible));
        if (isVisible) this.#retryNow();
      },
      onOnline: () => this.#retryNow(),
    });
    this.#open();
    signal?.addEventListener("abort", () => this.close());
    if (signal?.aborted) this.close();
  }

  /** Who is here, in order of arrival: the same array until it changes. */
  get users(): readonly User[] {
    const { rows } = this.#session.replica;
    if (this.#rows !== rows) {
      this.#rows = rows;
      this.#users = [...rows.values()];
    }
    return this.#users;
  }

  /** This person's own id in the room, listed or not; null before the first list, and where the room is only watched. */
  get you(): string | null {
    return this.#session.replica.you;
  }

  get status(): Status {
    return this.#status;
  }

  /** Be listed under this name. All tabs of a browser are one row. */
  join(name: string): void {
    if (this.#watchOnly) throw new TypeError("Leave out watchOnly.");
    this.#send(this.#session.join(name));
  }

  rename(name: string): void {
    this.#send(this.#session.rename(name));
  }

  /** Be listed no longer, in no tab of this browser. */
  leave(): void {
    this.#send(this.#session.leave());
  }

  /** Ends the connection for good. A person who is listed goes when no tab of theirs is left. */
  close(): void {
    if (this.#status === "closed") return;
    // First, since it is not stale in between.
    this.#become("closed");
    this.#leavePage();
    this.#disconnect();
    this.#emit("close", undefined);
  }

  /** Calls `handler` after each of these events, until the returned function is called. */
  on<Event extends keyof Events>(event: Event, handler: (event: Events[Event]) => void): () => void {
    const entry = [event, handler] as const;
    this.#handlers.add(entry);
    return () => this.#handlers.delete(entry) as unknown as void;
  }

  /** The net changes from now on: who is slow gets fewer and larger ones. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Change, void, void> {
    const { replica } = this.#session;
    let seen = replica.rows;
    for (;;) {
      const offs: (() => void)[] = [];
      if (replica.rows === seen && this.#status !== "closed") {
        await new Promise<unknown>((resolve) => offs.push(this.on("change", resolve), this.on("close", resolve)));
      }
      for (const off of offs) off();
      const { rows } = replica;
      if (rows === seen) return;
      yield changeBetween(seen, (seen = rows));
    }
  }

  #open(): void {
    const token = this.#token;
    // The event stream of all rooms has no token.
    if (this.#watchOnly && !token) return this.#watch();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket?.close();
    this.#socket = openSocket("ws" + this.#address.slice(4), token, {
      onOpen: (token) => {
        // Only one source may bring the list.
        this.#unwatch();
        this.#send([{ ...this.#session.opened(), token }]);
      },
      onFrame: (frame) => this.#receive(frame),
      onEnd: (code, message) => {
        // Of all ends only those for a token have a reason. A new token may help, but not where the room is for others.
        if (message && (code === CloseCode.Forbidden || typeof token != "function")) {
          this.#emit("refused", { code: "" + code, message });
          return this.close();
        }
        // Another page has the same id: this one is its duplicate.
        if (code === CloseCode.Replaced) this.#session.tab = newTab();
        this.#timer = setTimeout(() => this.#open(), this.#backoff.next(Date.now(), Math.random()));
        // The feed may be live.
        if (this.#feed) return;
        this.#lost();
        if (this.#backoff.failures >= Attempts.Fallback) void this.#fallBack();
      },
    });
  }

  /** Proxies that block sockets often let HTTP through. */
  async #fallBack(): Promise<void> {
    this.#watch();
    const refusal = await refusalOf(this.#server, this.#watcher.room);
    if (refusal && this.#status !== "closed") this.#emit("refused", refusal);
  }

  #watch(): void {
    this.#feed ??= feedOf(this.#server);
    this.#feed.watch(this.#watcher);
  }

  #unwatch(): void {
    this.#feed?.forget(this.#watcher);
    this.#feed = undefined;
  }

  /** A frame of the socket or of the feed. */
  #receive(frame: ServerFrame): void {
    const { replica } = this.#session;
    const before = replica.rows;
    const replies = this.#session.receive(frame);
    if (!this.#feed) this.#send(replies);
    else if (replies.length > 0) {
      // The feed takes no requests: a new one begins with the list.
      this.#lost();
      this.#watch();
    }
    if (frame.event === "refused") {
      // Of what the visitor did not ask for they are told nothing.
      return /visible|resync/.test(frame.of!) ? undefined : this.#emit("refused", frame);
    }
    // A socket that only gets refusals has no list.
    if (!this.#feed) this.#backoff.reset();
    if (replica.rows !== before) this.#emit("change", changeBetween(before, replica.rows, replica.reasons));
    this.#become(this.#session.freshness ?? this.#status);
  }

  #send(frames: readonly ClientFrame[]): void {
    this.#socket?.send(frames);
  }

  #retryNow(): void {
    if (this.#timer) this.#open();
  }

  #disconnect(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unwatch();
    this.#socket?.close();
    this.#socket = undefined;
    this.#lost();
  }

  #lost(): void {
    this.#session.closed();
    this.#become("stale");
  }

  #become(status: Status): void {
    const old = this.#status;
    // Before the first list there is nothing that could be old.
    if (old === status || old === "closed" || (old === "connecting" && status === "stale")) return;
    this.#status = status;
    this.#emit("status", status);
  }

  #emit<Event extends keyof Events>(event: Event, value: Events[Event]): void {
    for (const [name, handler] of this.#handlers) if (name === event) (handler as (event: Events[Event]) => void)(value);
  }
}
