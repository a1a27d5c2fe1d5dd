// What <roll-call> says. A page in another language sets its own: `Object.assign(TEXTS, { hereNow: "da", … })`.

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
  people: "people",
  joined: "joined",
  left: "left",
};

export function number(count: number): string {
  return count.toLocaleString(TEXTS.language);
}

/** "Ana", ", ", "Bo", " and ", "7 more", each with whether it is one of `names` and their like. */
export function listParts(parts: readonly string[]): { type: string; value: string }[] {
  return new Intl.ListFormat(TEXTS.language).formatToParts(parts);
}
