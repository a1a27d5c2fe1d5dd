// Keeps the picture of the last hour moving: the server draws it, and a page that is seen asks for it once a minute.

const MINUTE = 60_000;

const picture = document.querySelector("[data-source]");

async function draw() {
  if (document.hidden) return;
  const answer = await fetch(picture.dataset.source).catch(() => undefined);
  if (answer?.ok) picture.innerHTML = await answer.text();
}

setInterval(draw, MINUTE);
document.addEventListener("visibilitychange", draw);
