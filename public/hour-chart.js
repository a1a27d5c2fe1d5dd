// Keeps the chart of the last hour up to date: a visible page fetches it once a minute, and soon after the count has
// changed.

const MINUTE = 60_000;
/** How long a change may wait, in milliseconds: longer with more people, since all their pages fetch the chart. */
const MAX_DELAY = 2_000;
const MAX_DELAY_PER_PERSON = 6;

let timer = setTimeout(update, MINUTE);
let isDue = false;

async function update() {
  clearTimeout(timer);
  timer = setTimeout(update, MINUTE);
  isDue = false;
  // Extensions replace it, and the page renders it anew.
  const chart = document.querySelector(".past-hour");
  if (document.hidden || !chart) return;
  const response = await fetch(chart.dataset.source).catch(() => undefined);
  if (response?.ok) chart.innerHTML = await response.text();
}

function updateSoon() {
  if (isDue) return;
  isDue = true;
  // The title begins with the count: "(1,204) team-7".
  const count = Number(document.title.split(")")[0].replace(/\D/g, ""));
  clearTimeout(timer);
  timer = setTimeout(update, Math.min(MINUTE, MAX_DELAY + MAX_DELAY_PER_PERSON * count) * Math.random());
}

new MutationObserver(updateSoon).observe(document.querySelector("title"), { childList: true });
document.addEventListener("visibilitychange", update);
