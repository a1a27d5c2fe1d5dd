// A checksum by which two lists are compared.

import type { User } from "./frames.js";

const encoder = new TextEncoder();
/** Rows never change: a changed row is another object. */
const hashes = new WeakMap<User, bigint>();

/** The sum of the hashes of the rows, whose order does not count; 16 lower-case hex digits. */
export function digest(users: Iterable<User>): string {
  let sum = 0n;
  for (const user of users) sum += hashOf(user);
  return BigInt.asUintN(64, sum).toString(16).padStart(16, "0");
}

function hashOf(user: User): bigint {
  let hash = hashes.get(user);
  if (hash === undefined) hashes.set(user, (hash = fnv1a(`${user.id}\0${user.name}\0${user.state}`)));
  return hash;
}

/** The 64-bit FNV-1a hash of a text's UTF-8, in two halves: a `BigInt` for each byte would be slow in a long list. */
export function fnv1a(text: string): bigint {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of encoder.encode(text)) {
    low ^= byte;
    // The prime is 2^40 + 0x1b3.
    const product = (low >>> 0) * 0x1b3;
    high = Math.imul(high, 0x1b3) + (low << 8) + (product / 2 ** 32 | 0);
    low = product | 0;
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
