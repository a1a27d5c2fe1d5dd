// Keeps the view in the frame as the room is: whenever something happens there, the server draws it anew.

/** How long a change waits for others, in milliseconds, and how much more by chance: not all frames ask at once. */
const PAUSE = 300;
const SPREAD = 900;
/** When to listen again after the server has refused to be listened to, in milliseconds. */
const UNTIL_ANOTHER_TRY = 15_000;

let view = document.querySelector("main");
let timer;

async function draw() {
  timer = undefined;
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer?.ok) return;
  const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = drawn.title;
  const fresh = document.adoptNode(drawn.querySelector("main"));
  view.replaceWith(fresh);
  view = fresh;
}

function hear(event) {
  // Only the last piece of what belongs together says where the room is then.
  if (event.lastEventId && event.lastEventId !== view.dataset.at) {
    timer ??= setTimeout(draw, PAUSE + SPREAD * Math.random());
  }
}

function listen() {
  const feed = new EventSource(`${view.dataset.feed}?since=${view.dataset.at}`);
  for (const name of ["existing_users", "more_users", "resumed", "changes"]) {
    feed.addEventListener(name, hear);
  }
  feed.onopen = () => document.documentElement.removeAttribute("data-stale");
  feed.onerror = () => {
    document.documentElement.setAttribute("data-stale", "true");
    // Else the browser tries again by itself.
    if (feed.readyState === EventSource.CLOSED) setTimeout(listen, UNTIL_ANOTHER_TRY);
  };
}

// The style sheet lets things change softly from now on.
document.documentElement.setAttribute("data-hydrated", "true");
listen();
