// Says why no WebSocket gets through: browsers don't tell scripts how an upgrade was answered, so the server is asked
// for what it would answer.

/** How long to wait before each question, in milliseconds: a server that restarts is back in a few seconds. */
const DELAY = 3_000;

const html = document.documentElement;

/** Shows the reason in the page, as soon as the server or a proxy gives one. */
export async function explain({ socket, causes }) {
  let sentence;
  while (!sentence) {
    await new Promise((go) => setTimeout(go, DELAY));
    if (!html.hasAttribute("data-blocked")) return;
    // Without an answer there is no network, which the page says by itself.
    sentence = await reason(socket, causes).catch(() => undefined);
  }
  const output = document.getElementById("why-blocked");
  if (output) output.textContent = sentence;
}

async function reason(socket, causes) {
  const response = await fetch(`${socket}?origin=${encodeURIComponent(location.origin)}`, { cache: "no-store" });
  const { code, message } = await response.json().catch(() => ({}));
  if (causes[code]) return causes[code];
  if (message) return message;
  // A proxy answered in the server's place.
  if ([401, 403, 407].includes(response.status)) return causes.login_required;
  return response.status === 426 ? causes.upgrade_required : causes.socket_fails;
}
