#!/bin/bash
# The server's clock jumps: no row is removed, and new clients can join.
. "$(dirname "$0")/support.sh"

library=$(find /usr/lib -name libfaketime.so.1 | head -1)
[ -n "$library" ] || fail "libfaketime is missing: install faketime"
echo "+0" >"$work/clock"
# Deadlines use the monotonic clock: only the wall clock jumps.
start_server env LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE="$work/clock" FAKETIME_NO_CACHE=1 \
  FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1
now() {
  curl -s "http://$address/api/rooms/lobby/users" | sed 's/.*"now":\([0-9]*\).*/\1/'
}
start_client Ana
start_client Bo
before=$(now)
echo "+2h" >"$work/clock"
sleep 12
forward=$(($(now) - before))
[ "$forward" -gt 7000000 ] || fail "the clock did not jump: $forward ms"
echo "ok: the server's clock is ${forward} ms ahead"
expect "two hours later" "$(names)" "Ana, Bo"
start_client Kim
echo "-2h" >"$work/clock"
sleep 18
back=$(($(now) - before))
[ "$back" -lt 0 ] || fail "the clock did not jump back: $back ms"
echo "ok: the server's clock is ${back} ms ahead"
expect "four hours earlier" "$(names)" "Ana, Bo, Kim"
start_client Lee
expect "a new client after the jumps" "$(names)" "Ana, Bo, Kim, Lee"
for name in Ana Bo Kim; do
  ! grep -q 'disconnect_user\|reconnecting\|closed' "$work/$name" || fail "$name received a departure"
done
echo "ok: no client received a departure"
