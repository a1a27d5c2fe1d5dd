// Copies a link, or the exported list, at the click of a button; gives exports the visitor's local times.

/** How long the result is shown, in milliseconds. */
const RESULT_LIFETIME = 2_500;

/** Spreadsheets expect semicolons where a comma is the decimal separator. */
const HAS_DECIMAL_COMMA = (0.5).toLocaleString().includes(",");

/** The address of an export with the visitor's time zone, which the server does not know. */
function localized(address) {
  const url = new URL(address, location.href);
  url.searchParams.set("offset", -new Date().getTimezoneOffset());
  if (HAS_DECIMAL_COMMA && url.pathname.endsWith(".csv")) url.searchParams.set("separator", ";");
  return url;
}

async function textFor({ dataset: { source, text } }) {
  if (text) return text;
  // Without the query and the fragment, which are the visitor's own.
  if (!source) return location.origin + location.pathname;
  const response = await fetch(localized(source));
  if (!response.ok) throw new Error(response.statusText);
  return response.text();
}

/** Passes a promise to the clipboard: some browsers only allow copying during the click itself. */
async function copyWithClipboardApi(text) {
  if (!navigator.clipboard?.write) throw new Error("navigator.clipboard is not available");
  const type = "text/plain";
  const blob = text.then((words) => new Blob([words], { type }));
  await navigator.clipboard.write([new ClipboardItem({ [type]: blob })]);
}

/** The deprecated API: `navigator.clipboard` is missing in insecure contexts, such as plain HTTP within a LAN. */
function copyWithExecCommand(words) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "to-copy-from";
  field.readOnly = true;
  field.value = words;
  // Beside a modal dialog nothing can be focused.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  // It copies the selection of the focused element.
  field.focus({ preventScroll: true });
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  focused?.focus({ preventScroll: true });
  if (!isCopied) throw new Error("execCommand failed");
}

/** Copies the text of a promise, during a click. */
export function copyText(text) {
  return copyWithClipboardApi(text).catch(() => text.then(copyWithExecCommand));
}

/** Of each element that shows a result: its text before, and what restores that. */
const results = new WeakMap();

async function copy(button) {
  const { copied, failed } = button.dataset;
  // The result is shown in the status element after the button, or on the button itself.
  const output = button.nextElementSibling?.matches("[role=status]") ? button.nextElementSibling : button;
  const { before, timer } = results.get(output) ?? { before: output.textContent };
  clearTimeout(timer);
  output.textContent = await copyText(textFor(button)).then(
    () => copied,
    () => failed,
  );
  const restore = () => {
    output.textContent = before;
    results.delete(output);
  };
  results.set(output, { before, timer: setTimeout(restore, RESULT_LIFETIME) });
}

/** The server renders disabled and hidden what needs this script, or a browser that can share. */
function enable() {
  for (const button of document.querySelectorAll("button[data-copied]")) button.disabled = false;
  for (const button of navigator.share ? document.querySelectorAll(".share") : []) button.hidden = false;
  for (const link of document.querySelectorAll(".roll a")) link.href = localized(link.href);
}

// On the document: extensions replace elements, and the page renders its parts anew.
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button[data-copied], .share");
  if (button?.matches(".share")) {
    // A visitor who closes the browser's sheet has not shared anything, which is no error.
    navigator.share({ title: document.title, url: location.origin + location.pathname }).catch(() => undefined);
  } else if (button) copy(button);
});
enable();
const main = document.querySelector("main");
if (main) new MutationObserver(enable).observe(main, { childList: true });
