// A room by Bun's publish/subscribe (uWebSockets), for comparison: Rollcall's frames, one for each change, and nothing else.
// No resuming, no tabs, no grace periods, no limits, no digests.
const rooms = new Map();
const room = (name) => rooms.get(name) ?? rooms.set(name, { name, seq: 0, rows: new Map() }).get(name);
let people = 0;

function change(room, difference) {
  const from = room.seq++;
  server.publish(room.name, JSON.stringify({ event: "changes", from, seq: room.seq, ...difference }));
}

// Frames of at most 4 KiB, as Rollcall's clients expect them.
function sendList(socket, { seq, rows }) {
  const [users, ...more] = pages([...rows.values()]);
  const [you, now] = [socket.data.id, Date.now()];
  const head = { event: "existing_users", epoch: "bun", seq, you, now, count: rows.size, users: [] };
  socket.send(JSON.stringify(head).slice(0, -2) + users + "]}");
  for (const users of more) socket.send(`{"event":"more_users","users":[${users}]}`);
}
const pages = (rows) =>
  Array.from({ length: Math.max(1, Math.ceil(rows.length / 40)) }, (_, page) => rows.slice(page * 40, page * 40 + 40).join());

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    const [, , name, list] = new URL(request.url).pathname.replace("/api/rooms", "/r").split("/");
    if (list === "users") return new Response(`{"users":[${[...room(name).rows.values()]}]}`);
    const id = (people++).toString(36).padStart(11, "0");
    if (!server.upgrade(request, { data: { id, name } })) return new Response("", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 960,
    message(socket, text) {
      const { id, name, isFollowing } = socket.data;
      const [frame, here] = [JSON.parse(text), room(name)];
      if (frame.event === "leave" && here.rows.delete(id)) change(here, { disconnect_user: { left: [id] } });
      if (frame.event === "got_a_new_user" && !here.rows.has(id)) {
        const user = { id, name: frame.name, joined: Math.floor(Date.now() / 1000) };
        here.rows.set(id, JSON.stringify(user));
        change(here, { new_user: [user] });
      }
      if (isFollowing) return;
      socket.data.isFollowing = true;
      socket.subscribe(name);
      sendList(socket, here);
    },
    close(socket, code) {
      const { id, name } = socket.data;
      const here = room(name);
      const row = here.rows.get(id);
      if (!row) return;
      if (code !== 1006) {
        here.rows.delete(id);
        return change(here, { disconnect_user: { closed: [id] } });
      }
      here.rows.set(id, row.slice(0, -1) + ',"state":"reconnecting"}');
      change(here, { user_changed: { reconnecting: [id] } });
    },
  },
});
console.log(`Listening on http://127.0.0.1:${server.port}`);
