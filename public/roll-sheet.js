// The sheet of the roll: who should be here, who of them is missing, and the roll to keep.

// Of the same build: a cache may hold that of another one.
const { search } = new URL(import.meta.url);
const [model, { namesIn, textOfFile }, output, { rowsOf, stateOf }, { clock, list, moment, nodes, number, say }, { copyText }, marks] =
  await Promise.all(
    ["model", "names", "output", "table", "text"]
      .map((name) => import(`./roll-${name}.js${search}`))
      .concat(import(`./copy.js${search}`), import(`./roll-marks.js${search}`)),
  );

/** How long a result such as "Copied" is shown, in milliseconds. */
const RESULT_LIFETIME = 2_500;
/** How long the list has to stay as it is before its result is said, in milliseconds. */
const QUIET_TIME = 1_000;
/** The most rows of a part: a room may have thousands who are not on the list. */
const MOST_ROWS = 500;
/** The most names in one sentence. */
const MOST_SAID = 12;
/** Spreadsheets expect semicolons where a comma is the decimal separator. */
const SEPARATOR = (0.5).toLocaleString().includes(",") ? ";" : ",";

/** Connects a sheet with its list; the second call for the same one has no effect. */
export function connect(sheet) {
  marks.connect(sheet);
  if (!sheet.hasAttribute("data-connected")) new Sheet(sheet);
  sheet.dispatchEvent(new Event("roll-opened"));
}

function element(name, properties = {}, ...content) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...content);
  return made;
}

class Sheet {
  #sheet;
  /** What each part shows, so that a part that stays as it is keeps its elements, and with them focus and pointer. */
  #shown = new Map();
  /** The list of the link that was opened, while the visitor has another one. */
  #offer;
  #sayTimer;
  /** How many names are left of what was pasted or opened, if not all of them. */
  #cutTo = 0;

  constructor(sheet) {
    this.#sheet = sheet;
    sheet.setAttribute("data-connected", "");
    model.begin(sheet);
    this.#connectList();
    this.#connectButtons();
    const stop = model.subscribe(() => (sheet.isConnected ? this.#show() : stop()));
    sheet.addEventListener("roll-opened", () => this.#onOpen());
    this.#field.value = model.state().text;
    this.#show();
  }

  /** One of the parts that the server rendered. */
  #part(name) {
    return this.#sheet.querySelector(`[data-roll=${name}]`);
  }

  get #field() {
    return this.#part("expected");
  }

  async #onOpen() {
    const text = await output.textOfFragment(location.hash);
    if (location.hash.startsWith("#roll=")) {
      // Whoever copies the address would copy the list with it.
      history.replaceState(history.state, "", location.pathname + location.search);
      if (text === undefined) this.#report("bad-link");
    }
    const { text: own } = model.state();
    if (text && own.trim() && text !== own) this.#offer = text;
    else if (text) this.#use(text);
    this.#show();
    if (!this.#field.value.trim() && model.shownState().calledAt === undefined) this.#field.focus();
    this.#sayAfterQuiet();
  }

  #use(text) {
    this.#field.value = text;
    model.setText(text);
    this.#sayAfterQuiet();
  }

  #connectList() {
    const field = this.#field;
    const file = this.#part("file");
    field.addEventListener("input", () => {
      this.#cutTo = 0;
      this.#use(field.value);
    });
    field.addEventListener("paste", (event) => this.#onPaste(event));
    file.addEventListener("change", async () => {
      await this.#addFiles(file.files);
      // The same file again is a change too.
      file.value = "";
    });
    const isFile = ({ dataTransfer }) => [...(dataTransfer?.types ?? [])].includes("Files");
    this.#sheet.addEventListener("dragover", (event) => {
      if (isFile(event)) event.preventDefault();
    });
    this.#sheet.addEventListener("drop", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      this.#addFiles(event.dataTransfer.files);
    });
  }

  /** Of a table only the names are kept. */
  #onPaste(event) {
    const { names, isTable, isCut } = namesIn(event.clipboardData?.getData("text/plain") ?? "");
    if (!(isTable || isCut) || names.length === 0) return;
    event.preventDefault();
    const field = this.#field;
    field.setRangeText(`${names.join("\n")}\n`, field.selectionStart, field.selectionEnd, "end");
    // It is cut before it is in the field, which would be slow with any length.
    this.#cutTo = isCut ? names.length : 0;
    this.#use(field.value);
  }

  async #addFiles(files) {
    const read = async (file) => textOfFile(await file.arrayBuffer());
    const texts = await Promise.all([...files].map(read)).catch(() => []);
    const found = texts.map((text) => namesIn(text));
    const names = found.flatMap((one) => one.names);
    if (names.length === 0) return this.#report("no-names");
    const before = namesIn(this.#field.value).names;
    const added = [...new Set(names)].filter((name) => !before.includes(name));
    this.#cutTo = found.find(({ isCut }) => isCut)?.names.length ?? 0;
    this.#use([...before, ...added].join("\n"));
    this.#report("taken", added.length);
  }

  #connectButtons() {
    const on = (name, listener) => {
      const button = this.#part(name);
      button.disabled = false;
      button.addEventListener("click", listener);
    };
    on("call", () => {
      model.call();
      // The button that was pressed is hidden now.
      this.#part("headline").focus();
      this.#say();
    });
    on("resume", () => {
      model.show(undefined);
      // The button that takes its place may have to wait for the list.
      this.#part("headline").focus();
    });
    on("clear", () => {
      this.#field.value = "";
      this.#cutTo = 0;
      model.clear();
      this.#field.focus();
    });
    on("undo", () => {
      model.undo();
      this.#field.value = model.state().text;
      this.#field.focus();
    });
    on("delete-rolls", () => {
      model.deleteRolls();
      this.#part("undo").focus();
    });
    this.#part("undo").textContent = say("undo");
    this.#part("delete-rolls").textContent = say("delete-rolls");
    this.#part("rolls-title").textContent = say("called-rolls");
    on("link", () => this.#copy(this.#link()));
    on("copy", () => this.#copy(Promise.resolve(output.tsv(this.#head, this.#rows(localMinute)))));
    on("csv", () => this.#downloadCsv());
    on("xlsx", () => this.#downloadXlsx());
    on("print", () => print());
    on("use-offer", () => this.#endOffer(() => this.#use(this.#offer)));
    on("keep-own", () => this.#endOffer(() => undefined));
  }

  #endOffer(decide) {
    decide();
    this.#offer = undefined;
    this.#show();
    this.#field.focus();
  }

  async #link() {
    const { names } = namesIn(model.state().text);
    return location.origin + location.pathname + (await output.fragmentOf(names.join("\n")));
  }

  async #copy(text) {
    this.#report(await copyText(text).then(() => "copied", () => "not-copied"));
  }

  /** Shows in one sentence what came of a click. */
  #report(key, ...values) {
    const status = this.#part("status");
    const words = say(key, ...values);
    status.textContent = words;
    setTimeout(() => {
      if (status.textContent === words) status.textContent = "";
    }, RESULT_LIFETIME);
  }

  get #head() {
    return ["status", "name", "arrived", "here-as"].map((column) => say(`column-${column}`));
  }

  #rows(time) {
    return rowsOf(model.shownState(), say, time);
  }

  #downloadCsv() {
    const table = output.csv(this.#head, this.#rows(output.localTime), SEPARATOR, [1, 3]);
    this.#download("csv", new Blob([table], { type: "text/csv;charset=utf-8" }));
  }

  async #downloadXlsx() {
    const { xlsx } = await import(`./roll-xlsx.js${search}`);
    this.#download("xlsx", xlsx(this.#head, this.#rows((seconds) => new Date(seconds * 1_000))));
  }

  #download(kind, file) {
    const address = URL.createObjectURL(file);
    const { calledAt = model.now() } = model.shownState();
    const time = output.localTime(calledAt / 1_000).slice(0, 16).replace("T", "-").replace(":", "");
    const link = element("a", { href: address, download: `roll-${this.#sheet.dataset.room}-${time}.${kind}` });
    this.#sheet.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), RESULT_LIFETIME);
  }

  /** Says who is missing, once, and not again at every change. */
  #sayAfterQuiet() {
    clearTimeout(this.#sayTimer);
    this.#sayTimer = setTimeout(() => {
      const { isReady, text } = model.state();
      if (!this.#sheet.open) return;
      if (isReady) this.#say();
      else if (text.trim()) this.#sayAfterQuiet();
    }, QUIET_TIME);
  }

  #say() {
    const { missing, unclear, here, total } = model.shownState();
    const names = missing.slice(0, MOST_SAID).map(({ name }) => name);
    const more = missing.length - names.length;
    if (more > 0) names.push(say("more", more));
    const toCheck = unclear.length > 0 ? [say("count-to-check", unclear.length)] : [];
    const counts = [say("headline", here.length, total), ...toCheck].join(" · ");
    const words = missing.length > 0 ? say("said-missing", missing.length, list(names)) : unclear.length > 0 ? "" : say("nobody-missing");
    this.#part("said").textContent = total === 0 ? "" : `${counts}. ${words}`.trim();
  }

  #show() {
    // It is shown when it is opened.
    if (!this.#sheet.open) return;
    const state = model.shownState();
    const { total, here, unclear, missing, calledAt, isReady, isLive, isStorable, isUndoable, used, text } = state;
    if (this.#field !== document.activeElement && this.#field.value !== text) this.#field.value = text;
    const hasList = total > 0;
    this.#sheet.toggleAttribute("data-has-list", hasList);
    this.#sheet.toggleAttribute("data-called", calledAt !== undefined);
    this.#part("result").hidden = !hasList;
    this.#part("offer").hidden = !this.#offer;
    for (const name of ["link", "clear"]) this.#part(name).hidden = !text.trim();
    this.#part("undo").hidden = !isUndoable;
    const cutTo = used ?? this.#cutTo;
    this.#set("too-many", cutTo > 0 ? say("too-many", cutTo) : "");
    this.#showRolls(state);
    this.#part("call").hidden = calledAt !== undefined;
    this.#part("call").disabled = !isReady;
    this.#part("resume").hidden = calledAt === undefined;
    this.#set("offer-words", say("offer", namesIn(this.#offer ?? "").names.length));
    this.#set("not-kept", isStorable ? "" : say("not-kept"));
    const room = this.#sheet.dataset.room;
    const title = calledAt === undefined ? ["title", room] : ["called-title", room, moment(calledAt)];
    this.#set("title", ...nodes(...title));
    this.#set("headline", isReady ? say("headline", here.length, total) : say("waiting"));
    const away = here.filter(({ people }) => stateOf(people) !== "here").length;
    const counts = [["count-to-check", unclear.length], ["count-missing", missing.length], ["count-away", away]];
    const known = counts.filter(([, count]) => isReady && count > 0).map(([key, count]) => say(key, count));
    this.#set("counts", known.join(" · "));
    this.#set("stale", isReady && !isLive && calledAt === undefined ? say("stale") : "");
    this.#showLists(isReady ? state : { ...state, here: [], missing: [], unclear: [], questions: [], strangers: [] });
  }

  /** The called rolls, of which the pressed one is shown. */
  #showRolls({ rolls, calledAt }) {
    const section = this.#part("rolls");
    section.hidden = rolls.length === 0;
    const signature = JSON.stringify([rolls.map(({ time }) => time), calledAt]);
    if (this.#shown.get("rolls") === signature) return;
    this.#shown.set("rolls", signature);
    const hadFocus = section.contains(document.activeElement);
    section.querySelector("ul").replaceChildren(...rolls.map((roll) => {
      const { here, total } = model.resultOf(roll);
      const words = `${moment(roll.time)} · ${say("headline", here.length, total)}`;
      const button = element("button", { type: "button" }, words);
      button.setAttribute("aria-pressed", String(roll.time === calledAt));
      button.addEventListener("click", () => model.show(roll.time));
      return element("li", {}, button);
    }));
    if (hadFocus && !section.contains(document.activeElement)) this.#part("headline").focus();
  }

  /** Sets a part's words if they are other ones. */
  #set(name, ...content) {
    const part = this.#part(name);
    const words = content.map((node) => node.textContent ?? node).join("");
    if (part.textContent !== words) part.replaceChildren(...content);
    part.hidden = words === "";
  }

  #showLists({ missing, late, questions, strangers, here, repeated, answers }) {
    this.#showList("questions", questions, (question) => this.#question(question));
    const arrivals = new Map(late.map(({ expected, people }) => [expected.key, people[0].joined]));
    const isHere = ({ key }) => !arrivals.has(key);
    const entries = missing.filter(isHere).map(({ name, key }) => ({ name, key }));
    entries.push(...late.map(({ expected: { name, key } }) => ({ name, key, joined: arrivals.get(key) })));
    this.#showList("missing", entries, (entry) => [
      name(entry.name),
      ...(entry.joined === undefined ? [] : [" ", detail(`${say("late")} ${clock(entry.joined)}`)]),
    ]);
    const isAnswered = (person) => answers.some((answer) => model.isAnswerAbout(answer, person));
    this.#showList("strangers", strangers, (person) => [
      name(person.name),
      " ",
      detail(clock(person.joined)),
      ...(isAnswered(person) ? [" ", this.#undo(person)] : []),
    ]);
    this.#showList("here", here, (match) => this.#match(match));
    this.#showList("repeated", repeated, ({ name: repeatedName, times }) => [
      name(repeatedName),
      " ",
      detail(say("times", times)),
    ]);
  }

  #showList(part, entries, contentOf) {
    const shown = entries.slice(0, MOST_ROWS);
    const signature = JSON.stringify([entries.length, shown]);
    if (this.#shown.get(part) === signature) return;
    this.#shown.set(part, signature);
    const section = this.#part(part);
    const hadFocus = section.contains(document.activeElement);
    section.hidden = entries.length === 0;
    section.querySelector("[data-roll=number]").textContent = number(entries.length);
    const rows = shown.map((entry) => element("li", {}, ...contentOf(entry)));
    const more = entries.length - shown.length;
    if (more > 0) rows.push(element("li", {}, say("more", more)));
    section.querySelector("ul").replaceChildren(...rows);
    if (hadFocus && !section.contains(document.activeElement)) this.#refocus();
  }

  /** After an answer the keyboard goes on with the next question. */
  #refocus() {
    const next = this.#part("questions").querySelector("button");
    (next ?? this.#part("headline")).focus();
  }

  #question({ person, candidates }) {
    const [only, ...others] = candidates;
    const words = element("p", { id: `roll-question-${person.id}` });
    const answers = element("div", { className: "roll-answers" });
    const add = (content, listener) => {
      const button = element("button", { type: "button" }, content);
      button.setAttribute("aria-describedby", words.id);
      button.addEventListener("click", listener);
      answers.append(button);
    };
    const sayNo = () => candidates.forEach((expected) => model.setAnswer(person, expected, false));
    const title = say("arrived-at", clock(person.joined));
    if (others.length === 0) {
      words.append(...nodes("is-that", person.name, only.name));
      add(say("yes"), () => model.setAnswer(person, only, true));
      add(say("no"), sayNo);
    } else {
      words.append(...nodes("who-is", person.name));
      for (const expected of candidates) add(name(expected.name), () => model.setAnswer(person, expected, true));
      add(say("none-of-them"), sayNo);
    }
    words.append(" ", detail(title));
    return [words, answers];
  }

  #match({ expected, people, answered }) {
    const state = stateOf(people);
    const [first] = people;
    const content = [name(expected.name), " ", detail(clock(first.joined))];
    const add = (...nodes) => content.push(" ", element("span", { className: "roll-detail" }, ...nodes));
    if (state !== "here") add(say(state));
    if (answered.length > 0) add(...nodes("as", answered[0].name));
    if (people.length > 1) add(say("in-rows", people.length));
    for (const person of answered) content.push(" ", this.#undo(person));
    return content;
  }

  /** Takes the answer about a person back. */
  #undo(person) {
    const button = element("button", { type: "button", className: "roll-undo" }, say("undo"));
    button.setAttribute("aria-label", say("undo-about", person.name));
    button.addEventListener("click", () => model.forgetAnswers(person));
    return button;
  }
}

function name(text) {
  return element("bdi", { translate: false }, text);
}

function detail(text) {
  return element("span", { className: "roll-detail" }, text);
}

/** "2026-11-30 09:02", which spreadsheets read as a time. */
function localMinute(seconds) {
  return output.localTime(seconds).slice(0, 16).replace("T", " ");
}
