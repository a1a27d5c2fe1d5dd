# Shared functions of the scripts in this folder; it is sourced.

set -eu
program=$(realpath "${1:?name the program of the server}")
work=$(mktemp -d)
server=
client=

# Ends all processes of the script.
clean_up() {
  # Disowned, so that the shell prints nothing when they end.
  for process in $client $server; do
    disown "$process" 2>/dev/null || true
    kill -9 "$process" 2>/dev/null || true
  done
  umount "$work/state" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

# Starts the server with this command prefix, and finds its address.
start_server() {
  : >"$work/out"
  "$@" "$program" --config "$work/Leptos.toml" --state-dir "$work/state" --addr 127.0.0.1:0 \
    --operator-addr "${operator:-off}" >"$work/out" 2>>"$work/log" &
  server=$!
  for _ in $(seq 200); do
    address=$(sed -n 's|^Listening on http://||p' "$work/out")
    [ -n "$address" ] && return
    sleep 0.05
  done
  fail "the server did not start: $(tail -3 "$work/log")"
}

# A client that joins, stays, and records all frames.
start_client() {
  cat >"$work/client.mjs" <<'SCRIPT'
const [address, name] = process.argv.slice(2);
const socket = new WebSocket(`ws://${address}/r/lobby/socket`);
socket.onopen = () => socket.send(JSON.stringify({ event: "got_a_new_user", name }));
socket.onmessage = ({ data }) => console.log(data);
socket.onclose = ({ code }) => { console.log(`closed ${code}`); process.exit(); };
SCRIPT
  node --no-warnings --experimental-websocket "$work/client.mjs" "$address" "$1" >"$work/$1" &
  client="$client $!"
  for _ in $(seq 200); do
    grep -q existing_users "$work/$1" && return
    sleep 0.05
  done
  fail "$1 could not join"
}

# The names that are listed.
names() {
  curl -s --max-time 5 "http://$address/api/rooms/lobby/users" |
    node -e 'let all = ""; process.stdin.on("data", (some) => (all += some)).on("end", () =>
      console.log(JSON.parse(all).users.map(({ name, state }) => name + (state ? ` (${state})` : "")).join(", ")))'
}

expect() {
  if [ "$2" = "$3" ]; then echo "ok: $1: $2"; else fail "$1: $2, not $3"; fi
}

fail() {
  echo "FAILED: $1"
  exit 1
}

printf '[[workspace.metadata.leptos]]\noutput-name = "rollcall"\nenv = "PROD"\n' >"$work/Leptos.toml"
