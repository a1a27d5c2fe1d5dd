// Copies the roll: the server writes it, and what was written goes to the clipboard.

/** For how long it says what became of it, in milliseconds. */
const TIME_TO_READ = 2_500;

const button = document.querySelector(".copy-roll");
const news = document.querySelector(".roll-news");
let timer;

async function read() {
  const answer = await fetch(button.dataset.source);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.text();
}

/** The click counts for what is still on its way: asked afterwards, some browsers say no. */
function copyWhatComes(text) {
  const type = "text/plain";
  const blob = text.then((words) => new Blob([words], { type }));
  return navigator.clipboard.write([new ClipboardItem({ [type]: blob })]);
}

/** The old way: the new one is kept from pages that came over plain HTTP from another machine. */
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

async function take() {
  const { copied, failed } = button.dataset;
  const text = read();
  const copying = navigator.clipboard?.write ? copyWhatComes(text) : text.then(copyByField);
  news.textContent = await copying.then(
    () => copied,
    () => failed,
  );
  clearTimeout(timer);
  timer = setTimeout(() => (news.textContent = ""), TIME_TO_READ);
}

// A wall has none; and without scripts nobody is offered what does not work, but its place is kept.
if (button) {
  button.disabled = false;
  button.addEventListener("click", take);
}
