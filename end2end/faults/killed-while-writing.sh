#!/bin/bash
# The server is killed in the middle of a write, again and again: the next finds the rooms whole.
. "$(dirname "$0")/support.sh"

# Nothing else is written, so that it is this file that is not finished.
export ROLLCALL_LOG=off
kept() {
  for _ in $(seq 100); do
    grep -q "\"$1\"" "$work/state/rooms.json" 2>/dev/null && return
    sleep 0.1
  done
  fail "$1 is not kept"
}
expected=
for round in 1 2 3 4 5; do
  start_server env
  expect "before round $round" "$(names)" "$expected"
  start_client "Kept-$round"
  kept "Kept-$round"
  # The system kills whoever writes more than so many bytes into a file.
  prlimit --pid "$server" --fsize=100
  start_client "Too-late-$round"
  { wait "$server" && died=no || died=yes; } 2>/dev/null
  [ "$died" = yes ] || fail "the server was not killed"
  expect "round $round, bytes of the unfinished file" "$(stat -c %s "$work/state/rooms.json.new")" 100
  expected="${expected:+$expected, }Kept-$round"
done
start_server env
expect "in the end" "$(names)" "$expected"
start_client Somebody
kept Somebody
[ ! -e "$work/state/rooms.json.new" ] || fail "half a file is left"
echo "ok: the next file is whole"
