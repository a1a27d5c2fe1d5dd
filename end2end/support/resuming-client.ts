import { randomInt } from "node:crypto";

import WebSocket from "ws";

import { changesIn, type ClientFrame, type Difference, type ServerFrame } from "./protocol";
import type { TestServer } from "./server";

/** How long to wait at most before the next attempt: little, for a test is waiting. */
const LONGEST_WAIT_IN_MILLISECONDS = 500;

/** What a program is like that stays with a room. */
export interface ResumingClientOptions {
  server: TestServer;
  room: string;
  name: string;
  tab: string;
  /** The cookie of another one, to be the same person. */
  cookie?: string | undefined;
  isVisible?: boolean;
}

/** A program that speaks the whole protocol: whenever its socket ends, it comes back and resumes. */
export class ResumingClient {
  cookie: string | undefined;
  /** Every row that came, went or changed, as far as this socket was told. */
  readonly changes: Difference[] = [];
  /** The whole lists that were sent, because no difference would do. */
  lists = 0;
  /** The codes that the server closed with. */
  readonly closed: number[] = [];
  private since: ClientFrame["since"];
  private socket: WebSocket | undefined;
  private isHeld = false;
  private isOver = false;
  private waiters: (() => void)[] = [];
  private isFollowing = false;

  constructor(private readonly options: ResumingClientOptions) {
    this.cookie = options.cookie;
  }

  /** Comes, or comes back, and answers when the list is there. */
  async connect(): Promise<void> {
    this.isHeld = false;
    if (this.isFollowing) return;
    const arrived = new Promise<void>((resolve) => this.waiters.push(resolve));
    if (!this.socket) this.open();
    await arrived;
  }

  /** Closes as a page does that is reloaded, and does not come back by itself. */
  close(): void {
    this.isHeld = true;
    this.socket?.close(1001);
  }

  /** Breaks without a word, and does not come back by itself. */
  break(): void {
    this.isHeld = true;
    this.socket?.terminate();
  }

  /** Lets go for good. */
  abandon(): void {
    this.isOver = true;
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
    socket.on("message", (data) => this.hear(JSON.parse(data.toString()) as ServerFrame));
    socket.on("error", () => undefined);
    socket.on("close", (code) => {
      this.closed.push(code);
      this.socket = undefined;
      this.isFollowing = false;
      if (this.isHeld || this.isOver) return;
      setTimeout(() => this.open(), randomInt(LONGEST_WAIT_IN_MILLISECONDS));
    });
  }

  private hear(frame: ServerFrame): void {
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
