// Frames as a server sends them.

import type { Difference, ServerFrame, User, WireUser } from "../../src/frames.js";

export const EPOCH = "e1";

export function wireUser(number: number, name = `Name ${number}`): WireUser {
  return { id: idOf(number), name, joined: number };
}

export function user(number: number, name?: string): User {
  return { ...wireUser(number, name), state: "here" };
}

export function idOf(number: number): string {
  return `user-----${String(number).padStart(2, "0")}`;
}

export function list(seq: number, numbers: readonly number[], { you = null as string | null, count = numbers.length } = {}): ServerFrame {
  return { event: "existing_users", epoch: EPOCH, seq, you, count, users: numbers.map((number) => wireUser(number)) };
}

export function changes(from: number, seq: number, difference: Difference = {}): ServerFrame {
  return { event: "changes", from, seq, ...difference };
}

export function resumed(from: number, seq: number, difference: Difference = {}, you: string | null = null): ServerFrame {
  return { event: "resumed", epoch: EPOCH, from, seq, you, ...difference };
}

export function refused(of: string, code = "name_empty"): ServerFrame {
  return { event: "refused", of, code, message: "Type a name." };
}
