# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# Two hundred starts and stops of four VMs that share two cards, hooks killed at random: one owner, nothing leaks.
# board: faulty
# limit: 400

load_faults
one=0000:01:00.0 two=0000:02:00.0
mkvm 101 "hostpci0: $one"
mkvm 102 "hostpci0: $two"
mkvm 103 "hostpci0: $one" "hostpci1: $two"
mkvm 104 "hostpci0: $two"
modprobe -a vfio-pci vfio_iommu_type1

tally() {
	read -r files _ </proc/sys/fs/file-nr
	# The kernel counts files in bundles per processor: only a growth of more than those is one.
	echo "files: $((files / 512))"
	echo "processes: $(processes)"
	awk '$1 ~ /^vfio|^fakegpu/ { print $1 ": " $3 }' /proc/modules
	echo "leases: $(find /run/pve-gpu/leases -mindepth 1 | wc -l)"
}

# One quiet round first: what is made once is no leak.
HOOK=$HOOK /repo/build/storm rounds 1 1 101 $one >/dev/null 2>&1
wait_until 10 no_lease
before=$(tally)
keeper_on
/repo/build/storm rounds 2024 200 101 $one 102 $two 103 $one,$two 104 $two >"$LAB/storm" 2>&1
status=$?
tail -n 1 "$LAB/storm" | sed 's/^/# /'
is "never two owners, and nobody holds anything in the end" "$status" 0
[ $status -eq 0 ] || tail -n 40 "$LAB/storm" "$LAB/watch.log" | sed 's/^/#   /'
keeper_off
# What was killed last may still be on its way out.
as_before() {
	[ "$(tally)" = "$before" ]
}
wait_until 10 as_before || echo "#   $(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')"
is "nothing has grown" "$(tally)" "$before"
unload_faults
