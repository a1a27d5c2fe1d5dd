// `<roll-call room="team-7">`: who is here, on any page. The entry `rollcall-client/roll-call`, and the file
// /roll-call.js of a server.

import { announcement } from "./announcement.js";
import { hueOf, initials, styleSheet } from "./appearance.js";
import { changeBetween } from "./change.js";
import { Room, type Refusal, type RoomOptions, type User } from "./client.js";
import { namesPhrase, number, TEXTS } from "./texts.js";

export * from "./client.js";
export { TEXTS };

/** How many faces are shown unless `max` says it. */
const MOST_FACES = 24;
/** How long changes gather before a screen reader is told, in milliseconds. */
const ANNOUNCEMENT_DELAY = 1_000;

let sheet: CSSStyleSheet | undefined;

// On a server there are no elements; what imports this there only wants it to load.
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

export class RollCallElement extends Base {
  static readonly observedAttributes = ["room", "server", "name", "max"];

  /** The room that it shows, while it is in a document and `room` is valid. */
  room: Room | undefined;
  /** Why it is not live, or why the name is not listed, in the server's words. */
  #refusal: Partial<Refusal> = {};
  /** Whom a screen reader was told. */
  #heard: readonly User[] | undefined;
  #announcementTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #number = make("b", "number");
  readonly #unit = make("span", "unit");
  readonly #faces = make("ul", "faces");
  readonly #names = make("p", "names");
  readonly #note = make("p", "note");
  readonly #announcer = make("p", "announcer");

  connectedCallback(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [(sheet ??= styleSheet())];
    const count = make("p", "count");
    count.append(this.#number, " ", this.#unit);
    this.#faces.role = "list";
    this.#announcer.role = "status";
    root.replaceChildren(count, this.#faces, this.#names, this.#note, this.#announcer);
    this.#connect();
  }

  disconnectedCallback(): void {
    this.room?.close();
    this.room = undefined;
    clearTimeout(this.#announcementTimer);
  }

  attributeChangedCallback(attribute: string, old: string | null, value: string | null): void {
    // Those of the HTML come before it is connected.
    if (!this.shadowRoot || !this.isConnected || old === value) return;
    if (attribute === "name" && old && value) {
      this.#refusal = {};
      this.room?.join(value);
    } else if (attribute !== "max") return this.#connect();
    this.#render();
  }

  #connect(): void {
    this.disconnectedCallback();
    this.#heard = this.#announcementTimer = undefined;
    this.#refusal = {};
    const attribute = (name: string) => this.getAttribute(name) ?? undefined;
    const name = attribute("name");
    const options: RoomOptions = { room: attribute("room") ?? "lobby", server: attribute("server"), name };
    try {
      this.room = new Room({ ...options, watchOnly: !name });
    } catch (error) {
      this.#refusal = error as Error;
    }
    this.room?.on("change", () => this.#onChange());
    this.room?.on("status", () => this.#render());
    this.room?.on("refused", (refusal) => {
      this.#refusal = refusal;
      this.#render();
    });
    this.#render();
  }

  #onChange(): void {
    this.#render();
    if (!this.#heard) this.#heard = this.room!.users;
    else this.#announcementTimer ??= setTimeout(() => this.#announce(), ANNOUNCEMENT_DELAY);
  }

  #announce(): void {
    this.#announcementTimer = undefined;
    const byId = (users: readonly User[]) => new Map(users.map((user) => [user.id, user]));
    const { users } = this.room!;
    this.#announcer.textContent = announcement(changeBetween(byId(this.#heard!), byId(users)));
    this.#heard = users;
  }

  #render(): void {
    const { users = [], status = "stale" } = this.room ?? {};
    const away = users.filter(({ state }) => state === "away").length;
    const most = Number(this.getAttribute("max") ?? MOST_FACES) || 0;
    const rest = users.length - most;
    this.toggleAttribute("data-stale", status === "stale");
    const isLive = status === "live";
    this.#number.textContent = users[0] || isLive ? number(users.length - away) : "–";
    this.#unit.textContent = TEXTS.hereNow + (away ? ` · ${number(away)} ${TEXTS.away}` : "");
    this.#faces.ariaLabel = TEXTS.whoIsHere;
    this.#faces.replaceChildren(...users.slice(0, most).map(face), ...(rest > 0 ? [more(rest)] : []));
    this.#names.replaceChildren(...(users[0] || !isLive ? namesPhrase(users).map(nodeOf) : [TEXTS.nobody]));
    // The names of the faces are heard already.
    this.#names.ariaHidden = String(users.length > 0);
    // That of a connection is over; that of a name is not.
    if (isLive && !this.#refusal.of) this.#refusal = {};
    this.#note.textContent =
      this.#refusal.message ?? (isLive ? "" : status === "connecting" ? TEXTS.connecting : TEXTS.notLive);
  }
}

/** An element that a page can style by its part. */
function make(tag: string, part: string, ...children: (string | Node)[]): HTMLElement {
  const element = document.createElement(tag);
  element.setAttribute("part", part);
  element.className = part;
  element.append(...children);
  return element;
}

function isolated(name: string): HTMLElement {
  const element = document.createElement("bdi");
  element.translate = false;
  element.textContent = name;
  return element;
}

/** One person: a visible avatar, the name for screen readers, and name and state as a tooltip. */
function face({ id, name, state }: User): HTMLElement {
  const words = state === "here" ? "" : `, ${TEXTS[state]}`;
  const avatar = make("i", "avatar", initials(name));
  avatar.ariaHidden = "true";
  avatar.style.setProperty("--hue", String(hueOf(id)));
  const element = make("li", "face", avatar, make("span", "announcer", isolated(name), words));
  element.dataset["state"] = state;
  element.title = name + words;
  return element;
}

/** How many people there are beyond the faces; the mark keeps the sign before the number. */
function more(count: number): HTMLElement {
  return make("li", "more", make("i", "rest", `\u200e+${number(count)}`), make("span", "announcer", TEXTS.more));
}

/** A part of a phrase; a name may be written in another direction than what surrounds it. */
function nodeOf({ type, value }: { type: string; value: string }): Node | string {
  return type === "element" ? isolated(value) : value;
}

if (globalThis.customElements && !customElements.get("roll-call")) customElements.define("roll-call", RollCallElement);
