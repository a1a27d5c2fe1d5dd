// Says why no WebSocket gets through: browsers don't tell scripts how an upgrade was answered, so the server is asked
// for what it would answer.

/** Shows the reason in the page. */
export async function explain({ socket, causes }) {
  const output = document.getElementById("why-blocked");
  const sentence = await reason(socket, causes).catch(() => undefined);
  // Without an answer there is no network, which the page says by itself.
  if (output && sentence) output.textContent = sentence;
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
