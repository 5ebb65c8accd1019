# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# A program holds the card's sound device, whose driver then waits for ever: the hook must end, and say what is stuck.
# board: workstation
# limit: 240

card='01:00.0 01:00.1 01:00.2'
mkvm 100 'hostpci0: 0000:01:00,pcie=1'
mkvm 150 'hostpci0: 0000:03:00'
expect_kernel 'INFO: task .* blocked for more than'

sound=$(sound_of 01:00.1)
sh -c 'exec sleep 1000 <"$0"' "/dev/snd/controlC${sound#card}" &
holder=$!

hook_refuses 100 pre-start '01:00\.1'
below "the hook ends within a minute" "$MS" 60000
like "it names the holder or the step" "$SAID" 'unbind|snd_hda_intel|controlC|sleep'

task hook_ok 150 pre-start
is "another card can still be claimed" "$(driver 03:00.0 03:00.1)" "vfio-pci vfio-pci"
hook_ok 150 post-stop

kill $holder
wait $holder 2>/dev/null
sleep 1
ok "pve-gpu release 100, once the holder is gone" "$TOOL" release 100
is "the card is back" "$(driver $card)" "bochs-drm snd_hda_intel xhci_hcd"
ok "sound comes back" wait_until 10 sound_of 01:00.1

task hook_ok 100 pre-start
is "and can be claimed" "$(driver $card)" "vfio-pci vfio-pci vfio-pci"
hook_ok 100 post-stop
