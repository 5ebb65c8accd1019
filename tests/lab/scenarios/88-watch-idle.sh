# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# While a VM runs, watch does not run: it is never woken, and keeps less than 2 MB in memory.
# board: faulty

card='03:00.0 03:00.1'
mkvm 100 'hostpci0: 0000:03:00,pcie=1'
start_vm 100 $card
"$TOOL" watch >"$LAB/watch.log" 2>&1 </dev/null &
watch=$!

switches() {
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$watch/status"
}

sleep 4
woken=$(switches)
sleep $IDLE
is "in $IDLE s it was never woken" "$(switches)" "$woken"
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$watch/status")
echo "# watch, $IDLE s beside a running VM: woken $(($(switches) - woken)) times, $rss kB resident"
below "it keeps less than 2 MB in memory" "$rss" 2048
is "it has nothing to say" "$(cat "$LAB/watch.log")" ""
stop_qemu 100 quit
hook_ok 100 post-stop
ok "without a lease it ends" wait_until 10 test ! -e "/proc/$watch"
ok "sound comes back" wait_until 10 sound_of 03:00.1
