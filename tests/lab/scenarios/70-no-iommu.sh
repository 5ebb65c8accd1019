# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# A host whose IOMMU is switched off: refused with a sentence about it, nothing touched.
# board: no-iommu

mkvm 100 'hostpci0: 0000:01:00,pcie=1'
is "there is no IOMMU group in this machine" "$(find /sys/kernel/iommu_groups -mindepth 1 | wc -l)" 0
hook_refuses 100 pre-start 'IOMMU'
is "nothing is touched" "$(drivers_of)" "$(cat "$LAB/baseline")"
hook_ok 100 post-stop
"$TOOL" plan 100 >"$LAB/said" 2>&1 </dev/null
is "pve-gpu plan refuses, too" "$?" 4
