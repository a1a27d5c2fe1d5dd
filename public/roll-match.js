// Who of an expected list is here. It compares names, touches no page, and never guesses between two people: what is
// not equal becomes a question.

/**
 * @typedef {{ id: string, name: string, joined: number, state?: string }} Person One row of the room's list.
 * @typedef {{ words: string[], key: string, sorted: string, rotations: string[], spelled: string[], compact: string[], letters: number }}
 * Key What a name is compared by; `letters` has a bit for each letter in it.
 * @typedef {Key & { name: string, whole: string, note: string }} Expected One name of the expected list. `key` is of no
 * other one; `whole` is the key of the name with its note, and `note` what stands behind it in brackets.
 * @typedef {{ names: Expected[], repeated: { name: string, times: number }[], ranks: Map<string, Ranked[]> }} Roll
 * @typedef {{ expected: Expected, rank: number }} Ranked
 * @typedef {{ id: string, person: string, expected: string, isSame: boolean }} Answer Whether a person, by id and by
 * the key of the name, is an expected one, by key.
 * @typedef {{ expected: Expected, people: Person[], answered: Person[] }} Match The person of an expected name, in
 * several rows where they are here twice; `answered` are the rows that an answer assigned.
 * @typedef {{ person: Person, candidates: Expected[] }} Question
 * @typedef {{ total: number, here: Match[], unclear: Expected[], missing: Expected[], questions: Question[],
 * strangers: Person[] }} Result Each expected name is in one of `here`, `unclear` (a question is about it) and `missing`.
 */

/** What people type for letters that have no decomposition, as in search_key.rs. */
const PLAIN_LETTERS = new Map([
  ...["ßss", "æae", "œoe", "þth", "đd", "ðd", "ħh", "ıi", "łl", "øo", "ŧt", "ςσ", "ґг"],
  ...["ךכ", "םמ", "ןנ", "ףפ", "ץצ", "ٱا", "ةه", "ہه", "ھه", "ىي", "یي", "کك"],
].map((pair) => /** @type {[string, string]} */ ([pair.slice(0, 1), pair.slice(1)])));

/** Accents and points, but for the marks that make another kana of one. Vowel signs of other scripts are letters. */
const ACCENTS = /(?![\u3099\u309a])[\p{Script=Inherited}\u0591-\u05c7\u0640]/gu;
/** How people write letters for which their keyboard has no key. */
const DIGRAPHS = new Map([["ä", "ae"], ["ö", "oe"], ["ü", "ue"], ["ø", "oe"], ["å", "aa"]]);
/** "(ill)" behind a name. */
const NOTE = /^(.*[^\s(（[])\s*[(（[]([^()（）[\]]*)[)）\]]$/u;
const APOSTROPHES = /['`´‘-‛′ʹ-ʿꞌ׳]/gu;
/** Scripts that are written without spaces. */
const WITHOUT_SPACES = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー ]+$/u;

/** How different two names may be at most, in letters, by the length of the longer one. */
const MOST_DIFFERENT = [0, 0, 0, 0, 1, 1, 1, 1, 2];
/** The most candidates of a question. */
const MOST_CANDIDATES = 6;
/** How a name can resemble another, best first. */
const RANK = { otherOrder: 0, spelling: 1, part: 2, shortForm: 3 };
/** The fewest letters of a family name that two people are compared by. */
const SHORTEST_FAMILY_NAME = 3;

/**
 * The words of a name without case, accents, width and punctuation. "Lopez, Maria" is Maria Lopez.
 * @param {string} name
 */
export function wordsOf(name) {
  const [, last, first] = /^([^,]+),([^,]+)$/.exec(name) ?? [];
  const text = last && first ? `${first} ${last}` : name;
  const plain = text
    .normalize("NFKD")
    .toLowerCase()
    // Not an accent but another letter.
    .replaceAll("и\u0306", "й")
    .replace(APOSTROPHES, "")
    .replace(ACCENTS, "")
    .normalize("NFC")
    .replace(/[\p{P}\p{S}\p{C}\p{Z}\s]+/gu, " ");
  const letters = Array.from(plain, (letter) => PLAIN_LETTERS.get(letter) ?? letter).join("");
  // A name may consist of symbols only.
  return (letters.trim() || text.trim()).split(/\s+/);
}

/** What is equal for names that are the same in the same order.
 * @param {readonly string[]} words */
function join(words) {
  const text = words.join(" ");
  return WITHOUT_SPACES.test(text) ? text.replaceAll(" ", "") : text;
}

/** Keys of names that were compared lately: after most changes nearly all names are as before.
 * @type {Map<string, Key>} */
const keys = new Map();
const MOST_KEYS = 20_000;

/** @param {string} name */
function keyOf(name) {
  const known = keys.get(name);
  if (known) return known;
  if (keys.size >= MOST_KEYS) keys.clear();
  const key = newKey(name);
  keys.set(name, key);
  return key;
}

/** The rotations are the names with their first words at the end: "Maria Lopez" and "Lopez Maria", and not "Jose Maria"
 * for "Maria Jose Lopez".
 * @param {string} name
 * @returns {Key} */
function newKey(name) {
  const words = wordsOf(name);
  const rotations = rotationsOf(words);
  const digraphs = name.normalize("NFC").toLowerCase().replace(/[äöüøå]/gu, (letter) => DIGRAPHS.get(letter) ?? letter);
  const spelled = digraphs === name.normalize("NFC").toLowerCase() ? [] : rotationsOf(wordsOf(digraphs));
  const compact = rotations.map((text) => text.replaceAll(" ", ""));
  const letters = Array.from(compact[0] ?? "").reduce((bits, letter) => bits | (1 << letter.charCodeAt(0) % 32), 0);
  return { words, key: rotations[0] ?? "", sorted: [...words].sort().join(" "), rotations, spelled, compact, letters };
}

/** @param {readonly string[]} words */
function rotationsOf(words) {
  return words.map((_, index) => join([...words.slice(index), ...words.slice(0, index)]));
}

/** The expected list. A name that stands in it twice counts once, unless different notes make two people of it:
 * "Ana (7a)" and "Ana (7b)", or "Ana" and "Ana (2)".
 * @param {readonly string[]} names
 * @returns {Roll} */
export function rollOf(names) {
  /** The names that are equal but for their notes.
   * @type {Map<string, (Expected & { times: number })[]>} */
  const byName = new Map();
  /** @type {Set<string>} */
  const keys = new Set();
  for (const name of names) {
    const [, withoutNote = name, text = ""] = NOTE.exec(name) ?? [];
    const key = keyOf(withoutNote);
    const { key: whole } = keyOf(name);
    const note = text.trim().toLowerCase();
    const namesakes = byName.get(key.key) ?? [];
    byName.set(key.key, namesakes);
    const known = namesakes.find((other) => isSameNote(other.note, note));
    if (known) {
      known.times += 1;
      continue;
    }
    const own = [key.key, whole].find((candidate) => !keys.has(candidate)) ?? `${whole} ${names.length + keys.size}`;
    keys.add(own);
    namesakes.push({ ...key, key: own, name, whole, note, times: 1 });
  }
  const all = [...byName.values()].flat();
  return { names: all, repeated: all.filter(({ times }) => times > 1), ranks: new Map() };
}

/** A number tells two people apart, and any other note only from another note.
 * @param {string} one
 * @param {string} other */
function isSameNote(one, other) {
  const isNumber = /^\d+$/.test(one || other);
  return one === other || (!isNumber && (one === "" || other === ""));
}

/** Who of the expected ones is here.
 * @param {Roll} roll
 * @param {readonly Person[]} people
 * @param {readonly Answer[]} answers
 * @returns {Result} */
export function matchRoll(roll, people, answers) {
  const byKey = new Map(roll.names.map((expected) => [expected.key, expected]));
  const namesakes = namesakesOf(roll);
  const groups = groupByName(people);
  /** @type {Map<string, Match>} */
  const matches = new Map();
  /** @type {(expected: Expected, people: readonly Person[], answered?: readonly Person[]) => void} */
  const assign = (expected, people, answered = []) => {
    const match = matches.get(expected.key) ?? { expected, people: [], answered: [] };
    matches.set(expected.key, match);
    match.people.push(...people);
    match.answered.push(...answered);
  };

  const others = [...groups.values()].filter((group) => {
    const expected = namesakes.get(group.key) ?? [];
    // Of two people of one name it is not known which one is here, unless both are.
    const isCertain = expected.length > 0 && group.people.length >= expected.length;
    const last = expected.length - 1;
    if (isCertain) expected.forEach((one, place) => assign(one, group.people.slice(place, place === last ? undefined : place + 1)));
    return !isCertain;
  });
  for (const [expected, group] of uniqueRotations(roll, others)) {
    if (matches.has(expected.key)) continue;
    assign(expected, group.people);
    others.splice(others.indexOf(group), 1);
  }
  const open = others.flatMap((group) => group.people.map((person) => ({ person, group })));
  const unknown = open.filter(({ person, group }) => {
    const yes = answersFor(person, group, answers).find(({ isSame }) => isSame);
    const expected = yes && byKey.get(yes.expected);
    if (expected) assign(expected, [person], [person]);
    return !expected;
  });

  const familyNames = familyNamesOf(roll, groups);
  /** @type {Question[]} */
  const questions = [];
  /** @type {Person[]} */
  const strangers = [];
  for (const { person, group } of unknown) {
    const no = new Set(answersFor(person, group, answers).map(({ expected }) => expected));
    /** @type {(ranked: Ranked) => boolean} */
    const isOpen = ({ expected, rank }) =>
      !matches.has(expected.key) || (rank === RANK.otherOrder && expected.rotations[0] !== group.key);
    const ranked = ranksOf(roll, group).filter(isOpen);
    const best = ranked.filter(({ rank }) => rank === ranked[0]?.rank);
    const relative = familyNames.get(group.key);
    const similar = best.length > 0 || !relative || matches.has(relative.key) ? best.map(({ expected }) => expected) : [relative];
    const candidates = similar.filter(({ key }) => !no.has(key));
    if (candidates.length > 0) questions.push({ person, candidates: candidates.slice(0, MOST_CANDIDATES) });
    else strangers.push(person);
  }
  const here = roll.names.flatMap(({ key }) => matches.get(key) ?? []);
  const asked = new Set(questions.flatMap(({ candidates }) => candidates));
  const rest = roll.names.filter(({ key }) => !matches.has(key));
  const unclear = rest.filter((expected) => asked.has(expected));
  const missing = rest.filter((expected) => !asked.has(expected));
  return { total: roll.names.length, here, unclear, missing, questions, strangers };
}

/** The answer that a visitor gave about a person, to be remembered with the list.
 * @param {Person} person
 * @param {Expected} expected
 * @param {boolean} isSame
 * @returns {Answer} */
export function answer(person, expected, isSame) {
  return { id: person.id, person: keyOf(person.name).key, expected: expected.key, isSame };
}

/** Whether an answer is about this person.
 * @param {Answer} answer
 * @param {Person} person */
export function isAbout(answer, person) {
  return answer.person === keyOf(person.name).key;
}

/** @typedef {Key & { people: Person[] }} Group People of one name. */

/** @param {readonly Person[]} people */
function groupByName(people) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const person of people) {
    const key = keyOf(person.name);
    const group = groups.get(key.key);
    if (group) group.people.push(person);
    else groups.set(key.key, { ...key, people: [person] });
  }
  return groups;
}

/** The expected people of each name: several where notes tell them apart. Whoever uses the whole text is found too.
 * @param {Roll} roll */
function namesakesOf(roll) {
  /** @type {Map<string, Expected[]>} */
  const namesakes = new Map();
  for (const expected of roll.names) {
    const [key = ""] = expected.rotations;
    const known = namesakes.get(key);
    if (known) known.push(expected);
    else namesakes.set(key, [expected]);
  }
  for (const expected of roll.names) if (!namesakes.has(expected.whole)) namesakes.set(expected.whole, [expected]);
  return namesakes;
}

/** By the key of a name in the room, the expected name with the same family name, if nobody else has it: "Katya Ivanova"
 * may be Ekaterina Ivanova.
 * @param {Roll} roll
 * @param {ReadonlyMap<string, Group>} groups */
function familyNamesOf(roll, groups) {
  const expected = uniqueByFamilyName(roll.names);
  /** @type {Map<string, Expected>} */
  const found = new Map();
  for (const [familyName, { key }] of uniqueByFamilyName([...groups.values()])) {
    const same = expected.get(familyName);
    if (same) found.set(key, same);
  }
  return found;
}

/** @template {Key} Named
 * @param {readonly Named[]} all
 * @returns {Map<string, Named>} */
function uniqueByFamilyName(all) {
  /** @type {Map<string, Named>} */
  const unique = new Map();
  /** @type {Set<string>} */
  const seen = new Set();
  for (const named of all) {
    const familyName = named.words.length > 1 ? (named.words.at(-1) ?? "") : "";
    if (familyName.length < SHORTEST_FAMILY_NAME || /\d/.test(familyName)) continue;
    if (seen.has(familyName)) unique.delete(familyName);
    else unique.set(familyName, named);
    seen.add(familyName);
  }
  return unique;
}

/** The names that are one of the list in the other order or with "oe" for "ö", where that is unique on both sides.
 * @param {Roll} roll
 * @param {readonly Group[]} groups
 * @returns {[Expected, Group][]} */
function uniqueRotations(roll, groups) {
  /** @type {Map<string, Set<Expected>>} */
  const byRotation = new Map();
  for (const expected of roll.names) {
    for (const key of [...expected.rotations, ...expected.spelled]) {
      const known = byRotation.get(key);
      if (known) known.add(expected);
      else byRotation.set(key, new Set([expected]));
    }
  }
  /** @type {Map<Expected, Group[]>} */
  const claims = new Map();
  for (const group of groups) {
    const found = new Set([...group.rotations, ...group.spelled].flatMap((key) => [...(byRotation.get(key) ?? [])]));
    const [only] = found;
    if (only && found.size === 1) claims.set(only, [...(claims.get(only) ?? []), group]);
  }
  return [...claims].flatMap(([expected, [first, ...more]]) =>
    first && more.length === 0 ? [/** @type {[Expected, Group]} */ ([expected, first])] : [],
  );
}

/** The answers about a person. One about somebody else of that name counts while there is only one of it.
 * @param {Person} person
 * @param {Group} group
 * @param {readonly Answer[]} answers */
function answersFor(person, group, answers) {
  const ofName = answers.filter((answer) => answer.person === group.key);
  const own = ofName.filter(({ id }) => id === person.id);
  if (own.length > 0 || group.people.length > 1) return own;
  return new Set(ofName.map(({ id }) => id)).size === 1 ? ofName : [];
}

/** The names of the list that a name may stand for, the most similar first.
 * @param {Roll} roll
 * @param {Group} group */
function ranksOf(roll, group) {
  let ranked = roll.ranks.get(group.key);
  if (!ranked) {
    ranked = roll.names.flatMap((expected) => {
      const rank = resemblance(group, expected);
      return rank === undefined ? [] : [{ expected, rank }];
    });
    ranked.sort((one, other) => one.rank - other.rank);
    roll.ranks.set(group.key, ranked);
  }
  return ranked;
}

/** How two different names resemble each other.
 * @param {Key} one
 * @param {Key} other */
function resemblance(one, other) {
  if (one.sorted === other.sorted || one.rotations.includes(other.key)) return RANK.otherOrder;
  if (isOtherSpelling(one, other)) return RANK.spelling;
  const [short, long] = one.words.length <= other.words.length ? [one.words, other.words] : [other.words, one.words];
  if (!short.some((word) => word.length > 1)) return undefined;
  if (short.some((word) => word.length > 1 && long.includes(word)) && isPart(short, long, isInitial)) return RANK.part;
  return isPart(short, long, isShortForm) ? RANK.shortForm : undefined;
}

/** @param {Key} one
 * @param {Key} other */
function isOtherSpelling(one, other) {
  // Each letter that differs takes one away and brings another: this is much faster than to compare them in order.
  let differing = one.letters ^ other.letters;
  for (let bits = 0; differing !== 0; bits += 1) {
    if (bits === 4) return false;
    differing &= differing - 1;
  }
  const [compact = ""] = other.compact;
  return one.compact.some((text) => isSimilar(text, compact));
}

/** Whether each word stands for another one of the longer name.
 * @param {readonly string[]} short
 * @param {readonly string[]} long
 * @param {(word: string, other: string) => boolean} standsFor */
function isPart(short, long, standsFor) {
  // Most pairs of names end here, so it comes before anything is copied.
  const isAny = (/** @type {string} */ word) => long.some((other) => standsFor(word, other) || standsFor(other, word));
  if (!short.every(isAny)) return false;
  const free = [...long];
  // Equal words first, so that none of them is taken by an initial.
  const order = [...short].sort((one, other) => Number(long.includes(other)) - Number(long.includes(one)));
  return order.every((word) => {
    const equal = free.indexOf(word);
    const place = equal >= 0 ? equal : free.findIndex((other) => standsFor(word, other) || standsFor(other, word));
    if (place >= 0) free.splice(place, 1);
    return place >= 0;
  });
}

/** @param {string} word
 * @param {string} other */
function isInitial(word, other) {
  return word === other || (word.length === 1 && other.startsWith(word));
}

/** "Max" for Maximilian, "Beth" for Elizabeth, "Zé" for José, "Jon" for John.
 * @param {string} word
 * @param {string} other */
function isShortForm(word, other) {
  if (word.length < 2) return isInitial(word, other);
  if (word[0] === other[0]) return other.startsWith(word) || isSimilar(word, other);
  if (word.length >= other.length || word.at(-1) !== other.at(-1)) return false;
  return other.endsWith(word) || heard(other).endsWith(heard(word));
}

/** @param {string} word */
function heard(word) {
  return word.replaceAll("z", "s");
}

/** Whether few letters differ: another one, one more or less, or two in the other order.
 * @param {string} one
 * @param {string} other */
export function isSimilar(one, other) {
  const longest = Math.max(one.length, other.length);
  const most = MOST_DIFFERENT[Math.min(longest, MOST_DIFFERENT.length - 1)] ?? 0;
  if (one === other) return true;
  if (most === 0 || Math.abs(one.length - other.length) > most) return false;
  /** @type {number[]} */
  let beforePrevious = [];
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const changed = (previous[column - 1] ?? 0) + (isSame ? 0 : 1);
      let fewest = Math.min(changed, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (row > 1 && column > 1 && isSwapped) fewest = Math.min(fewest, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(fewest);
    }
    if (Math.min(...current) > most) return false;
    beforePrevious = previous;
    previous = current;
  }
  return (previous[other.length] ?? 0) <= most;
}
