// What people are called, so that a picture shows what may go wrong.

/** Twins, other scripts and directions, emoji, markup, and names that no row is wide enough for. */
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
  "W".repeat(40),
];

/** So many people of whom only the number counts: "Person 1", "Person 2". */
export function numberedPeople(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Person ${index + 1}`);
}
