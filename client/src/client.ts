// The package `rollcall-client`, and the file /client.js of a server.

export { Room, type RoomOptions, type Status } from "./room.js";
export type { Change, Departed } from "./change.js";
export type { DepartureReason, PresenceState, Refusal, User } from "./frames.js";
