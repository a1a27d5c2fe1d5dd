// Copies the roll: the server writes it, and what was written goes to the clipboard.

/** For how long it says what became of it, in milliseconds. */
const TIME_TO_READ = 2_500;

const button = document.querySelector(".copy-roll");
const news = document.querySelector(".roll-news");
let timer;

/**
 * By way of a field, the old way: the new one is kept from pages that came over plain HTTP from another
 * machine, as they do in many an office.
 */
function copy(text) {
  const field = document.createElement("textarea");
  field.className = "to-copy-from";
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  button.focus({ preventScroll: true });
  return isCopied;
}

async function take() {
  const answer = await fetch(button.dataset.source).catch(() => undefined);
  const isCopied = answer?.ok && copy(await answer.text());
  news.textContent = isCopied ? button.dataset.copied : button.dataset.failed;
  clearTimeout(timer);
  timer = setTimeout(() => (news.textContent = ""), TIME_TO_READ);
}

// A wall has none; and without scripts nobody is offered what does not work, but its place is kept.
if (button) {
  button.disabled = false;
  button.addEventListener("click", take);
}
