// The frames of docs/protocol.md, defined again on purpose: with the product's own types a test would share
// its errors.

export interface User {
  id: string;
  name: string;
  joined: number;
  state?: "away" | "reconnecting";
}

export type Reason = "left" | "closed" | "lost" | "removed";

/** The net changes between two positions. */
export interface Difference {
  disconnect_user?: Partial<Record<Reason, string[]>>;
  user_changed?: {
    here?: string[];
    away?: string[];
    reconnecting?: string[];
    renamed?: { id: string; name: string }[];
  };
  new_user?: User[];
}

export interface ExistingUsers {
  event: "existing_users";
  epoch: string;
  seq: number;
  you: string | null;
  now: number;
  count: number;
  users: User[];
}

export interface MoreUsers {
  event: "more_users";
  users: User[];
}

export interface Resumed extends Difference {
  event: "resumed";
  epoch: string;
  from: number;
  seq: number;
  you: string | null;
  now: number;
}

export interface Changes extends Difference {
  event: "changes";
  from: number;
  seq: number;
}

export interface Beat {
  event: "beat";
  seq: number;
  count: number;
  digest: string;
  now: number;
}

export interface Refused {
  event: "refused";
  of?: string;
  code: string;
  message: string;
}

export type ServerFrame = ExistingUsers | MoreUsers | Resumed | Changes | Beat | Refused;

export interface ClientFrame {
  event: "watch" | "got_a_new_user" | "rename" | "visible" | "leave" | "resync";
  name?: string;
  tab?: string;
  visible?: boolean;
  since?: { epoch: string; seq: number };
}

/** The added rows of these frames. */
export function newUsers(frames: readonly ServerFrame[]): User[] {
  return frames.flatMap((frame) => ("new_user" in frame ? (frame.new_user ?? []) : []));
}

/** The ids of the removed rows of these frames, for any reason. */
export function disconnectedUsers(frames: readonly ServerFrame[]): string[] {
  return frames.flatMap((frame) =>
    "disconnect_user" in frame ? Object.values(frame.disconnect_user ?? {}).flat() : [],
  );
}

/** The changes of these frames, in order. */
export function changesIn(frames: readonly ServerFrame[]): Difference[] {
  return frames.flatMap((frame) => {
    if (frame.event !== "changes" && frame.event !== "resumed") return [];
    const { disconnect_user, user_changed, new_user } = frame;
    const difference = {
      ...(disconnect_user && { disconnect_user }),
      ...(user_changed && { user_changed }),
      ...(new_user && { new_user }),
    };
    return Object.keys(difference).length > 0 ? [difference] : [];
  });
}
