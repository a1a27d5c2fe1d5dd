import { expect, type Page, type WebSocketRoute } from "@playwright/test";

import type { ClientFrame, Difference, ServerFrame, User } from "./protocol";
import { formatCount, type Visitor } from "./visitor";

/** How many rows a frame holds, as the server's frames of 4 KiB do. */
const ROWS_IN_A_FRAME = 50;

/** The longest for which the server gathers changes. */
const GAP_IN_MILLISECONDS = 250;

/** A page takes a server that says nothing for 15 s for dead; nothing new is said more often. */
const BEAT_IN_MILLISECONDS = 4_000;

/**
 * A room with thousands of people, played by the test in the server's place: what it costs a page
 * to show them is the question, not what it costs a machine to be them.
 */
export class BigRoom {
  readonly users: User[];
  private seq = 1;
  private socket: WebSocketRoute | undefined;
  private born = 0;

  private constructor(people: number) {
    this.users = Array.from({ length: people }, () => this.newUser());
  }

  /** Answers the sockets of this page in the server's place. */
  static async for(page: Page, people: number): Promise<BigRoom> {
    const room = new BigRoom(people);
    await page.routeWebSocket(/\/socket$/, (socket) => {
      room.socket = socket;
      const beat = setInterval(() => room.tell({}), BEAT_IN_MILLISECONDS);
      socket.onClose(() => clearInterval(beat));
      beat.unref();
      socket.onMessage((text) => room.hear(JSON.parse(text.toString()) as ClientFrame));
    });
    return room;
  }

  /** This visitor has opened it, and counts everyone. */
  static async openedBy(visitor: Visitor, name: string, people: number): Promise<BigRoom> {
    const room = await BigRoom.for(visitor.page, people);
    await visitor.open(name);
    await expect(visitor.count).toHaveText(formatCount(people));
    return room;
  }

  /** Somebody comes. */
  join(name?: string): User {
    const user = this.newUser(name);
    this.users.push(user);
    this.tell({ new_user: [user] });
    return user;
  }

  /** This one goes. */
  leave(user: User | undefined): void {
    if (!user) return;
    this.users.splice(this.users.indexOf(user), 1);
    this.tell({ disconnect_user: { left: [user.id] } });
  }

  /** All of these go at once. */
  leaveTogether(users: readonly User[]): void {
    const left = users.map(({ id }) => id);
    for (const id of left) this.users.splice(this.users.findIndex((user) => user.id === id), 1);
    this.tell({ disconnect_user: { left } });
  }

  /**
   * As many changes, told as the server tells a room in which thousands listen: those of a quarter of a
   * second in one frame. People come, go and are away.
   */
  async changes(perSecond: number, seconds: number): Promise<void> {
    const inAFrame = Math.round((perSecond * GAP_IN_MILLISECONDS) / 1_000);
    for (let change = 0; change < perSecond * seconds; change += inAFrame) {
      this.changeTogether(change, inAFrame);
      await new Promise((resolve) => setTimeout(resolve, GAP_IN_MILLISECONDS));
    }
  }

  /** About as many changes at once, of people all over the list. */
  private changeTogether(first: number, count: number): void {
    const stirred = Math.min(Math.ceil((count * 2) / 3), this.users.length);
    const apart = Math.floor(this.users.length / stirred);
    const users = Array.from({ length: stirred }, (_, index) => {
      return this.users[(first + index * apart) % this.users.length] as User;
    });
    const left = users.filter((_, index) => index % 2 === 0);
    const away = users.filter((_, index) => index % 2 === 1);
    // As many come as go: a room that shrinks would hide what a page fails to let go of.
    const arrived = left.map(() => this.newUser());
    for (const user of left) this.users.splice(this.users.indexOf(user), 1);
    this.users.push(...arrived);
    this.tell({
      disconnect_user: { left: left.map(({ id }) => id) },
      user_changed: { away: away.map(({ id }) => id) },
      new_user: arrived,
    });
  }

  private newUser(name?: string): User {
    this.born += 1;
    const number = String(this.born).padStart(6, "0");
    return { id: `user-${number}`, name: name ?? `Person ${this.born}`, joined: 1_790_000_000 };
  }

  private hear(frame: ClientFrame): void {
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

  private tell(difference: Difference): void {
    const from = this.seq;
    this.seq += 1;
    this.send({ event: "changes", from, seq: this.seq, ...difference });
  }

  private send(frame: ServerFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }
}
