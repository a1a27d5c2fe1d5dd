// Names for tests.

/** Equal names, other scripts and directions, emoji, markup, and names that are wider than a row. */
export const NAMES_OF_ALL_KINDS = [
  "Bo",
  "Ирина Петрова",
  "Kim",
  "Kim",
  "مريم الحداد",
  "Jürgen Weiß-Çelik",
  "李小龍",
  "A very long name that does not fit a row",
  "🙂 Sunny",
  "<b>neha</b>",
  "עדי 👩🏽‍🚀 Mae",
  "W".repeat(100),
];

/** Whose page it is, if they are listed, and which of the others are away. */
export interface Order {
  own?: string | undefined;
  away?: readonly string[];
}

/** These names as a page lists them: its own visitor, those who are here, those who are away, each by name. */
export function inPageOrder(names: readonly string[], { own, away = [] }: Order = {}): string[] {
  const others = [...names];
  const ownAt = own === undefined ? -1 : others.indexOf(own);
  const first = ownAt < 0 ? [] : others.splice(ownAt, 1);
  const key = (name: string) => name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const byName = (one: string, other: string) => (key(one) < key(other) ? -1 : Number(key(one) > key(other)));
  const isAway = (name: string) => away.includes(name);
  const sorted = others.toSorted(byName);
  return [...first, ...sorted.filter((name) => !isAway(name)), ...sorted.filter(isAway)];
}

/** So many names: "Person 1", "Person 2". */
export function numberedPeople(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Person ${index + 1}`);
}
