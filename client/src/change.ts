// What differs between two lists. Pure.

import type { DepartureReason, User } from "./frames.js";
import type { Rows } from "./replica.js";

/** A person whose row was removed. */
export interface Departed extends User {
  /** Why, if this client has heard it: it was not connected all the time. */
  readonly reason?: DepartureReason | undefined;
}

/** The net change between two lists. All three are empty if only the order changed. */
export interface Change {
  readonly joined: readonly User[];
  readonly left: readonly Departed[];
  /** Who has a new name or state, as they are now. */
  readonly changed: readonly User[];
}

export function changeBetween(
  before: Rows,
  after: Rows,
  reasons: ReadonlyMap<string, DepartureReason> = new Map(),
): Change {
  const isSameRow = (one: User, other: User | undefined) => one.joined === other?.joined;
  return {
    joined: [...after.values()].filter((user) => !isSameRow(user, before.get(user.id))),
    left: [...before.values()]
      .filter((user) => !isSameRow(user, after.get(user.id)))
      .map((user) => ({ ...user, reason: reasons.get(user.id) })),
    changed: [...after.values()].filter((user) => {
      const old = before.get(user.id);
      return old && isSameRow(user, old) && (old.name !== user.name || old.state !== user.state);
    }),
  };
}
