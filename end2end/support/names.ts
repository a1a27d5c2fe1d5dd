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

/** So many names: "Person 1", "Person 2". */
export function numberedPeople(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Person ${index + 1}`);
}
