// What the page shows of an expected list outside the sheet: how many are missing, who, and whose rows are not on it.

// Of the same build: a cache may hold that of another one.
const { search } = new URL(import.meta.url);
const [model, { say }] = await Promise.all([
  import(`./roll-model.js${search}`),
  import(`./roll-text.js${search}`),
]);

/** The most plates of missing people. */
const MOST_PLATES = 200;

const html = document.documentElement;
const main = document.querySelector("main");
let sheet;

/** The elements, which are in the page while a list is set. */
const chip = document.createElement("button");
chip.id = "missing-chip";
chip.type = "button";
chip.className = "chip";
chip.addEventListener("click", () => showMissing(main.dataset.showing !== "missing"));
const plates = document.createElement("ul");
plates.id = "missing-people";
plates.setAttribute("role", "list");
const count = document.createElement("span");
count.id = "missing-count";
count.className = "unit";

/** Shows the list of this sheet in the page. */
export function connect(ofPage) {
  const isFirst = !sheet;
  sheet = ofPage;
  model.begin(sheet);
  if (!isFirst) return;
  model.subscribe(update);
  // Rows are added and replaced, and the page may be rendered anew.
  new MutationObserver(place).observe(main, { childList: true, subtree: true });
  new MutationObserver(place).observe(html, { attributeFilter: ["data-hydrated", "data-live"] });
  document.addEventListener("click", ({ target }) => {
    const other = target instanceof Element && target.closest(".chip");
    if (other && other !== chip) showMissing(false);
  });
  update();
}

let missing = [];
let marked = new Map();
let isShown = false;

function update() {
  const state = model.state();
  isShown = state.total > 0 && state.isReady;
  missing = isShown ? state.missing : [];
  const mark = (key) => (person) => [person.id, say(key)];
  const questions = state.questions.map(({ person }) => person);
  marked = new Map(isShown ? [...state.strangers.map(mark("not-listed")), ...questions.map(mark("unclear"))] : []);
  const n = missing.length;
  const toCheck = state.unclear.length;
  setText(chip, say("missing-chip", n));
  const of = say("headline", state.here.length, state.total);
  const counts = [...(toCheck > 0 ? [say("count-to-check", toCheck)] : []), ...(n > 0 ? [say("count-missing", n)] : [])];
  setText(count, ` · ${[of, ...counts].join(" · ")}`);
  chip.hidden = n === 0;
  plates.hidden = n === 0;
  count.hidden = !isShown;
  if (n === 0) showMissing(false);
  showPlates();
  place();
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function showMissing(isOn) {
  chip.setAttribute("aria-pressed", String(isOn));
  if (isOn) main.dataset.showing = "missing";
  else delete main.dataset.showing;
}

let shownPlates = "";

function showPlates() {
  const signature = JSON.stringify(missing.map(({ name }) => name));
  if (signature === shownPlates) return;
  shownPlates = signature;
  plates.setAttribute("aria-label", say("missing-title"));
  const rows = missing.slice(0, MOST_PLATES).map(({ name }) => plate(name));
  const more = missing.length - rows.length;
  if (more > 0) rows.push(row("more", say("more", more)));
  plates.replaceChildren(...rows);
}

function row(className, ...content) {
  const element = document.createElement("li");
  element.className = className;
  element.append(...content);
  return element;
}

function plate(name) {
  const initials = document.createElement("span");
  initials.className = "avatar";
  initials.setAttribute("aria-hidden", "true");
  initials.translate = false;
  initials.textContent = initialsOf(name);
  const words = document.createElement("bdi");
  words.className = "user-name";
  words.translate = false;
  words.textContent = name;
  const state = document.createElement("span");
  state.className = "since";
  state.textContent = say("missing");
  return row("row", initials, words, " ", state);
}

/** The first letters of the first and the last word, as in avatar.rs. */
function initialsOf(name) {
  const letters = new Intl.Segmenter(html.lang, { granularity: "grapheme" });
  const words = name.split(",").reverse().join(" ").trim().split(/\s+/);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends.map((word) => [...letters.segment(word)][0]?.segment ?? "").join("\u200c");
}

/** Puts the elements where they belong, and marks the rows. Before hydration is over, they would make it fail. */
function place() {
  if (!html.matches("[data-hydrated], [data-live]")) return;
  placeChip(document.querySelector(".list-panel .chips"));
  put(plates, document.querySelector(".list-panel"));
  put(count, document.querySelector("p.count"));
  for (const element of document.querySelectorAll("#roster > [data-user-id]")) {
    const words = marked.get(element.dataset.userId);
    const since = element.querySelector(".since");
    if (words && since?.dataset.mark !== words) since?.setAttribute("data-mark", words);
    else if (!words && since?.hasAttribute("data-mark")) since.removeAttribute("data-mark");
  }
}

/** Beside the other filters, which are hidden while nobody is away. */
function placeChip(others) {
  if (!isShown) chip.remove();
  else if (others && chip.previousElementSibling !== others) others.after(chip);
}

function put(element, parent) {
  if (!isShown) element.remove();
  else if (parent && element.parentElement !== parent) parent.append(element);
}
