// When a connection counts as dead, and why none is opened.

import type { Refused } from "./frames.js";

/** How long an attempt may take until its first frame, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;
/** How long the server may be silent, in milliseconds: it sends a beat every 10 s. */
const IDLE_TIMEOUT = 15_000;
const CHECK_INTERVAL = 1_000;

/**
 * Calls `onSilence` when nothing came for too long, at each check until it is stopped.
 *
 * It checks once a second: a single timer stands still while the computer sleeps.
 */
export function startWatchdog(onSilence: () => void): { reset(): void; stop(): void } {
  let lastAt = Date.now();
  let timeout = CONNECT_TIMEOUT;
  const timer = setInterval(() => {
    // A clock that was set back must not hide a dead connection.
    if (Math.abs(Date.now() - lastAt) >= timeout) onSilence();
  }, CHECK_INTERVAL);
  return {
    reset: () => {
      lastAt = Date.now();
      timeout = IDLE_TIMEOUT;
    },
    stop: () => clearInterval(timer),
  };
}

/** Asks the server why it refuses a connection, which browsers don't tell scripts; none if it would accept one. */
export async function refusalOf(server: string, room: string): Promise<Refused | undefined> {
  try {
    const response = await fetch(`${server}r/${room}/socket${globalThis.location ? `?origin=${location.origin}` : ""}`, {
      cache: "no-store",
      credentials: "omit",
    });
    // It asks for an upgrade where it would accept a socket.
    return response.status === 426 ? undefined : { event: "refused", ...(await response.json()) };
  } catch {
    // It can't be reached, or something else answers in its place.
    return undefined;
  }
}
