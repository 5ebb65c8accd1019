# shellcheck shell=sh disable=SC2154 # words of lib.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The doctor on a real kernel: the IOMMU, a group with strangers in it, a VM, and a healthy boot's log without a finding.
# board: workstation

mkvm 100 'hostpci0: 0000:01:00,pcie=1' 'machine: q35'
json=$("$TOOL" doctor --json 2>"$LAB/err" </dev/null)
like "the IOMMU is found at work" "$json" '"id": "iommu-works"'
like "the card in the dirty group is told of" "$json" '0000:07:01\.0 shares IOMMU group [0-9]+ with 07:02\.0'
like "the card of three functions has its group to itself" "$json" '0000:01:00\.0 has IOMMU group [0-9]+ to itself'
is "nothing in the log of a healthy boot is a problem or a hint" \
	"$(printf '%s\n' "$json" | grep -A 2 '"id": "log-' | grep -A 1 -e '"severity": "problem"' -e '"severity": "hint"')" ''
is "nothing is said on stderr" "$(cat "$LAB/err")" ''

vm=$("$TOOL" doctor 100 --json 2>/dev/null </dev/null)
like "the VM would start" "$vm" '"id": "vm-would-start"'
like "the VM runs without the hookscript" "$vm" '"id": "vm-(no-hookscript|cpu-type)"'
is "looking has changed nothing" "$(drivers_of)" "$(cat "$LAB/baseline")"

"$TOOL" report --html "$LAB/page.html" >/dev/null 2>&1 </dev/null
like "the page draws the card" "$(cat "$LAB/page.html")" '>01:00\.0 '
