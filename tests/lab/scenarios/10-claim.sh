# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# A card of three functions goes to a VM, a real QEMU starts on it, and it comes back; its twin never moves.
# board: workstation
# limit: 180

card='01:00.0 01:00.1 01:00.2'
twin='02:00.0 02:00.1 02:00.2'
home='bochs-drm snd_hda_intel xhci_hcd'
mkvm 100 'hostpci0: 0000:01:00,pcie=1,x-vga=1' 'ostype: l26'

is "the host's drivers have the card" "$(driver $card)" "$home"
ok "the card is the host's display" display_of 01:00.0
ok "the host plays sound through it" sound_of 01:00.1
others=$(drivers_of | grep -v 0000:01:00)

hook_ok 100 pre-start
is "all three functions are on vfio-pci" "$(driver $card)" "vfio-pci vfio-pci vfio-pci"
is "the twin has not moved" "$(driver $twin)" "$home"
is "nor has anything else in the machine" "$(drivers_of | grep -v 0000:01:00)" "$others"
like "every function has its line" "$OUT" '01:00\.2.*xhci_hcd.*vfio-pci'
is "there is a lease" "$(leases)" 100

start_qemu 100 $card || not_ok "QEMU starts on the card" "status $?"
is "QEMU has all three functions on its bus" "$(qemu_sees 100)" "hostpci0.0 hostpci0.1 hostpci0.2 "
hook_ok 100 post-start
is "post-start changes nothing" "$(driver $card)" "vfio-pci vfio-pci vfio-pci"
hook_ok 100 pre-stop
is "pre-stop changes nothing" "$(driver $card)" "vfio-pci vfio-pci vfio-pci"

stop_qemu 100 quit
hook_ok 100 post-stop
below "post-stop takes less than 30 s" "$MS" 30000
is "every function is back on its driver" "$(driver $card)" "$home"
ok "the card is the host's display again" wait_until 10 display_of 01:00.0
ok "sound comes back" wait_until 10 sound_of 01:00.1
