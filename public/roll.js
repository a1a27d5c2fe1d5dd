// Opens the sheet of the roll, whose scripts are loaded when somebody opens it or has an expected list.

const { search } = new URL(import.meta.url);
const sheet = document.getElementById("roll-sheet");

/** Whether the address brings an expected list. */
const isInAddress = () => location.hash.startsWith("#roll=");

/** Whether this browser keeps an expected list of the room. */
function hasList() {
  try {
    return localStorage.getItem(sheet.dataset.key) !== null;
  } catch {
    // The browser blocks the storage of this site.
    return false;
  }
}

async function open() {
  if (!sheet.open) sheet.showModal();
  // What needs no script is in the sheet already.
  const { connect } = await import(`./roll-sheet.js${search}`);
  connect(sheet);
}

/** The page shows who is missing. */
async function mark() {
  const { connect } = await import(`./roll-marks.js${search}`);
  connect(sheet);
}

if (sheet) {
  // Without scripts it is a popover. Modal, it keeps the focus.
  sheet.removeAttribute("popover");
  for (const button of document.querySelectorAll("[popovertarget=roll-sheet]")) {
    const isClosing = button.getAttribute("popovertargetaction") === "hide";
    button.addEventListener("click", isClosing ? () => sheet.close() : open);
  }
  // Beside the sheet is its backdrop.
  sheet.addEventListener("click", ({ target }) => target === sheet && sheet.close());
  if (isInAddress()) open();
  else if (hasList()) mark();
  addEventListener("hashchange", () => isInAddress() && open());
}
