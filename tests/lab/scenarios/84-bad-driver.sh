# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# A host driver that hangs, waits for a holder, refuses to come back, or is slow: the hook keeps its deadlines.
# board: faulty
# limit: 240

load_faults
mkvm 100 'hostpci0: 0000:01:00'
mkvm 101 'hostpci0: 0000:02:00'
chmod 755 /etc/pve-gpu
settings=$(cat /etc/pve-gpu/settings.ini)
printf '%s\n' 'start_deadline = 5' 'stop_deadline = 6' 'release_wait = 1' >>/etc/pve-gpu/settings.ini
keeper_on

back() {
	ok "$1: the lease is closed" wait_until 15 no_lease
	is "$1: the card is back" "$(driver 01:00.0)" fakegpu
	: >"$LAB/watch.log"
}

# stuck_start WHY: the unbind does not return.
stuck_start() {
	task hook_refuses 100 pre-start 'stuck.*unbind 0000:01:00\.0 from fakegpu'
	ok "$1: watch says so" wait_until 10 keeper_has_said 'VM 100: a step hangs in the kernel'
	"$TOOL" status 100 >"$LAB/said" 2>&1 </dev/null
	is "$1: status calls it a problem" "$?" 3
	like "$1: and names the step" "$(cat "$LAB/said")" 'stuck: .*unbind 0000:01:00\.0'
}

fault only 0000:01:00.0 remove_hang 1
stuck_start "hanging remove"
hook 100 pre-start
is "a second start is refused" "$STATUS" 1
below "within its deadline" "$MS" 15000
hook 100 post-stop
is "post-stop cannot help" "$STATUS" 1
below "and ends within its deadline" "$MS" 15000
is "one writer is in the kernel, and no second" "$(grep -l 'State:.D' /proc/[0-9]*/status 2>/dev/null | wc -l)" 1
task hook_ok 101 pre-start
is "the other card can be claimed" "$(driver 02:00.0)" vfio-pci
hook_ok 101 post-stop
fault remove_hang 0
back "the driver lets go"

fault remove_holder 1
exec 6</dev/fakegpu
stuck_start "a remove that waits for a holder"
exec 6<&-
back "the holder has closed the device"
fault remove_holder 0

task hook_ok 100 pre-start
fault probe_error 16
hook 100 post-stop
is "the driver refuses: post-stop says so" "$STATUS" 1
like "with the reason" "$SAID" 'bind 0000:01:00\.0 to fakegpu.*(EBUSY|busy)'
is "the card is on no driver" "$(driver 01:00.0)" none
fault probe_error 0
back "the driver has thought better of it"

fault remove_ms 1500 probe_ms 1500
task hook_ok 100 pre-start
is "a slow driver lets go" "$(driver 01:00.0)" vfio-pci
hook_ok 100 post-stop
is "and comes back" "$(driver 01:00.0)" fakegpu
fault remove_ms 0 probe_ms 0

fault remove_hang 1
stuck_start "hanging for good"
ok "it can be given up" "$TOOL" release --abandon 100
is "then there is no lease" "$(leases)" ""
hook_refuses 100 pre-start '0000:01:00\.0 is held by a step that hangs in the kernel'
fault remove_hang 0 only ''
ok "watch has nothing more to do with it" wait_until 10 test ! -e "/proc/$(cat "$LAB/watch.pid")"
"$TOOL" status >"$LAB/said" 2>&1 </dev/null
like "status remembers it" "$(cat "$LAB/said")" '0000:01:00\.0 was given up'
task hook_ok 100 pre-start
hook_ok 100 post-stop
is "a start takes it as it was, and leaves it so" "$(driver 01:00.0)" none
echo >$PCI/0000:01:00.0/driver_override
echo 0000:01:00.0 >/sys/bus/pci/drivers/fakegpu/bind
rm -r /run/pve-gpu/abandoned

# The VM has stopped, and may be back at once.
echo 'linger = 3600' >>/etc/pve-gpu/settings.ini
short_run() {
	hook_ok 100 pre-start
	sleep 1
	hook_ok 100 post-stop
}
mkvm 102 'hostpci0: 0000:01:00'
task short_run
is "after post-stop the card waits" "$(driver 01:00.0)" vfio-pci
is "with its lease" "$(leases)" 100
task short_run
is "and again after a second run" "$(driver 01:00.0)" vfio-pci
task hook_ok 102 pre-start
is "another VM gets it at once" "$(leases)" 102
is "on vfio-pci" "$(driver 01:00.0)" vfio-pci
back "the other start failed"

echo "$settings" >/etc/pve-gpu/settings.ini
wait_until 10 no_lease
keeper_off
unload_faults
