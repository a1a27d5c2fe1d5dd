// Copies what a button is there for: the address of the room, or the roll, which the server writes.

/** For how long it says what became of it, in milliseconds. */
const TIME_TO_READ = 2_500;

async function textFor({ dataset: { source } }) {
  // Neither how this visitor came, nor where in the page they are.
  if (!source) return location.origin + location.pathname;
  const answer = await fetch(source);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.text();
}

/** The click counts for what is still on its way: asked afterwards, some browsers say no. */
async function copyWhatComes(text) {
  if (!navigator.clipboard?.write) throw new Error("not offered");
  const type = "text/plain";
  const blob = text.then((words) => new Blob([words], { type }));
  await navigator.clipboard.write([new ClipboardItem({ [type]: blob })]);
}

/** The old way: the new one is kept from pages that came over plain HTTP from another machine, as they do in many
 * an office. */
function copyByField(words) {
  const keyboard = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "to-copy-from";
  field.readOnly = true;
  field.value = words;
  document.body.append(field);
  // What is copied is the selection of what has the keyboard.
  field.focus({ preventScroll: true });
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  keyboard?.focus({ preventScroll: true });
  if (!isCopied) throw new Error("not copied");
}

function serve(button) {
  const { copied, failed } = button.dataset;
  // What is said beside the button, or, where there is nothing beside it, on it.
  const place = button.nextElementSibling?.matches("[role=status]") ? button.nextElementSibling : button;
  const before = place.textContent;
  let timer;
  button.addEventListener("click", async () => {
    const text = textFor(button);
    const copying = copyWhatComes(text).catch(() => text.then(copyByField));
    place.textContent = await copying.then(
      () => copied,
      () => failed,
    );
    clearTimeout(timer);
    timer = setTimeout(() => (place.textContent = before), TIME_TO_READ);
  });
  // Without scripts nobody is offered what does not work, but its place is kept.
  button.disabled = false;
}

document.querySelectorAll("button[data-copied]").forEach(serve);
