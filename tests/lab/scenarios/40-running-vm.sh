# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# A second VM wants the card of a running one; then that one is killed and its card must come back all the same.
# board: workstation
# limit: 240

card='01:00.0 01:00.1 01:00.2'
vfio='vfio-pci vfio-pci vfio-pci'
mkvm 100 'hostpci0: 0000:01:00,pcie=1'
mkvm 140 'hostpci0: 0000:01:00.0'

start_vm 100 $card
qemu=$(qemu_pid 100)

hook_refuses 140 pre-start '(VM|vm) ?100'
is "the card has not moved" "$(driver $card)" "$vfio"
ok "the first VM's QEMU still runs" qemu_runs "$qemu"
is "and still has its card" "$(qemu_sees 100)" "hostpci0.0 hostpci0.1 hostpci0.2 "
is "the lease is still the first VM's" "$(leases)" 100
hook 140 post-stop
is "post-stop of the refused VM moves nothing" "$(driver $card)" "$vfio"
"$TOOL" release 100 >"$LAB/said" 2>&1 </dev/null
is "pve-gpu release refuses while the VM lives" "$?" 4
is "the card has not moved" "$(driver $card)" "$vfio"

stop_qemu 100 kill
hook_ok 100 post-stop
below "post-stop after kill -9 takes less than 40 s" "$MS" 40000
is "the card is back" "$(driver $card)" "bochs-drm snd_hda_intel xhci_hcd"
ok "QEMU is gone" test ! -e "/proc/$qemu"

task hook_ok 140 pre-start
is "now the second VM gets it" "$(driver $card)" "$vfio"
hook_ok 140 post-stop
