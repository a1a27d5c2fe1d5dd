// The rows of a roll's table: who is missing, came late, is to be checked, is not on the list, and is here. Pure.

/** @typedef {import("./roll-match.js").Person} Person */
/** @typedef {import("./roll-match.js").Result & { names: import("./roll-match.js").Expected[],
 * late: import("./roll-match.js").Match[] }} State */

/** The rows: the missing first, and everybody else in the order of the sheet. The columns are status, name, time of
 * arrival, and the name under which somebody is here.
 * @template Time
 * @param {State} state
 * @param {(key: string) => string} say
 * @param {(seconds: number) => Time} time
 * @returns {(string | Time)[][]} */
export function rowsOf({ names, here, late, questions, strangers, unclear }, say, time) {
  /** @type {(status: string, name: string, person?: Person, as?: string) => (string | Time)[]} */
  const row = (status, name, person, as = "") => [say(status), name, person ? time(person.joined) : "", as];
  /** @type {(status: string, match: import("./roll-match.js").Match) => (string | Time)[]} */
  const rowOfMatch = (status, { expected: { name }, people: [first] }) =>
    row(status, name, first, first && first.name !== name ? first.name : "");
  const come = new Set([...here, ...late].map(({ expected }) => expected.key));
  const toCheck = unclear.filter(({ key }) => !come.has(key));
  const open = new Set(unclear.map(({ key }) => key));
  // Of a question, the names that are not here yet have the rows.
  const withoutRow = questions.filter(({ candidates }) => candidates.every(({ key }) => !open.has(key)));
  return [
    ...names.filter(({ key }) => !come.has(key) && !open.has(key)).map(({ name }) => row("missing", name)),
    ...late.map((match) => rowOfMatch("late", match)),
    ...toCheck.map((expected) => {
      const people = questions.filter(({ candidates }) => candidates.includes(expected)).map(({ person }) => person);
      const only = people.length === 1 ? people[0] : undefined;
      return row("unclear", expected.name, only, people.map(({ name }) => name).join(", "));
    }),
    ...withoutRow.map(({ person }) => row("unclear", person.name, person)),
    ...strangers.map((person) => row("not-listed", person.name, person)),
    ...here.map((match) => rowOfMatch(stateOf(match.people), match)),
  ];
}

/** The best state of several rows of one person.
 * @param {readonly Person[]} people */
export function stateOf(people) {
  const states = new Set(people.map(({ state = "here" }) => state));
  return ["here", "away", "reconnecting"].find((state) => states.has(state)) ?? "here";
}
