// Animates removed rows out, and the rows behind them to their new places (a FLIP animation: first, last, invert,
// play). The style sheet animates new rows in, unless they only scroll into view.
//
// The list itself changes at once: what is animated out is an inert copy of the row, hidden from screen readers. This
// script knows no list, only that a visible row was removed.

/** The duration of each animation, in milliseconds. */
const DURATION = 240;
/** More changes at the same time, as in a rush or while scrolling, are not animated. */
const MOST_ANIMATED = 3;
/** For how long after a search or a sort changes of rows count as its result, in milliseconds. */
const RESULT_WINDOW = 500;

const html = document.documentElement;
const list = document.getElementById("roster");
const allowsMotion = matchMedia("(prefers-reduced-motion: no-preference)");

/** The places of the rows around the viewport at the last measurement: removed rows can't be measured any more. */
let places = new Map();
let isMeasureDue = false;
let leavingCount = 0;
let searchedAt = -RESULT_WINDOW;
/** Whether the page was scrolled since the last measurement. Reading the scroll position instead would force a layout
* before rows are marked as still. */
let isScrolled = false;

function placeOf(row) {
  const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = row;
  const [x, y] = [offsetLeft - list.offsetLeft, offsetTop - list.offsetTop];
  return { x, y, width: offsetWidth, height: offsetHeight };
}

/** The rows in the viewport and one viewport above and below it: measuring all rows of a long list takes too long. */
function rowsAround() {
  const rows = [...list.children];
  const { top } = list.getBoundingClientRect();
  const firstBelow = (y) => {
    let [start, end] = [0, rows.length];
    while (start < end) {
      const middle = (start + end) >> 1;
      if (placeOf(rows[middle]).y > y) end = middle;
      else start = middle + 1;
    }
    return start;
  };
  return rows.slice(firstBelow(-top - innerHeight), firstBelow(2 * innerHeight - top));
}

function measure() {
  isMeasureDue = false;
  isScrolled = false;
  places = new Map(rowsAround().map((row) => [row, placeOf(row)]));
}

/** Measures after the next paint, when the layout is done and reading it is cheap. */
function measureSoon() {
  if (isMeasureDue) return;
  isMeasureDue = true;
  requestAnimationFrame(() => setTimeout(measure));
}

function isInViewport({ y, height }, top) {
  return top + y + height > 0 && top + y < innerHeight;
}

function animateOut(row, { x, y, width, height }) {
  const copy = document.createElement("div");
  copy.className = `${row.className} leaving`;
  copy.dataset.state = row.dataset.state;
  copy.inert = true;
  copy.ariaHidden = "true";
  copy.append(...row.cloneNode(true).childNodes);
  Object.assign(copy.style, {
    left: `${list.offsetLeft + x}px`,
    top: `${list.offsetTop + y}px`,
    width: `${width}px`,
    height: `${height}px`,
  });
  list.parentElement.append(copy);
  leavingCount += 1;
  const end = { opacity: 0, transform: "translateY(6px) scale(0.96)" };
  copy.animate(end, { duration: DURATION, easing: "ease-in", fill: "forwards" }).onfinish = () => {
    copy.remove();
    leavingCount -= 1;
  };
}

/** A row that moves in one direction slides; one that moves in both fades in at its new place. */
function animateMove(row, old, place) {
  const [x, y] = [old.x - place.x, old.y - place.y];
  if (x === 0 && y === 0) return;
  const from = x !== 0 && y !== 0 ? { opacity: 0 } : { transform: `translate(${x}px, ${y}px)` };
  row.animate([from, {}], { duration: DURATION, easing: "ease-out" });
}

/** Marks rows that existed before and only come into view, so that they are not animated in. */
function markStill(rows) {
  for (const row of rows) row.dataset.still = "true";
}

function onChange(records) {
  const rows = (kind) => records.flatMap((record) => [...record[kind]]).filter((node) => node instanceof HTMLElement);
  const removed = rows("removedNodes").filter((row) => !row.isConnected);
  const added = rows("addedNodes").filter((row) => row.isConnected);
  const isResult = performance.now() - searchedAt < RESULT_WINDOW;
  if (isResult || isScrolled || added.length > MOST_ANIMATED) markStill(added);
  const isSeen = allowsMotion.matches && !document.hidden && html.hasAttribute("data-live");
  if (isSeen && !isResult && removed.length > 0 && removed.length + leavingCount <= MOST_ANIMATED) {
    const { top } = list.getBoundingClientRect();
    const before = places;
    const seen = removed.filter((row) => before.has(row) && isInViewport(before.get(row), top));
    for (const row of seen) animateOut(row, before.get(row));
    for (const row of seen.length > 0 ? rowsAround() : []) {
      const [old, place] = [before.get(row), placeOf(row)];
      if (old && isInViewport(place, top)) animateMove(row, old, place);
    }
  }
  measureSoon();
}

new MutationObserver(onChange).observe(list, { childList: true });
for (const event of ["input", "click"]) {
  for (const control of document.querySelectorAll(".chips, .search, #menu")) {
    control.addEventListener(event, () => (searchedAt = performance.now()), { capture: true });
  }
}
// The places change with the size of the window and of the text.
if (globalThis.ResizeObserver) new ResizeObserver(measureSoon).observe(list);
// After scrolling other rows are around the viewport.
const onScroll = () => {
  isScrolled = true;
  measureSoon();
};
addEventListener("scroll", onScroll, { passive: true });
