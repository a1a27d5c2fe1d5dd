import { randomInt } from "node:crypto";

import WebSocket from "ws";

import { changesIn, type ClientFrame, type Difference, type ServerFrame } from "./protocol";
import type { SharedServer } from "./shared-server";

/** The longest delay before the next attempt: short, since a test is waiting. */
const LONGEST_DELAY_IN_MILLISECONDS = 500;

/** The options of a client. */
export interface ResumingClientOptions {
  server: SharedServer;
  room: string;
  name: string;
  tab: string;
  /** The cookie of another client, to be the same person. */
  cookie?: string | undefined;
  isVisible?: boolean;
}

/** A client that implements the whole protocol: when its socket ends, it reconnects and resumes. */
export class ResumingClient {
  cookie: string | undefined;
  /** All changes that this client received. */
  readonly changes: Difference[] = [];
  /** How many whole lists it received. */
  lists = 0;
  /** The close codes of its sockets. */
  readonly closed: number[] = [];
  private since: ClientFrame["since"];
  private socket: WebSocket | undefined;
  private isPaused = false;
  private isAbandoned = false;
  private waiters: (() => void)[] = [];
  private isFollowing = false;

  constructor(private readonly options: ResumingClientOptions) {
    this.cookie = options.cookie;
  }

  /** Connects or reconnects, and resolves when the list has arrived. */
  async connect(): Promise<void> {
    this.isPaused = false;
    if (this.isFollowing) return;
    const arrived = new Promise<void>((resolve) => this.waiters.push(resolve));
    if (!this.socket) this.open();
    await arrived;
  }

  /** Closes its socket like a page that is reloaded, and does not reconnect by itself. */
  close(): void {
    this.isPaused = true;
    this.socket?.close(1001);
  }

  /** Drops its socket without a close frame, and does not reconnect by itself. */
  break(): void {
    this.isPaused = true;
    this.socket?.terminate();
  }

  /** Drops its socket for good. */
  abandon(): void {
    this.isAbandoned = true;
    this.socket?.terminate();
  }

  private open(): void {
    const { server, room, name, tab, isVisible = true } = this.options;
    const headers = this.cookie === undefined ? {} : { cookie: this.cookie };
    const socket = new WebSocket(server.socketOf(room), { perMessageDeflate: false, headers });
    this.socket = socket;
    socket.on("upgrade", ({ headers }) => {
      const [cookie] = headers["set-cookie"] ?? [];
      this.cookie = cookie?.split(";")[0] ?? this.cookie;
    });
    socket.on("open", () => {
      const frame = { event: "got_a_new_user", name, tab, visible: isVisible, since: this.since };
      socket.send(JSON.stringify(frame));
    });
    socket.on("message", (data) => this.handle(JSON.parse(data.toString()) as ServerFrame));
    socket.on("error", () => undefined);
    socket.on("close", (code) => {
      this.closed.push(code);
      this.socket = undefined;
      this.isFollowing = false;
      if (this.isPaused || this.isAbandoned) return;
      setTimeout(() => this.open(), randomInt(LONGEST_DELAY_IN_MILLISECONDS));
    });
  }

  private handle(frame: ServerFrame): void {
    this.changes.push(...changesIn([frame]));
    if (frame.event === "existing_users") {
      this.lists += 1;
      this.since = { epoch: frame.epoch, seq: frame.seq };
    } else if (frame.event === "resumed") {
      this.since = { epoch: frame.epoch, seq: frame.seq };
    } else if (frame.event === "changes" && this.since) {
      this.since = { ...this.since, seq: frame.seq };
    }
    this.isFollowing = true;
    for (const arrived of this.waiters.splice(0)) arrived();
  }
}
