// The expected list of a room, which stays in this browser, and who of it is here.

// Of the same build: a cache may hold that of another one.
const { search } = new URL(import.meta.url);
const [{ namesIn }, { answer, isAbout, matchRoll, rollOf }] = await Promise.all([
  import(`./roll-names.js${search}`),
  import(`./roll-match.js${search}`),
]);

const NOTHING = { text: "", answers: [], called: undefined };

let key;
let room;
/** What is stored: the text as it was typed, the answers, and the last called roll `{ time, people }`. */
let kept = NOTHING;
let roll = rollOf([]);
let people = [];
/** Whether the list of people has come, and whether it is live. */
let hasPeople = false;
let isLive = false;
let isStorable = true;
let following;
const listeners = new Set();

/** What `state` returned since the last change. */
let current;

/** Everything that views show. */
export function state() {
  current ??= compute();
  return current;
}

function compute() {
  const shown = kept.called?.people ?? people;
  return {
    text: kept.text,
    repeated: roll.repeated,
    calledAt: kept.called?.time,
    isReady: Boolean(kept.called) || hasPeople,
    isLive,
    isStorable,
    people: shown,
    names: roll.names,
    answers: kept.answers,
    ...matchRoll(roll, shown, kept.answers),
  };
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

/** Keeps who is here now, whoever comes and goes. */
export function call() {
  keep({ ...kept, called: { time: Date.now(), people } });
}

/** Shows who is here now again. */
export function resume() {
  keep({ ...kept, called: undefined });
}

/** Forgets the list. */
export function clear() {
  keep(NOTHING);
}

function read() {
  let stored;
  try {
    stored = JSON.parse(localStorage.getItem(key));
  } catch {
    isStorable = false;
  }
  // Other programs, and other versions of this one, may store anything.
  const { text, answers, called } = stored ?? {};
  const isRoll = Array.isArray(called?.people) && typeof called.time === "number";
  use({
    text: typeof text === "string" ? text : "",
    answers: Array.isArray(answers) ? answers : [],
    called: isRoll ? called : undefined,
  });
}

function keep(next) {
  try {
    if (next === NOTHING || !next.text.trim()) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(next));
    isStorable = true;
  } catch {
    isStorable = false;
  }
  use(next);
}

function use(next) {
  if (next.text !== kept.text) roll = rollOf(namesIn(next.text).names);
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
  });
}

function tell() {
  current = undefined;
  for (const listener of listeners) listener();
}
