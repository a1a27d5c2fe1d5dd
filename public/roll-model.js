// The expected list of a room, which stays in this browser, and who of it is here.

// Of the same build: a cache may hold that of another one.
const { search } = new URL(import.meta.url);
const [{ namesIn }, { answer, isAbout, matchRoll, rollOf }] = await Promise.all([
  import(`./roll-names.js${search}`),
  import(`./roll-match.js${search}`),
]);

const NOTHING = { text: "", answers: [], rolls: [], shownAt: undefined };
/** How many called rolls of a room are kept. */
const MOST_ROLLS = 5;
/** For how long after a call somebody comes late, in milliseconds: later they come for something else. */
const LATE_TIME = 4 * 60 * 60_000;

let key;
let room;
/** What is stored: the text as it was typed, the answers, the last called rolls, latest first, and the time of the one
 * that the sheet shows. A called roll is `{ time, text, people, late }`: its list, who was here, and who came since. */
let kept = NOTHING;
/** What `clear` and `deleteRolls` removed, until the next change. */
let removed;
/** The names in the text, and how many of it are used if not all are. */
let roll = rollOf([]);
let used;
let people = [];
/** Whether the list of people has come, and whether it is live. */
let hasPeople = false;
let isLive = false;
let isStorable = true;
let following;
const listeners = new Set();

/** What `state` returned since the last change. */
let current;

/** Everything that views show of who is here now. */
export function state() {
  current ??= compute();
  return current;
}

function compute() {
  const live = { ...matchRoll(roll, people, kept.answers), names: roll.names, isReady: hasPeople };
  return {
    text: kept.text,
    repeated: roll.repeated,
    rolls: kept.rolls,
    used,
    isLive,
    isStorable,
    isUndoable: removed !== undefined,
    answers: kept.answers,
    ...live,
    strangers: withoutVisitor(live.strangers),
  };
}

/** The visitor may take the roll without being on the list. */
function withoutVisitor(strangers) {
  const own = document.querySelector("#roster > .is-you")?.dataset.userId;
  return strangers.filter(({ id }) => id !== own);
}

/** What the sheet shows: the called roll that the visitor chose, as it was called, or who is here now. */
export function shownState() {
  const now = state();
  const called = kept.rolls.find(({ time }) => time === kept.shownAt);
  if (!called) return { ...now, late: [], calledAt: undefined };
  const { names, repeated } = rollOfText(called.text);
  const result = resultOf(called);
  const strangers = withoutVisitor(result.strangers);
  const late = lateOf(called, result);
  return { ...now, ...result, strangers, names, repeated, late, calledAt: called.time, isReady: true };
}

/** The lists of called rolls, which seldom change. */
const rolls = new Map();

function rollOfText(text) {
  if (rolls.size > MOST_ROLLS) rolls.clear();
  if (!rolls.has(text)) rolls.set(text, rollOf(namesIn(text).names));
  return rolls.get(text);
}

/** Who was here when a roll was called. */
export function resultOf(called) {
  return matchRoll(rollOfText(called.text), called.people, kept.answers);
}

/** Who of a called roll came since. */
function lateOf(called, { here }) {
  const wasHere = new Set(here.map(({ expected }) => expected.key));
  const { here: now } = matchRoll(rollOfText(called.text), [...called.people, ...called.late], kept.answers);
  return now.filter(({ expected }) => !wasHere.has(expected.key));
}

/** Keeps with the latest roll who came since it was called. */
function noteLate() {
  const [latest, ...others] = kept.rolls;
  if (!latest || !hasPeople || now() - latest.time > LATE_TIME) return;
  const { unclear, missing } = resultOf(latest);
  const open = new Set([...unclear, ...missing].map(({ key }) => key));
  for (const { expected } of lateOf(latest, resultOf(latest))) open.delete(expected.key);
  if (open.size === 0) return;
  const known = new Set([...latest.people, ...latest.late].map(({ id }) => id));
  const came = matchRoll(rollOfText(latest.text), people, kept.answers).here.filter(({ expected }) => open.has(expected.key));
  const rows = came.flatMap((match) => match.people.slice(0, 1)).filter(({ id }) => !known.has(id));
  if (rows.length > 0) keep({ ...kept, rolls: [{ ...latest, late: [...latest.late, ...rows] }, ...others] }, removed);
}

/** Loads the list of the room; only the first call has an effect. */
export function begin(sheet) {
  if (key) return;
  ({ key, room } = sheet.dataset);
  read();
  // Another tab of this browser has changed it.
  addEventListener("storage", (event) => event.key === key && read());
}

/** Calls `listener` after each change. Returns what ends that. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The list as it is typed. */
export function setText(text) {
  keep({ ...kept, text });
}

/** Remembers whether a person is an expected one. */
export function setAnswer(person, expected, isSame) {
  const others = kept.answers.filter((other) => !(isAbout(other, person) && other.expected === expected.key));
  keep({ ...kept, answers: [...others, answer(person, expected, isSame)] });
}

export { isAbout as isAnswerAbout };

/** Forgets the answers about a person. */
export function forgetAnswers(person) {
  keep({ ...kept, answers: kept.answers.filter((other) => !isAbout(other, person)) });
}

/** Keeps who is here now, whoever comes and goes, and shows it. */
export function call() {
  const called = { time: now(), text: kept.text, people, late: [] };
  keep({ ...kept, rolls: [called, ...kept.rolls].slice(0, MOST_ROLLS), shownAt: called.time });
}

/** Shows a called roll, by its time, or who is here now. */
export function show(time) {
  keep({ ...kept, shownAt: time });
}

/** Forgets the list, and not the called rolls. */
export function clear() {
  keep({ ...NOTHING, rolls: kept.rolls, answers: kept.rolls.length > 0 ? kept.answers : [] }, kept);
}

/** Forgets the called rolls. */
export function deleteRolls() {
  keep({ ...kept, rolls: [], shownAt: undefined }, kept);
}

/** Takes back what `clear` or `deleteRolls` removed. */
export function undo() {
  if (removed) keep(removed);
}

/** The time of the server, in milliseconds: the clock of the browser may be wrong. */
export function now() {
  return following?.now?.() ?? Date.now();
}

function read() {
  let stored;
  try {
    stored = JSON.parse(localStorage.getItem(key));
  } catch {
    isStorable = false;
  }
  // Other programs, and other versions of this one, may store anything.
  const { text, answers, rolls: called, shownAt } = stored ?? {};
  const isRoll = (one) =>
    Array.isArray(one?.people) && Array.isArray(one.late) && typeof one.text === "string" && typeof one.time === "number";
  use({
    text: typeof text === "string" ? text : "",
    answers: Array.isArray(answers) ? answers : [],
    rolls: Array.isArray(called) ? called.filter(isRoll).slice(0, MOST_ROLLS) : [],
    shownAt,
  });
}

/** Stores what the visitor changed; `before` is what it can be taken back to. */
function keep(next, before) {
  removed = before;
  const isEmpty = !next.text.trim() && next.rolls.length === 0;
  // Where the space is not enough, the oldest rolls give way.
  let fitting = next;
  isStorable = isEmpty || store(fitting);
  while (!isStorable && fitting.rolls.length > 1) {
    fitting = { ...fitting, rolls: fitting.rolls.slice(0, -1) };
    isStorable = store(fitting);
  }
  if (isEmpty) remove();
  use(isStorable ? fitting : next);
}

function store(value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

function remove() {
  try {
    localStorage.removeItem(key);
  } catch {
    isStorable = false;
  }
}

function use(next) {
  if (next.text !== kept.text) {
    const found = namesIn(next.text);
    roll = rollOf(found.names);
    used = found.isCut ? found.names.length : undefined;
  }
  kept = next;
  follow(roll.names.length > 0);
  tell();
}

/** A room without a list needs no event stream. */
async function follow(isWanted) {
  if (isWanted === Boolean(following)) return;
  following?.close();
  following = isWanted ? { close: () => undefined } : undefined;
  hasPeople = false;
  if (!isWanted) return;
  const mine = following;
  const { followPeople } = await import(`./roll-people.js${search}`);
  // It may not be wanted any more.
  if (following !== mine) return;
  following = followPeople(room, (latest, isCurrent) => {
    people = latest;
    isLive = isCurrent;
    hasPeople = true;
    tell();
    noteLate();
  });
}

function tell() {
  current = undefined;
  for (const listener of listeners) listener();
}
