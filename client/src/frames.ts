// The frames of the wire protocol, version 1: docs/protocol.md says what each means.

/** Whether a person's page is in sight. */
export type PresenceState = "here" | "away" | "reconnecting";

/** Why a row was removed. */
export type DepartureReason = "left" | "closed" | "lost" | "removed";

/** One row of the list. */
export interface User {
  /** The same in every list of this room, and no proof of who it is. */
  readonly id: string;
  /** Text that a stranger chose: never markup. */
  readonly name: string;
  /** When the row was added, in whole seconds since the Unix epoch. */
  readonly joined: number;
  readonly state: PresenceState;
  /** What the name can be mistaken for, where there is such a text. */
  readonly look?: string | undefined;
  /** Another application vouches for the person, and most often for the name. */
  readonly verified?: boolean | undefined;
}

/** A row as it is sent: `here` is left out. */
export type WireUser = Omit<User, "state"> & { readonly state?: PresenceState };

/** A position in a room's log of changes. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** The net changes between two positions. Empty fields and empty groups are left out. */
export interface Difference {
  readonly disconnect_user?: { readonly [reason in DepartureReason]?: readonly string[] };
  readonly user_changed?: { readonly [state in PresenceState]?: readonly string[] } & {
    readonly renamed?: readonly { readonly id: string; readonly name: string; readonly look?: string }[];
  };
  readonly new_user?: readonly WireUser[];
}

export type ExistingUsers = Position & {
  readonly event: "existing_users";
  readonly you: string | null;
  readonly count: number;
  readonly users: readonly WireUser[];
};

export type Update = Difference & { readonly from: number; readonly seq: number };

/** A frame was not accepted. The message is a sentence for a person. */
export interface Refusal {
  /** The event of the frame, or none if a connection was refused. */
  readonly of?: string | undefined;
  readonly code: string;
  readonly message: string;
}

export type Refused = Refusal & { readonly event: "refused" };

export type ServerFrame =
  | ExistingUsers
  | { readonly event: "more_users"; readonly users: readonly WireUser[] }
  | (Update & { readonly event: "resumed"; readonly epoch: string; readonly you: string | null })
  | (Update & { readonly event: "changes" })
  | {
      readonly event: "beat";
      readonly seq: number;
      readonly count: number;
      readonly digest: string;
      /** The server has not heard the other servers since: the list is old. */
      readonly as_of?: number;
    }
  | Refused;

/** The first frame of a socket may have the token of this person. */
export type ClientFrame = { token?: string | undefined } & (
  | { event: "watch"; since: Position | undefined }
  | { event: "got_a_new_user"; name: string; tab: string; visible: boolean; since?: Position | undefined }
  | { event: "rename"; name: string }
  | { event: "visible"; visible: boolean }
  | { event: "leave" }
  | { event: "resync" }
);

/** Reads a frame; none where the text is no JSON object. */
export function readFrame(text: string): (ServerFrame & { readonly room?: string }) | undefined {
  try {
    return Object(JSON.parse(text));
  } catch {
    // What it changed, if anything, shows as a gap.
    return undefined;
  }
}
