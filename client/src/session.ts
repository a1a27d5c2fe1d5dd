// Which frames a client sends, and when, over however many sockets it takes. Pure.

import type { ClientFrame, Position, ServerFrame, User } from "./frames.js";
import { Replica } from "./replica.js";

/** What the visitor asked for and the server has not granted yet. */
type Request = { event: "got_a_new_user"; name: string } | { event: "rename"; name: string } | { event: "leave" };

/**
 * The client's side of the protocol. Its owner opens the sockets, and sends the frames that this returns.
 *
 * Nothing but the first frame is sent before the answer to it is complete, so that a refusal is always of one known
 * frame.
 */
export class Session {
  readonly replica = new Replica();
  /** The id of this page instance. */
  tab: string;
  /** The name under which this tab is on the list, or is to be. */
  #name: string | undefined;
  #request: Request | undefined;
  /** There is a socket, and it brings the list; otherwise the feed may. */
  #hasSocket = false;
  /** The answer to the socket's first frame is complete. */
  #isAnswered = false;
  #isRequestSent = false;
  /** `got_a_new_user` was sent on this socket. */
  #isAnnounced = false;
  #isVisible = true;
  /** The visibility that was last reported on this socket. */
  #reportedVisible = true;
  /** The server has not heard the other servers. */
  #isOld = false;

  constructor(tab: string, name?: string) {
    this.tab = tab;
    this.#name = name;
  }

  /** What the list is after a frame: none of both while pieces of what comes next are on their way. */
  get freshness(): "live" | "stale" | undefined {
    if (this.#isOld || this.replica.isWrong) return "stale";
    return this.replica.isSynced ? "live" : undefined;
  }

  /** A socket opened: its first frame. */
  opened(): ClientFrame {
    this.closed();
    this.#hasSocket = true;
    const since = this.replica.position;
    if (this.#name === undefined) return { event: "watch", since };
    this.#isRequestSent = this.#request?.event === "got_a_new_user";
    return this.#announce(this.#name, since);
  }

  /** The source of the list ended. */
  closed(): void {
    this.replica.disconnected();
    this.#hasSocket = this.#isAnswered = this.#isRequestSent = this.#isAnnounced = this.#isOld = false;
  }

  /** A frame came; the frames to send. */
  receive(frame: ServerFrame): readonly ClientFrame[] {
    if (frame.event === "refused") return this.#refused(frame.of);
    const { replica } = this;
    const before = this.#ownRow;
    const { you } = replica;
    // The replica reports no other gap until the list comes, so this is sent once.
    if (!replica.receive(frame)) return [{ event: "resync" }];
    // The feed knows no person.
    if (!this.#hasSocket) replica.you = you;
    if (frame.event === "beat") this.#isOld = Boolean(frame.as_of);
    if (!replica.isSynced) return [];
    this.#follow(before);
    this.#isAnswered = this.#hasSocket;
    return this.#pending();
  }

  /** The visitor wants to be listed under this name; the frames to send now. */
  join(name: string): readonly ClientFrame[] {
    this.#name = name;
    return this.#ask({ event: "got_a_new_user", name });
  }

  rename(name: string): readonly ClientFrame[] {
    // Of a join that was not sent the name is another now.
    const isJoining = this.#request?.event === "got_a_new_user" && !this.#isRequestSent;
    return isJoining ? this.join(name) : this.#ask({ event: "rename", name });
  }

  leave(): readonly ClientFrame[] {
    this.#name = undefined;
    return this.#ask({ event: "leave" });
  }

  /** The page was hidden, or shown again. */
  show(isVisible: boolean): readonly ClientFrame[] {
    this.#isVisible = isVisible;
    return this.#pending();
  }

  get #ownRow(): User | undefined {
    return this.replica.rows.get(this.replica.you!);
  }

  #ask(request: Request): readonly ClientFrame[] {
    this.#request = request;
    this.#isRequestSent = false;
    return this.#pending();
  }

  /** What can be sent now. */
  #pending(): readonly ClientFrame[] {
    const frames: ClientFrame[] = [];
    if (!this.#isAnswered) return frames;
    const request = this.#request;
    if (request && !this.#isRequestSent) {
      this.#isRequestSent = true;
      frames.push(request.event === "got_a_new_user" ? this.#announce(request.name) : request);
    }
    const visible = this.#isVisible;
    // Only tabs that are on the list report it.
    if (this.#isAnnounced && this.#reportedVisible !== visible) {
      this.#reportedVisible = visible;
      frames.push({ event: "visible", visible });
    }
    return frames;
  }

  #announce(name: string, since?: Position): ClientFrame {
    this.#isAnnounced = true;
    this.#reportedVisible = this.#isVisible;
    return { event: "got_a_new_user", name, tab: this.tab, visible: this.#isVisible, since };
  }

  /** Keeps the name and the request in step with this person's row. */
  #follow(before: User | undefined): void {
    const now = this.#ownRow;
    const asked = this.#request?.event;
    if (asked === "leave") {
      if (!now && this.#isAnswered) this.#request = undefined;
    } else if (now && this.#isAnnounced) {
      const isGranted = asked === "got_a_new_user" || before?.name !== now.name;
      if (this.#isRequestSent && isGranted) this.#request = undefined;
      // Another tab may have changed it.
      if (!this.#request) this.#name = now.name;
    } else if (before && !now && this.#isAnswered) {
      const reason = this.replica.reasons.get(before.id);
      // They left in another tab, or were removed: this tab does not list them again.
      if (reason !== "lost" && reason !== "closed") this.#name = undefined;
    }
    if (!now && this.#name === undefined) this.#isAnnounced = false;
  }

  #refused(of?: string): readonly ClientFrame[] {
    // Without a list no change applies: it is asked for until it comes.
    if (of === "resync") return [{ event: "resync" }];
    if (this.#isRequestSent && of === this.#request?.event) this.#request = undefined;
    if (of === "got_a_new_user") {
      this.#name = this.#isAnswered ? this.#ownRow?.name : undefined;
      this.#isAnnounced = Boolean(this.#name);
    }
    const isFirst = this.#hasSocket && !this.#isAnswered && of !== "watch";
    return isFirst ? [{ event: "watch", since: this.replica.position }] : [];
  }
}
