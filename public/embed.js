// Keeps the view in the frame as the room is: whenever something happens there, the server draws it anew.

/** How long a change waits for others, in milliseconds, and how much more by chance: not all frames ask at once. */
const PAUSE = 300;
const SPREAD = 900;
/** How long the server may say nothing, in milliseconds: it tells where the room is every 10 s. What was refused,
 * or was not answered, is tried again after as long. */
const LONGEST_SILENCE = 15_000;

const html = document.documentElement;
let view = document.querySelector("main");
/** Nothing is heard of the room. */
let isDeaf = false;
/** More has happened there than could be drawn. */
let isBehind = false;
let timer;
let drawing = Promise.resolve();

function sayHowThingsStand() {
  html.toggleAttribute("data-stale", isDeaf || isBehind);
}

function drawIn(milliseconds) {
  timer ??= setTimeout(() => {
    timer = undefined;
    drawing = drawing.then(draw);
  }, milliseconds);
}

async function draw() {
  const drawn = await fetchView().catch(() => undefined);
  isBehind = !drawn;
  sayHowThingsStand();
  if (drawn) show(drawn);
  else drawIn(LONGEST_SILENCE);
}

async function fetchView() {
  const answer = await fetch(location.href, { signal: AbortSignal.timeout(LONGEST_SILENCE) });
  const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
  // What stands between may answer in its own words.
  if (!answer.ok || !drawn.querySelector("main[data-at]")) throw new Error(answer.statusText);
  return drawn;
}

function show(drawn) {
  document.title = drawn.title;
  const fresh = document.adoptNode(drawn.querySelector("main"));
  const hasKeyboard = view.contains(document.activeElement);
  view.replaceWith(fresh);
  view = fresh;
  if (hasKeyboard) view.querySelector("a").focus({ preventScroll: true });
}

function listen() {
  const feed = new EventSource(`${view.dataset.feed}?since=${view.dataset.at}`);
  const startAnew = () => {
    feed.close();
    isDeaf = true;
    sayHowThingsStand();
    listen();
  };
  let silence = setTimeout(startAnew, LONGEST_SILENCE);
  const hear = ({ lastEventId }) => {
    clearTimeout(silence);
    silence = setTimeout(startAnew, LONGEST_SILENCE);
    isDeaf = false;
    sayHowThingsStand();
    // Only the last piece of what belongs together says where the room is then.
    if (lastEventId && lastEventId !== view.dataset.at) drawIn(PAUSE + SPREAD * Math.random());
  };
  for (const name of ["existing_users", "more_users", "resumed", "changes", "beat"]) {
    feed.addEventListener(name, hear);
  }
  // The browser tries again by itself, unless the server has refused; then the silence ends it.
  feed.onerror = () => {
    isDeaf = true;
    sayHowThingsStand();
  };
}

// The style sheet lets things change softly from now on.
html.setAttribute("data-hydrated", "true");
listen();
