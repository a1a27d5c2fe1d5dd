// What the host of a room does: opens the host's link, and the host's panel.
//
// It listens on the document, as the page's parts may be rendered anew.

/** More names are found by typing. */
const MOST_NAMES = 50;

const room = location.pathname.replace(/\/$/, "");

async function post(address, fields) {
  const response = await fetch(address, { method: "POST", body: new URLSearchParams(fields) });
  // The server says why in a sentence.
  if (!response.ok) throw new Error((await response.text()).trim());
}

/** The secret in the host's link. Nobody should see it in the address bar, nor find it in the history. */
async function openHostLink() {
  const secret = new URLSearchParams(location.hash.slice(1)).get("host");
  if (secret === null) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  try {
    await post(`${room}/host`, { secret });
    location.reload();
  } catch (error) {
    showRefusal(error.message);
  }
}

/** There is no panel to say it in. */
function showRefusal(sentence) {
  const output = document.createElement("p");
  output.className = "without-host";
  output.role = "alert";
  output.textContent = sentence;
  document.querySelector("main").before(output);
}

const panel = () => document.querySelector(".host");

function say(sentence) {
  panel().querySelector("[role=status]").textContent = sentence;
}

/** Asks a question in a dialog. Returns whether it is confirmed. */
async function confirms(question, confirm) {
  const dialog = panel().querySelector(".host-question");
  dialog.querySelector("p").textContent = question;
  dialog.querySelector(".primary").textContent = confirm;
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  return dialog.returnValue === "confirmed";
}

/** Does what an element's attributes say, to the person of that name where its texts have a place for one. */
async function act({ dataset }, confirm, fields = {}, name = "") {
  const { action, question, done } = dataset;
  const withName = (template) => template.replace("{0}", () => name);
  if (question && !(await confirms(withName(question), confirm))) return;
  say("");
  try {
    await post(`${panel().dataset.actions}/${action}`, fields);
    say(withName(done));
    if (action === "close" || action === "open") showWhetherClosed(action === "close");
  } catch (error) {
    // Without an answer it is a TypeError, whose text is for programmers.
    say(error instanceof TypeError ? panel().dataset.unreachable : error.message);
  }
}

function showWhetherClosed(isClosed) {
  const [close, open] = ["close", "open"].map((action) => panel().querySelector(`[data-action=${action}]`));
  close.hidden = isClosed;
  open.hidden = !isClosed;
  (isClosed ? open : close).focus();
}

/** The people of the room, as the server lists them now: the page holds only the rows in sight. */
let people = [];

async function showPeople({ dataset }) {
  const dialog = panel().querySelector(".host-people");
  try {
    const response = await fetch(dataset.people, { cache: "no-store" });
    if (!response.ok) throw new Error((await response.text()).trim());
    ({ users: people } = await response.json());
  } catch (error) {
    return say(error instanceof TypeError ? panel().dataset.unreachable : error.message);
  }
  dialog.querySelector("input").value = "";
  listNames();
  dialog.showModal();
}

/** Without case and accents. */
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function listNames() {
  const dialog = panel().querySelector(".host-people");
  const wanted = folded(dialog.querySelector("input").value.trim());
  const found = people.filter(({ name }) => folded(name).includes(wanted)).slice(0, MOST_NAMES);
  const rows = found.map(({ id, name, joined }) => {
    const button = document.createElement("button");
    button.type = "button";
    Object.assign(button.dataset, { person: id, name });
    const who = document.createElement("bdi");
    who.textContent = name;
    // It tells people of one name apart.
    const since = document.createElement("time");
    since.textContent = globalThis.rollcallFormat.time(joined);
    button.append(who, since);
    const row = document.createElement("li");
    row.append(button);
    return row;
  });
  dialog.querySelector("ul").replaceChildren(...rows);
  dialog.querySelector(".hint").hidden = rows.length > 0;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.(".host button");
  if (!button) return;
  const { people: address, person, name, action } = button.dataset;
  if (address) showPeople(button);
  else if (action) act(button, button.textContent);
  else if (person) {
    const list = button.closest("ul");
    button.closest("dialog").close();
    act(list, list.dataset.confirm, { id: person }, name);
  }
});
document.addEventListener("input", ({ target }) => {
  if (target.matches(".host-people input")) listNames();
});
// In a list of buttons, Enter in the field would close the dialog.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches(".host-people input")) event.preventDefault();
});

/** The server renders buttons disabled, since they need this script. */
function enable() {
  for (const button of document.querySelectorAll(".host-actions button")) button.disabled = false;
}

enable();
new MutationObserver(enable).observe(document.querySelector("main"), { childList: true });
addEventListener("hashchange", openHostLink);
openHostLink();
