// What helps a page that can't be hydrated as it is: its parts again, from the server, or the list without WASM.

/** How long to wait between attempts to reach the server, in milliseconds. */
const RETRY_INTERVAL = 5_000;

/** The parts of the page as the server renders them now. Nothing on the way optimises JSON. */
export async function fetchParts({ parts }) {
  const response = await fetch(parts, { cache: "no-store" });
  if (!response.ok) throw new Error(response.statusText);
  return response.json();
}

/** Renders all parts anew and hydrates them within one task, in which nobody else can change them. */
export async function hydrateAnew({ data, showCause }, page, names) {
  const parts = await fetchParts(data).catch(async (error) => {
    showCause(await causeOfSilence(error));
    return partsOnceReachable(data);
  });
  document.documentElement.removeAttribute("data-cause");
  renderMain(data, parts);
  if (!page.begin(JSON.stringify(parts.page), data.texts)) throw new Error("the page's data can't be read");
  for (const name of names) page[`hydrate_${name}`]();
  page.connect();
}

/** Replaces the content of `<main>`. What the visitor typed stays. */
export function renderMain({ modules, build }, parts) {
  const before = document.getElementById("name");
  // Other programs may store anything in the history entry.
  const typed = before?.value || [history.state?.typed].find((text) => typeof text === "string");
  const hadFocus = before && before === document.activeElement;
  document.querySelector("main").innerHTML = parts.main;
  globalThis.rollcallFormat?.showTimes();
  const field = document.getElementById("name");
  if (field && typed) field.value = typed;
  if (field && hadFocus) field.focus({ preventScroll: true });
  history.replaceState({ ...history.state, typed: undefined }, "");
  runModules({ modules, build }, parts.page.list.now);
}

/** Runs the modules again that begin with elements within `<main>`, which are other ones now. */
export function runModules({ modules, build }, time) {
  for (const module of modules) import(`./${module}?${build}#anew-${time}`);
}

/** Reloads a page that failed, as soon as the server answers. */
export async function reload(data, failures) {
  const typed = document.getElementById("name")?.value;
  history.replaceState({ ...history.state, failures: [...failures, Date.now()], typed }, "");
  await onceReachable(data);
  location.reload();
}

/** Follows the list without WASM, and says why. */
export async function follow({ data, failures, showCause, markStale }, error) {
  const cause = failures.length > 1 ? "changed" : await causeOf(error, data);
  showCause(cause);
  // Browsers keep the state of the history entry when a link leads to the same page.
  document.querySelector(".not-started a")?.addEventListener("click", () => history.replaceState(null, ""));
  const { followList } = await import(`./watch.js?${data.build}`);
  followList({ fetchParts: () => fetchParts(data), renderMain: (parts) => renderMain(data, parts), markStale, data });
  if (cause !== "no_network") return;
  await partsOnceReachable(data);
  location.reload();
}

async function onceReachable(data) {
  const isReachable = () => fetchParts(data).catch(async (error) => (await causeOfSilence(error)) === "file_blocked");
  while (!(await isReachable())) await new Promise((go) => setTimeout(go, RETRY_INTERVAL));
}

async function partsOnceReachable(data) {
  for (;;) {
    const parts = await fetchParts(data).catch(() => undefined);
    if (parts) return parts;
    await new Promise((go) => setTimeout(go, RETRY_INTERVAL));
  }
}

/** Why the WASM does not run. */
async function causeOf(error, data) {
  if (!globalThis.WebAssembly) return "no_webassembly";
  if (/content security|csp/i.test(error.message)) return "webassembly_forbidden";
  const files = [data.script, data.wasm].map((url) => fetch(url, { method: "HEAD", cache: "no-store" }));
  const responses = await Promise.allSettled(files);
  const silence = await fetchParts(data).then(() => undefined, causeOfSilence);
  if (silence) return silence;
  if (responses.some(({ value }) => value && !value.ok)) return "file_refused";
  return responses.some(({ reason }) => reason) ? "file_blocked" : "failed_to_start";
}

/** Why a `fetch` failed with this error: some content blockers stop each, and let scripts load. */
async function causeOfSilence(error) {
  if (!(error instanceof TypeError)) return "no_network";
  const script = await import(`./blocked.js?reachable-${Date.now()}`).catch(() => undefined);
  return script ? "file_blocked" : "no_network";
}
