// The entry `rollcall-client/react`.

import { useEffect, useState } from "react";

import { Room, type RoomOptions, type Status, type User } from "./client.js";

export interface Rollcall {
  readonly users: readonly User[];
  readonly you: string | null;
  readonly status: Status;
  /** To join, rename or leave; none before the first effect, and on a server. */
  readonly room: Room | undefined;
}

const NOTHING_YET: Rollcall = { users: [], you: null, status: "connecting", room: undefined };

/** Who is in a room, for as long as the component is mounted. */
export function useRollcall(room: string | Omit<RoomOptions, "signal">): Rollcall {
  const [rollcall, update] = useState(NOTHING_YET);
  const options = typeof room === "string" ? { room } : room;
  // Objects are new at each rendering: what is in them counts.
  const key = JSON.stringify(options);
  useEffect(() => {
    const followed = new Room(JSON.parse(key) as RoomOptions);
    const show = () => update({ users: followed.users, you: followed.you, status: followed.status, room: followed });
    show();
    followed.on("change", show);
    followed.on("status", show);
    return () => followed.close();
  }, [key]);
  return rollcall;
}
