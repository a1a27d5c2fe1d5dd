// Keeps the picture of the last hour moving: the server draws it, and a page that is seen asks for it anew
// once a minute, and soon after the count has changed.

const MINUTE = 60_000;
/** How long a change may wait, in milliseconds: the more are here the longer, as all of them ask. */
const SOON = 2_000;
const SOON_FOR_EACH = 6;

const picture = document.querySelector(".past-hour");
let timer = setTimeout(draw, MINUTE);
let isSoon = false;

async function draw() {
  clearTimeout(timer);
  timer = setTimeout(draw, MINUTE);
  isSoon = false;
  if (document.hidden) return;
  const answer = await fetch(picture.dataset.source).catch(() => undefined);
  if (answer?.ok) picture.innerHTML = await answer.text();
}

function drawSoon() {
  if (isSoon) return;
  isSoon = true;
  // The title begins with the count: "(1,204) team-7".
  const count = Number(document.title.split(")")[0].replace(/\D/g, ""));
  clearTimeout(timer);
  timer = setTimeout(draw, Math.min(MINUTE, SOON + SOON_FOR_EACH * count) * Math.random());
}

new MutationObserver(drawSoon).observe(document.querySelector("title"), { childList: true });
document.addEventListener("visibilitychange", draw);
