// What a wall does by itself: it turns the pages of a list that has no place on one, greets who comes, makes long names
// fit, and fills the screen at a key. The WASM renders the rows: the newest first, and after them those of this page.

const { fill, number } = await import(`./format.js${new URL(import.meta.url).search}`);

/** How long a page stays, in milliseconds. */
const PAGE_TIME = 8_000;
/** How long a person is greeted, in milliseconds. */
const WELCOME_TIME = 4_000;
/** Further people who come at the same time are on the list, and not greeted. */
const MOST_WAITING = 3;
/** How many of the newest people are on every page: the same as in sort_filter.rs. */
const NEWEST = 4;
/** How many people are known by their ids, so that nobody is greeted twice. */
const MOST_KNOWN = 20_000;
/** The sizes that a text is tried in, as parts of the one that the style sheet gives it. */
const SCALES = [1, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3];
/** How long a page takes to appear, in milliseconds. */
const FADE_TIME = 400;

const html = document.documentElement;
const list = document.getElementById("roster");
const others = document.querySelector(".others");
const welcome = document.querySelector(".welcome");
const allowsMotion = matchMedia("(prefers-reduced-motion: no-preference)");

/** How many of those who follow the newest were shown on earlier pages. */
let shown = 0;
/** Who was on a page already, by id; none until the list is live. */
let known;
/** The ids of the newest people, as of the last change. */
let newestBefore = [];
/** Who is to be greeted, by id: until it is their turn they may have left, or were removed. */
let waiting = [];
/** Whose greeting is shown, by id. */
let greeted;
/** Ends it. */
let greetingTimer;

/** How many people have a place, by the style sheet. */
const places = () => Number(getComputedStyle(list).getPropertyValue("--places"));

const idOf = (row) => row.dataset.userId;

/** Whether a text is larger than its element, which has one or two lines. Letters that reach beyond the last line are no
* line more. */
function isCut(element) {
  const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element;
  const line = Number.parseFloat(getComputedStyle(element).fontSize);
  return scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + line / 2;
}

/** Shrinks what does not fit. At the smallest size words break anywhere. */
function fit(elements) {
  let cut = elements;
  for (const { style, dataset } of cut) {
    style.removeProperty("--scale");
    dataset.fit = "words";
  }
  for (const scale of SCALES) {
    cut = cut.filter(isCut);
    for (const { style } of cut) style.setProperty("--scale", scale);
  }
  for (const { dataset } of cut.filter(isCut)) dataset.fit = "anywhere";
}

function fitNames() {
  fit([...list.querySelectorAll(".user-name")].slice(0, places()));
}

function showOthers(page) {
  const count = page.listed() - Math.min(list.children.length, places());
  others.textContent = fill(others.dataset.words, [number(count)], count);
  others.hidden = count <= 0;
}

/** Shows those who follow. After the last page, which those of the first one fill up, it is the first one's turn. */
function turn(page) {
  const [rest, size] = [page.listed() - NEWEST, places() - NEWEST];
  const next = shown + size < rest && rest > size ? shown + size : 0;
  if (next === shown) return;
  shown = next;
  page.turn_wall(shown);
}

function fadeIn(rows) {
  if (!allowsMotion.matches) return;
  for (const row of rows) row.animate([{ opacity: 0 }, {}], { duration: FADE_TIME, easing: "ease-out" });
}

/** The newest people whom no page has shown yet, the one who came first in front. */
function arrivals() {
  const rows = [...list.children];
  const newest = rows.slice(0, NEWEST);
  const ids = rows.map(idOf);
  const first = newest.findIndex((row) => known.has(idOf(row)));
  const arrived = first < 0 ? newest : newest.slice(0, first);
  // Somebody who left is greeted when they come again.
  if (arrived.length === 0) {
    for (const id of newestBefore) if (!ids.includes(id)) known.delete(id);
  }
  if (known.size > MOST_KNOWN) known.clear();
  for (const id of ids) known.add(id);
  newestBefore = newest.map(idOf);
  return arrived.reverse();
}

const rowOf = (id) => [...list.children].find((row) => idOf(row) === id);

function greet(rows) {
  waiting.push(...rows.map(idOf));
  waiting = waiting.slice(-MOST_WAITING);
  if (greeted === undefined) greetNext();
}

function greetNext() {
  clearTimeout(greetingTimer);
  greeted = waiting.shift();
  welcome.hidden = greeted === undefined;
  if (welcome.hidden) return;
  // The name's direction is its own, and not that of the words around it.
  const [before, after] = welcome.dataset.words.split("{0}");
  const isolated = document.createElement("bdi");
  isolated.textContent = rowOf(greeted).querySelector(".user-name").textContent;
  const line = document.createElement("p");
  line.append(before, isolated, after);
  welcome.replaceChildren(line);
  placeWelcome();
  greetingTimer = setTimeout(greetNext, WELCOME_TIME);
}

/** Nobody is greeted who is not there any more. */
function dropGreetings() {
  waiting = waiting.filter(rowOf);
  if (greeted !== undefined && !rowOf(greeted)) greetNext();
}

/** Above the list, in the header: it covers nobody. */
function placeWelcome() {
  if (greeted === undefined) return;
  const { left, top, width } = list.closest(".list-panel").getBoundingClientRect();
  const { style } = welcome;
  for (const [name, pixels] of Object.entries({ left, width, height: top })) style.setProperty(name, `${pixels}px`);
  fit([welcome.firstElementChild]);
}

function onListChange(page, records) {
  const added = records.flatMap(({ addedNodes }) => [...addedNodes]).filter((node) => node.parentNode === list);
  fitNames();
  showOthers(page);
  dropGreetings();
  if (!html.hasAttribute("data-live")) return;
  if (!known) {
    known = new Set([...list.children].map(idOf));
    return;
  }
  const arrived = arrivals();
  if (arrived.length > 0) greet(arrived);
  if (added.length > NEWEST) fadeIn(added);
  placeWelcome();
}

function onKey({ key, altKey, ctrlKey, metaKey }) {
  if (key.toLowerCase() !== "f" || altKey || ctrlKey || metaKey) return;
  const change = document.fullscreenElement ? document.exitFullscreen() : html.requestFullscreen?.();
  // A frame, or a browser's policy, may not allow it.
  change?.catch(() => undefined);
}

/** Begins, with the WASM's entry points. */
export function start(page) {
  const observer = new MutationObserver((records) => onListChange(page, records));
  observer.observe(list, { childList: true, subtree: true, characterData: true });
  // Whoever comes from the moment on that the list is live is greeted.
  new MutationObserver(() => known || onListChange(page, [])).observe(html, { attributeFilter: ["data-live"] });
  addEventListener("resize", () => {
    fitNames();
    showOthers(page);
    placeWelcome();
  });
  addEventListener("keydown", onKey);
  setInterval(() => turn(page), PAGE_TIME);
  onListChange(page, []);
}
