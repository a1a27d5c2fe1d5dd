import { expect, type Page, type WebSocketRoute } from "@playwright/test";

import type { ClientFrame, Difference, ServerFrame, User } from "./protocol";
import { formatCount, type Visitor } from "./visitor";

/** How many rows a frame has, as in the server's frames of 4 KiB. */
const ROWS_IN_A_FRAME = 50;

/** The longest batch interval of the server. */
const BATCH_INTERVAL_IN_MILLISECONDS = 250;

/** How often the room sends a frame: a page gives a connection up after 15 s without one. */
const BEAT_IN_MILLISECONDS = 4_000;

/**
 * A room with thousands of people, which the test plays in the server's place: this measures the page alone,
 * without the cost of thousands of clients.
 */
export class BigRoom {
  readonly users: User[];
  private seq = 1;
  private socket: WebSocketRoute | undefined;
  private created = 0;

  private constructor(people: number) {
    this.users = Array.from({ length: people }, () => this.newUser());
  }

  /** Handles the sockets of this page in the server's place. */
  static async for(page: Page, people: number): Promise<BigRoom> {
    const room = new BigRoom(people);
    await page.routeWebSocket(/\/socket$/, (socket) => {
      room.socket = socket;
      const beat = setInterval(() => room.beat(), BEAT_IN_MILLISECONDS);
      socket.onClose(() => clearInterval(beat));
      beat.unref();
      socket.onMessage((text) => room.handle(JSON.parse(text.toString()) as ClientFrame));
    });
    return room;
  }

  /** A room that this visitor has opened; their page shows its count. */
  static async openedBy(visitor: Visitor, name: string, people: number): Promise<BigRoom> {
    const room = await BigRoom.for(visitor.page, people);
    await visitor.open(name);
    await expect(visitor.count).toHaveText(formatCount(people));
    return room;
  }

  /** Sends a frame without a change, to a page whose clock the test has set forward. */
  beat(): void {
    this.sendChanges({});
  }

  /** How many people are here, and not away. */
  get here(): number {
    return this.users.filter(({ state }) => state !== "away").length;
  }

  /** Adds a person. */
  join(name?: string): User {
    const user = this.newUser(name);
    this.users.push(user);
    this.sendChanges({ new_user: [user] });
    return user;
  }

  /** Removes a person. */
  leave(user: User | undefined): void {
    if (!user) return;
    this.users.splice(this.users.indexOf(user), 1);
    this.sendChanges({ disconnect_user: { left: [user.id] } });
  }

  /** Removes people in one frame. */
  leaveTogether(users: readonly User[]): void {
    const left = users.map(({ id }) => id);
    for (const id of left) this.users.splice(this.users.findIndex((user) => user.id === id), 1);
    this.sendChanges({ disconnect_user: { left } });
  }

  /**
   * So many changes, batched as the server does with thousands of subscribers: one frame for each quarter of a
   * second. People join, leave and are away.
   */
  async changes(perSecond: number, seconds: number): Promise<void> {
    const inAFrame = Math.round((perSecond * BATCH_INTERVAL_IN_MILLISECONDS) / 1_000);
    for (let change = 0; change < perSecond * seconds; change += inAFrame) {
      this.changeTogether(change, inAFrame);
      await new Promise((resolve) => setTimeout(resolve, BATCH_INTERVAL_IN_MILLISECONDS));
    }
  }

  /** About `count` changes in one frame, of people all over the list. */
  private changeTogether(first: number, count: number): void {
    const touched = Math.min(Math.ceil((count * 2) / 3), this.users.length);
    const apart = Math.floor(this.users.length / touched);
    const users = Array.from({ length: touched }, (_, index) => {
      return this.users[(first + index * apart) % this.users.length] as User;
    });
    const left = users.filter((_, index) => index % 2 === 0);
    const away = users.filter((_, index) => index % 2 === 1);
    // As many people join as leave: a shrinking room would hide memory leaks.
    const arrived = left.map(() => this.newUser());
    for (const user of left) this.users.splice(this.users.indexOf(user), 1);
    this.users.push(...arrived);
    for (const user of away) user.state = "away";
    this.sendChanges({
      disconnect_user: { left: left.map(({ id }) => id) },
      user_changed: { away: away.map(({ id }) => id) },
      new_user: arrived,
    });
  }

  private newUser(name?: string): User {
    this.created += 1;
    const number = String(this.created).padStart(6, "0");
    return { id: `user-${number}`, name: name ?? `Person ${this.created}`, joined: 1_790_000_000 };
  }

  private handle(frame: ClientFrame): void {
    if (frame.event === "watch" || frame.event === "resync") this.sendList();
  }

  private sendList(): void {
    const { users, seq } = this;
    const pieces: User[][] = [];
    for (let at = 0; at < users.length; at += ROWS_IN_A_FRAME) {
      pieces.push(users.slice(at, at + ROWS_IN_A_FRAME));
    }
    const [first = [], ...more] = pieces;
    const count = users.length;
    const head = { epoch: "e-test", seq, you: null, now: Date.now(), count, users: first };
    this.send({ event: "existing_users", ...head });
    for (const users of more) this.send({ event: "more_users", users });
  }

  private sendChanges(difference: Difference): void {
    const from = this.seq;
    this.seq += 1;
    this.send({ event: "changes", from, seq: this.seq, ...difference });
  }

  private send(frame: ServerFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }
}
