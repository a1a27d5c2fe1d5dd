// When to reconnect after a connection was lost: exponential backoff with full jitter. Pure.

/** The bound after the first failure, in milliseconds. */
const BASE = 500;
/** The bound that no number of failures exceeds. */
const CAP = 15_000;
/** How long after a disconnect the server holds a row for its owner, and the bound until then: a client that reconnects
 * later loses its row. */
const ROW_IS_HELD = 15_000;
const CAP_WHILE_HELD = 3_000;

/**
 * A delay between zero and a bound that doubles with each failure, so that a thousand pages that lost the same server
 * do not all reconnect at once.
 */
export class Backoff {
  /** How many attempts in a row failed. */
  failures = 0;
  #disconnectedAt: number | undefined;

  /** Counts a failure, and returns how long to wait from `now`, in milliseconds; `random` is from 0 to below 1. */
  next(now: number, random: number): number {
    this.#disconnectedAt ??= now;
    const cap = now - this.#disconnectedAt < ROW_IS_HELD ? CAP_WHILE_HELD : CAP;
    return random * Math.min(BASE * 2 ** this.failures++, cap);
  }

  /** A list came over the connection: the next failure counts as the first. */
  reset(): void {
    this.failures = 0;
    this.#disconnectedAt = undefined;
  }
}
