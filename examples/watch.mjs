// Prints who joins and leaves a room, and reconnects by itself. It needs Node 20 and no package:
//
//   node examples/watch.mjs http://127.0.0.1:3000 lobby

const [server = "http://127.0.0.1:3000", room = "lobby"] = process.argv.slice(2);
const url = `${server}/api/rooms/${room}/events`;
const IDLE_TIMEOUT_MS = 15_000; // The server sends a `beat` every 10 s.
let names = new Map(); // By id, in order of arrival.
let pieces = []; // Frames of a long list or difference whose last frame has not come yet.
let lastEventId; // EPOCH.SEQ: from here the server resumes.

/** Applies one whole list or difference, which may have come in several frames. */
function apply(frames) {
  const after = new Map(frames[0].event === "existing_users" ? [] : names);
  for (const { disconnect_user = {} } of frames)
    for (const id of Object.values(disconnect_user).flat()) after.delete(id);
  for (const { user_changed = {}, new_user = [], users = [] } of frames)
    for (const { id, name } of [...(user_changed.renamed ?? []), ...new_user, ...users]) after.set(id, name);
  for (const [id, name] of names) if (!after.has(id)) console.log(`- ${name}`);
  for (const [id, name] of after) if (!names.has(id)) console.log(`+ ${name}`);
  if (after.size !== names.size) console.log(`= ${after.size} here`);
  names = after;
}

/** Handles one event of the stream: its lines are `event: …`, `id: …` and `data: …`. */
function onEvent(text) {
  const fields = Object.fromEntries(text.split("\n").map((line) => line.split(/: ?(.*)/s)));
  if (!fields.data || fields.event === "beat") return;
  pieces.push(JSON.parse(fields.data));
  if (!fields.id) return; // Only the frame that completes a list or a difference has an id.
  lastEventId = fields.id;
  apply(pieces.splice(0));
}

async function follow() {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("no beat for 15 s")), IDLE_TIMEOUT_MS);
  const headers = lastEventId ? { "Last-Event-ID": lastEventId } : {};
  try {
    const response = await fetch(url, { headers, signal: controller.signal });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    let rest = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      timer.refresh();
      const events = (rest + chunk).split("\n\n");
      rest = events.pop();
      events.forEach(onEvent);
    }
  } finally {
    clearTimeout(timer);
    pieces = [];
  }
}

for (;;) {
  await follow().catch((error) => console.log(`# ${error.message}`));
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 3_000));
}
