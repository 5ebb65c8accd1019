# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# A sound device is opened when the hook has already looked: the kernel never ends that unbind, but the hook must.
# board: workstation
# limit: 300

card='01:00.0 01:00.1 01:00.2'
home='bochs-drm snd_hda_intel xhci_hcd'
mkvm 100 'hostpci0: 0000:01:00,pcie=1'
mkvm 160 'hostpci0: 0000:03:00'
expect_kernel 'INFO: task .* blocked for more than'

# The lease is written before the first step; loading vfio-pci anew makes some time between that and the unbind.
hold_late() {
	wait_until 10 sound_of 01:00.1
	sound=$(sound_of 01:00.1)
	modprobe -r vfio-pci
	sh -c 'until [ -e "$1" ]; do :; done; exec sleep 1000 <"$0"' "/dev/snd/controlC${sound#card}" "$LEASES/100" &
	holder=$!
}

# A holder that comes too late is no trial.
stuck_start() {
	for _ in 1 2 3; do
		hold_late
		hook 100 pre-start
		[ "$STATUS" -eq 0 ] || break
		hook 100 post-stop
		wait $holder 2>/dev/null
	done
	is "pre-start is refused" "$STATUS" 1
	like "it says on which function, and in which step" "$SAID" 'unbind.*01:00\.1'
	below "it ends within a minute" "$MS" 60000
	echo $holder >"$LAB/holder"
}

task stuck_start
is "the other two functions are the host's again" "$(driver 01:00.0 01:00.2)" "bochs-drm xhci_hcd"
is "the lease is kept" "$(leases)" 100

hook 100 post-stop
is "post-stop fails, too" "$STATUS" 1
below "and ends within a minute" "$MS" 60000
hook 100 pre-start
is "so does another start" "$STATUS" 1
below "within a minute" "$MS" 60000
task hook_ok 160 pre-start
is "another card can still be claimed" "$(driver 03:00.0 03:00.1)" "vfio-pci vfio-pci"
hook_ok 160 post-stop

kill "$(cat "$LAB/holder")"
ok "pve-gpu release 100, once the holder is gone" wait_until 15 "$TOOL" release 100
is "the card is back" "$(driver $card)" "$home"
ok "sound comes back" wait_until 10 sound_of 01:00.1
