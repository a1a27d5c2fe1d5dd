// A copy of a room's list, brought forward by the server's frames. Pure.

import { digest } from "./digest.js";
import type {
  DepartureReason,
  Difference,
  ExistingUsers,
  Position,
  PresenceState,
  ServerFrame,
  Update,
  User,
  WireUser,
} from "./frames.js";

/** The rows of a list by id, in order of arrival. */
export type Rows = ReadonlyMap<string, User>;

/** What is on its way: pieces count together, when the last has come. */
type Incoming =
  | undefined
  | { readonly header: ExistingUsers; readonly users: readonly WireUser[]; readonly pieces?: never }
  | { readonly pieces: readonly Difference[]; readonly header?: never; readonly users?: never }
  /** The list was asked for; changes until then are ignored. */
  | "resync";

const STATES: readonly PresenceState[] = ["here", "away", "reconnecting"];

/**
 * The same state machine as `Replica` in app/src/client/replica.rs; test/recorded-frames.jsonl holds it to that.
 *
 * The list outlives the socket: while there is none, it stays as it was.
 */
export class Replica {
  /** A new map after each change. */
  rows: Rows = new Map();
  /** Where the list is, once a whole one has come. */
  position: Position | undefined;
  /** This person's own id in this room, listed or not. */
  you: string | null = null;
  /** Why rows were removed, by the last difference. */
  reasons: ReadonlyMap<string, DepartureReason> = new Map();
  #incoming: Incoming;

  /** Whether the list is whole, as far as this client can know, and nothing is on its way. */
  get isSynced(): boolean {
    return Boolean(this.position && !this.#incoming);
  }

  /** Whether it waits for a whole list. */
  get isWrong(): boolean {
    return this.#incoming === "resync";
  }

  /**
   * Takes in the next frame, and returns whether it follows on what came before. After a gap the list stays as it was
   * until a whole one comes.
   */
  receive(frame: ServerFrame): boolean {
    if (this.isWrong && frame.event !== "existing_users") return true;
    const follows = this.#take(frame);
    if (!follows) this.#incoming = "resync";
    return follows;
  }

  /** The socket or the feed ended: what was on its way never came. */
  disconnected(): void {
    // A list that was found to be wrong is nothing to go on from.
    if (this.isWrong) this.position = undefined;
    this.#incoming = undefined;
  }

  #take(frame: ServerFrame): boolean {
    const incoming = this.#incoming as Exclude<Incoming, "resync">;
    switch (frame.event) {
      case "existing_users":
        // It is right whatever came before it, and whatever was on its way.
        return this.#takeList(frame, frame.users);
      case "more_users":
        return Boolean(incoming?.header) && this.#takeList(incoming!.header!, [...incoming!.users!, ...frame.users]);
      case "resumed": {
        const follows = this.position?.epoch === frame.epoch && this.#update(frame);
        if (follows) this.you = frame.you;
        return follows;
      }
      case "changes":
        return this.#update(frame);
      case "beat":
        if (incoming || !this.position) return !incoming;
        return (
          this.position.seq === frame.seq &&
          this.rows.size === frame.count &&
          digest(this.rows.values()) === frame.digest
        );
      default:
        return true;
    }
  }

  #takeList(header: ExistingUsers, users: readonly WireUser[]): boolean {
    const { epoch, seq, you, count } = header;
    if (users.length < count) {
      this.#incoming = { header, users };
      return true;
    }
    const rows = new Map(users.map((user) => [user.id, row(user)]));
    if (users.length > count || rows.size < count) return false;
    this.rows = rows;
    this.reasons = new Map();
    this.position = { epoch, seq };
    this.you = you;
    this.#incoming = undefined;
    return true;
  }

  #update(piece: Update): boolean {
    const { from, seq } = piece;
    const { position } = this;
    const incoming = this.#incoming as Exclude<Incoming, "resync">;
    if (position?.seq !== from || seq < from || incoming?.header) return false;
    const pieces = [...(incoming?.pieces ?? []), piece];
    // Without a change the count does not move: what says something and moves nothing is a piece.
    if (seq === from && isChange(piece)) {
      this.#incoming = { pieces };
      return true;
    }
    if (pieces.some(isChange) && !this.#apply(pieces)) return false;
    this.#incoming = undefined;
    this.position = { epoch: position.epoch, seq };
    return true;
  }

  /** Applies a difference completely, or not at all if it does not fit the rows. */
  #apply(pieces: readonly Difference[]): boolean {
    const rows = new Map(this.rows);
    const reasons = new Map<string, DepartureReason>();
    let fits = true;
    const change = (id: string, changed: Partial<User>) => {
      const old = rows.get(id);
      if (old) rows.set(id, { ...old, ...changed });
      else fits = false;
    };
    for (const { disconnect_user = {} } of pieces) {
      for (const [reason, ids] of Object.entries(disconnect_user)) {
        for (const id of ids) {
          fits &&= rows.delete(id);
          reasons.set(id, reason as DepartureReason);
        }
      }
    }
    for (const { user_changed = {} } of pieces) {
      for (const state of STATES) for (const id of user_changed[state] ?? []) change(id, { state });
      // A name's look goes with it.
      for (const renamed of user_changed.renamed ?? []) change(renamed.id, { look: undefined, ...renamed });
    }
    for (const { new_user = [] } of pieces) {
      for (const user of new_user) {
        fits &&= !rows.has(user.id);
        rows.set(user.id, row(user));
      }
    }
    if (fits) {
      this.rows = rows;
      this.reasons = reasons;
    }
    return fits;
  }
}

function isChange({ disconnect_user, user_changed, new_user }: Difference): boolean {
  return Boolean(disconnect_user || user_changed || new_user);
}

function row(user: WireUser): User {
  return { state: "here", ...user };
}
