# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# Other kinds of device: a card with FLR, a card that a bus reset suits, a drive, and one that had no driver at all.
# board: workstation

# there_and_back ADDRESSES HOSTPCI-VALUE: claimed, seen on vfio-pci, returned.
there_and_back() {
	set -- "$2" $1
	value=$1
	shift
	home=$(driver "$@")
	away=$(printf '%s\n' "$@" | sed 's/.*/vfio-pci/' | paste -s -d ' ')
	mkvm 101 "hostpci0: $value"
	task hook_ok 101 pre-start
	is "$* on vfio-pci" "$(driver "$@")" "$away"
	hook_ok 101 post-stop
	is "$* back on: $home" "$(driver "$@")" "$home"
}

is "the drivers of the three are there" "$(driver 03:00.0 03:00.1 04:00.0 05:00.0)" \
	"virtio-pci snd_hda_intel bochs-drm nvme"
there_and_back '03:00.0 03:00.1' '0000:03:00'
there_and_back '04:00.0' '04:00.0,rombar=0'
there_and_back '05:00.0' '05:00'
ok "the drive is the host's again" wait_until 10 test -b /dev/nvme0n1

echo 0000:05:00.0 >/sys/bus/pci/drivers/nvme/unbind
echo nobody >$PCI/0000:05:00.0/driver_override
there_and_back '05:00.0' '05:00'
is "an override of the administrator's is still there" "$(cat $PCI/0000:05:00.0/driver_override)" nobody
echo >$PCI/0000:05:00.0/driver_override
echo 0000:05:00.0 >/sys/bus/pci/drivers/nvme/bind
