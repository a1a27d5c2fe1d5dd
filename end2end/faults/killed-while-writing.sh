#!/bin/bash
# The server is killed in the middle of a write, repeatedly: the next one finds the saved rooms intact.
. "$(dirname "$0")/support.sh"

# Without a log, so that the limit hits the write of this file.
export ROLLCALL_LOG=off
wait_until_saved() {
  for _ in $(seq 100); do
    grep -q "\"$1\"" "$work/state/rooms.json" 2>/dev/null && return
    sleep 0.1
  done
  fail "$1 is not saved"
}
expected=
for round in 1 2 3 4 5; do
  start_server env
  expect "before round $round" "$(names)" "$expected"
  start_client "Kept-$round"
  wait_until_saved "Kept-$round"
  # The system kills the server when it writes more than so many bytes to a file.
  prlimit --pid "$server" --fsize=100
  start_client "Too-late-$round"
  { wait "$server" && died=no || died=yes; } 2>/dev/null
  [ "$died" = yes ] || fail "the server was not killed"
  expect "round $round, bytes of the unfinished file" "$(stat -c %s "$work/state/rooms.json.new")" 100
  expected="${expected:+$expected, }Kept-$round"
done
start_server env
expect "in the end" "$(names)" "$expected"
start_client Last
wait_until_saved Last
[ ! -e "$work/state/rooms.json.new" ] || fail "an unfinished file is left"
echo "ok: the next file is complete"
