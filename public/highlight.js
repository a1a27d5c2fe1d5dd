// Marks what a search matched in the names of the list, where the browser has highlights that need no elements.

const field = document.getElementById("find");
const list = document.getElementById("roster");

/** A letter as a search compares it: without case and accents. */
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The part of a text node whose folded text begins with `query` at this place. */
function rangeAt(node, start, query) {
  let end = start;
  while (end < node.length && fold(node.data.slice(start, end)).length < query.length) end += 1;
  if (fold(node.data.slice(start, end)) !== query) return undefined;
  const range = new Range();
  range.setStart(node, start);
  range.setEnd(node, end);
  return range;
}

/** The first match in a name: at the beginning of a word if there is one. */
function matchIn(element, query) {
  const node = element.firstChild;
  if (!(node instanceof Text)) return undefined;
  const places = [...node.data.matchAll(/(?<=^|\s)\S|\S/gu)].map(({ index }) => index);
  const isBeginning = (place) => place === 0 || /\s/u.test(node.data[place - 1]);
  const ordered = [...places.filter(isBeginning), ...places];
  return ordered.map((place) => rangeAt(node, place, query)).find(Boolean);
}

function highlight() {
  const query = fold(field.value.trim().replace(/\s+/gu, " "));
  const names = query ? [...list.querySelectorAll(".user-name")] : [];
  const ranges = names.map((name) => matchIn(name, query)).filter(Boolean);
  CSS.highlights.set("match", new Highlight(...ranges));
}

if (globalThis.CSS?.highlights) {
  new MutationObserver(highlight).observe(list, { childList: true, subtree: true, characterData: true });
  field.addEventListener("input", highlight);
  highlight();
}
