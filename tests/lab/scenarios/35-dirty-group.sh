# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# A card in one group with the network card the host is reached by: refused, by the network card's name.
# board: workstation

nic=$(basename "$(echo $PCI/0000:07:02.0/net/*)")
is "card and network card share a group" "$(readlink -f $PCI/0000:07:01.0/iommu_group)" \
	"$(readlink -f $PCI/0000:07:02.0/iommu_group)"
ip link set "$nic" up
ip addr add 192.0.2.2/24 dev "$nic"
ip route add default via 192.0.2.1
ok "the network card carries the host's default route" sh -c 'ip route | grep -q "^default.*$0"' "$nic"

mkvm 130 'hostpci0: 0000:07:01.0'
hook_refuses 130 pre-start '07:02\.0'
is "nothing is touched" "$(drivers_of)" "$(cat "$LAB/baseline")"
ok "the network card still has its address" sh -c 'ip addr show dev "$0" | grep -q 192.0.2.2' "$nic"
hook_ok 130 post-stop

ip route del default
ip addr flush dev "$nic"
ip link set "$nic" down
