# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# Twenty claims and returns in a row: drivers, overrides, power, processes, files and module users do not drift.
# board: workstation
# limit: 240

card='01:00.0 01:00.1 01:00.2'
mkvm 100 'hostpci0: 0000:01:00,pcie=1'

cycle() {
	hook 100 pre-start
	[ "$STATUS" -eq 0 ] || return
	[ "$(driver $card)" = 'vfio-pci vfio-pci vfio-pci' ] || return
	hook 100 post-stop
	[ "$STATUS" -eq 0 ] && [ "$(driver $card)" = 'bochs-drm snd_hda_intel xhci_hcd' ]
}

# What could grow: the machine's open files, its processes, users of vfio, displays, sound cards, our own files.
tally() {
	wait_until 10 sound_of 01:00.1
	read -r files _ </proc/sys/fs/file-nr
	# The kernel counts files in bundles per processor: only a growth of more than those is one.
	echo "files: $((files / 512))"
	echo "processes: $(processes)"
	awk '$1 ~ /^vfio/ { print $1 ": " $3 }' /proc/modules
	echo "sound cards: $(find /sys/class/sound -name 'card*' | wc -l)"
	echo "displays: $(find /sys/class/drm -name 'card?' | wc -l)"
	echo "groups: $(find /sys/kernel/iommu_groups -maxdepth 1 | wc -l)"
	echo "our files: $(find /run/pve-gpu -type f | wc -l)"
}

cycle || not_ok "the first cycle" "$SAID"
first=$(tally)
done=1
while [ $done -lt 20 ] && cycle; do
	done=$((done + 1))
done
is "twenty cycles went through" "$done" 20
[ "$STATUS" -eq 0 ] || echo "$SAID" | sed 's/^/#   /'
is "nothing has grown since the first" "$(tally)" "$first"
