#!/bin/bash
# The disk with the state directory and the log is full: the server keeps running and counts it, and saves the rooms
# and writes its log again once there is space.
if [ "${IN_OWN_NAMESPACE:-}" != yes ]; then
  # A small disk of its own, invisible to other processes.
  exec env IN_OWN_NAMESPACE=yes unshare --user --map-root-user --mount bash "$0" "$@"
fi
. "$(dirname "$0")/support.sh"

mkdir "$work/state"
mount -t tmpfs -o size=64k tmpfs "$work/state"
ln -s state/log "$work/log"
operator=127.0.0.1:0
start_server env
operator=$(sed -n 's|.*listening for the operator on http://\([0-9.:]*\).*|\1|p' "$work/log" | head -1)
failures() {
  curl -s "http://$operator/metrics" | sed -n 's/^rollcall_state_write_failures_total //p'
}
expect "failures at first" "$(failures)" 0
dd if=/dev/zero of="$work/state/filler" bs=1k count=100 2>/dev/null || true
echo "ok: $(df --output=avail -k "$work/state" | tail -1 | tr -d ' ') KiB are left on the disk"
start_client Ana
for _ in $(seq 60); do
  [ "$(failures)" != 0 ] && break
  sleep 0.5
done
[ "$(failures)" != 0 ] || fail "no write failed"
echo "ok: the server counts $(failures) writes that failed"
start_client Bo
expect "with a full disk" "$(names)" "Ana, Bo"
rm "$work/state/filler"
for _ in $(seq 60); do
  grep -q Bo "$work/state/rooms.json" 2>/dev/null && break
  sleep 0.5
done
grep -q Bo "$work/state/rooms.json" || fail "the rooms are not saved, although there is space"
echo "ok: with space again, the rooms are saved"
start_client Kim
expect "with space again" "$(names)" "Ana, Bo, Kim"
kill -TERM "$server"
wait "$server" && echo "ok: the server shut down cleanly"
server=
grep -q "rooms saved" "$work/log" || fail "the log is not written, although there is space"
echo "ok: the log is written again"
