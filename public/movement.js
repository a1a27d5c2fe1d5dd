// Lets a row that goes close softly, and those behind it move up to where they are by now; and a row that comes
// is put on the board by the style sheet, unless it only comes into sight.
//
// The list itself is right at once: what is seen to go is a picture beside it, which nobody can reach and no
// screen reader is told of. It knows nothing of who is here, only that a row which could be seen is gone.

const TIME = 240;
/** More at the same time are a storm, or a list that is scrolled, and neither moves. */
const FEW = 3;
/** For so long after the visitor has looked for somebody, or chose an order, rows come and go for that reason. */
const ANSWER = 500;

const html = document.documentElement;
const list = document.getElementById("roster");
const wantsMovement = matchMedia("(prefers-reduced-motion: no-preference)");

/** Where the rows around what is seen were when the list was looked at last: by now it is too late to ask those
 * that are gone. */
let places = new Map();
let isLookDue = false;
let leaving = 0;
let askedAt = -ANSWER;
/** Since it was looked at last. To ask where it is would have the browser work out the rows, which may have to
 * be kept still first. */
let isScrolled = false;

function placeOf(row) {
  const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = row;
  const [x, y] = [offsetLeft - list.offsetLeft, offsetTop - list.offsetTop];
  return { x, y, width: offsetWidth, height: offsetHeight };
}

/** The rows in sight, and those of a window above and below it: asking all of a long list takes too long. */
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

function look() {
  isLookDue = false;
  isScrolled = false;
  places = new Map(rowsAround().map((row) => [row, placeOf(row)]));
}

/** When the next picture is painted, every row has its place, and asking for it costs next to nothing. */
function lookSoon() {
  if (isLookDue) return;
  isLookDue = true;
  requestAnimationFrame(() => setTimeout(look));
}

function isInSight({ y, height }, top) {
  return top + y + height > 0 && top + y < innerHeight;
}

function leave(row, { x, y, width, height }) {
  const picture = document.createElement("div");
  picture.className = `${row.className} leaving`;
  picture.dataset.state = row.dataset.state;
  picture.inert = true;
  picture.ariaHidden = "true";
  picture.append(...row.cloneNode(true).childNodes);
  Object.assign(picture.style, {
    left: `${list.offsetLeft + x}px`,
    top: `${list.offsetTop + y}px`,
    width: `${width}px`,
    height: `${height}px`,
  });
  list.parentElement.append(picture);
  leaving += 1;
  const gone = { opacity: 0, transform: "translateY(6px) scale(0.96)" };
  picture.animate(gone, { duration: TIME, easing: "ease-in", fill: "forwards" }).onfinish = () => {
    picture.remove();
    leaving -= 1;
  };
}

/** Along a line or from line to line a row slides; one that changes both fades in where it is by now. */
function moveUp(row, old, place) {
  const [x, y] = [old.x - place.x, old.y - place.y];
  if (x === 0 && y === 0) return;
  const from = x !== 0 && y !== 0 ? { opacity: 0 } : { transform: `translate(${x}px, ${y}px)` };
  row.animate([from, {}], { duration: TIME, easing: "ease-out" });
}

/** Rows that were there before, and come into sight. */
function keepStill(rows) {
  for (const row of rows) row.dataset.still = "true";
}

function follow(records) {
  const rows = (kind) => records.flatMap((record) => [...record[kind]]).filter((node) => node instanceof HTMLElement);
  const gone = rows("removedNodes").filter((row) => !row.isConnected);
  const come = rows("addedNodes").filter((row) => row.isConnected);
  const isAsked = performance.now() - askedAt < ANSWER;
  if (isAsked || isScrolled || come.length > FEW) keepStill(come);
  const isSeen = wantsMovement.matches && !document.hidden && html.hasAttribute("data-live");
  if (isSeen && !isAsked && gone.length > 0 && gone.length + leaving <= FEW) {
    const { top } = list.getBoundingClientRect();
    const before = places;
    const seen = gone.filter((row) => before.has(row) && isInSight(before.get(row), top));
    for (const row of seen) leave(row, before.get(row));
    for (const row of seen.length > 0 ? rowsAround() : []) {
      const [old, place] = [before.get(row), placeOf(row)];
      if (old && isInSight(place, top)) moveUp(row, old, place);
    }
  }
  lookSoon();
}

new MutationObserver(follow).observe(list, { childList: true });
for (const event of ["input", "click"]) {
  document.querySelector(".finding")?.addEventListener(event, () => (askedAt = performance.now()), { capture: true });
}
// Where the rows are changes with the window, and with the letters' sizes.
new ResizeObserver(lookSoon).observe(list);
// And others are in sight.
const onScroll = () => {
  isScrolled = true;
  lookSoon();
};
addEventListener("scroll", onScroll, { passive: true });
