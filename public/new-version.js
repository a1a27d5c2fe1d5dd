// Reloads a page that is older than its server, at a moment at which that disturbs nobody.

/** How long nobody may have used the page, in milliseconds. */
const QUIET_TIME = 10_000;
/** How far the reloads of many screens are spread, in milliseconds. */
const JITTER = 30_000;
/** How often the page is checked, in milliseconds. */
const CHECK_INTERVAL = 2_000;

let usedAt = Date.now();
for (const event of ["keydown", "pointerdown", "input", "wheel", "touchmove"]) {
  addEventListener(event, () => (usedAt = Date.now()), { capture: true, passive: true });
}

/** Reloads once for each version of the server: where two versions answer in turn, a page would reload for ever. */
export function reloadWhenQuiet(html) {
  const build = html.getAttribute("data-build");
  // Other programs may store anything in the history entry.
  const seen = [].concat(history.state?.builds ?? []);
  if (seen.includes(build)) return;
  const reload = () => {
    history.replaceState({ ...history.state, builds: [...seen, build] }, "");
    location.reload();
  };
  if (html.hasAttribute("data-wall")) return setTimeout(reload, JITTER * Math.random());
  const dueAt = Date.now() + JITTER * Math.random();
  const timer = setInterval(() => {
    if (Date.now() < dueAt || !isQuiet()) return;
    clearInterval(timer);
    reload();
  }, CHECK_INTERVAL);
}

/** Whether the page is hidden, or has not been used for a while and holds nothing that a reload would take. */
function isQuiet() {
  if (document.hidden) return true;
  const isTyping = Boolean(document.activeElement?.value);
  const openPart = "popover" in HTMLElement.prototype ? "dialog[open], :popover-open" : "dialog[open]";
  return !isTyping && !document.querySelector(openPart) && Date.now() - usedAt >= QUIET_TIME;
}
