// What <roll-call> says. A page in another language sets its own: `Object.assign(TEXTS, { hereNow: "da", … })`.

import type { User } from "./frames.js";

export const TEXTS = {
  /** For numbers and lists. */
  language: "en",
  whoIsHere: "Who is here",
  hereNow: "here now",
  away: "away",
  reconnecting: "reconnecting",
  nobody: "Nobody is here yet.",
  connecting: "Connecting…",
  notLive: "Not live. Reconnecting…",
  more: "more",
  joined: "joined",
  left: "left",
};

export function number(count: number): string {
  return count.toLocaleString(TEXTS.language);
}

/** How many people are named in one phrase. */
const MOST_NAMES = 3;

/** "Ana", ", ", "Bo", ", and ", "7 more": the names and the rest are of type `element`. */
export function namesPhrase(people: readonly User[]): { type: string; value: string }[] {
  const names = people.slice(0, MOST_NAMES).map(({ name }) => name);
  const rest = people.length - names.length;
  if (rest > 0) names.push(`${number(rest)} ${TEXTS.more}`);
  return new Intl.ListFormat(TEXTS.language).formatToParts(names);
}
