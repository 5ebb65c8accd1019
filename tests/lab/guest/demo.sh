# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration: a card of three functions goes to VM 100 and comes back, every step shown and checked.
# limit: 200
#
# Lines that begin with `== ` are headings, `$ ` commands, `| ` their output, `cost ` rows of the closing table; what the
# assertions print is there as well. tests/lab/demo makes it pleasant to read.

card='01:00.0 01:00.1 01:00.2'
home='bochs-drm snd_hda_intel xhci_hcd'
vfio='vfio-pci vfio-pci vfio-pci'

show() {
	printf '%s\n' "$1" | sed '/^$/d;s/^/| /'
}

# play PHASE TEXT: the hook as Proxmox VE calls it, and what it said.
play() {
	echo "\$ gpu-hook 100 $1"
	hook 100 "$1"
	show "$SAID"
	is "$2" "$STATUS" 0
	echo "cost $1|$MS|$(printf '%s' "$SAID" | sed -n 's/.* \([0-9]*\) ms of it in the kernel.*/\1/p')"
}

# where TEXT DRIVERS: the card's three functions, by driver.
where() {
	is "$1" "$(driver $card)" "$2"
}

echo '== A graphics card with three functions, at work for the host'
echo "\$ pve-gpu list"
show "$("$TOOL" list --no-color 2>&1 </dev/null)"
where "host drivers have all three functions of 01:00: $home" "$home"
ok "it is a display of the host" display_of 01:00.0
ok "it plays the host's sound" sound_of 01:00.1
twin=$(driver 02:00.0 02:00.1 02:00.2)

echo '== VM 100 starts: Proxmox VE calls the hook before QEMU'
mkvm 100 'hostpci0: 0000:01:00,pcie=1,x-vga=1'
echo "\$ grep hostpci /etc/pve/qemu-server/100.conf"
show "$(grep hostpci /etc/pve/qemu-server/100.conf)"
play pre-start "the hook says yes: the VM may start"
where "all three functions are on vfio-pci, at the VM's disposal" "$vfio"
is "the twin card at 02:00, same vendor and device ids, has not moved" "$(driver 02:00.0 02:00.1 02:00.2)" "$twin"

echo '== A real QEMU opens the card'
echo "\$ kvm -name vm100 -device vfio-pci,host=0000:01:00.0 -device vfio-pci,host=0000:01:00.1 ..."
start=$(uptime_ms)
ok "QEMU started, its memory is mapped for the card" start_qemu 100 $card
echo "cost QEMU start|$(($(uptime_ms) - start))|"
seen=$(qmp 100 query-pci)
is "query-pci: the VM has all three functions on its bus" \
	"$(echo "$seen" | grep -o '"qdev_id": "hostpci[^"]*"' | wc -l)" 3
show "$(echo "$seen" | grep -o '"desc": "[^"]*"\|"qdev_id": "[^"]*"\|"slot": [0-9]*\|"function": [0-9]*' | awk -F '": ' '
	/desc/ { desc = $2 } /slot/ { slot = $2 } /qdev_id/ { id = $2 }
	/function/ { if (id ~ /hostpci/) printf "%s  %s\n", id, desc; id = "" }' | tr -d '"')"
play post-start "post-start: it is on record which QEMU has the card"

echo '== The VM stops: the card comes home'
play pre-stop "pre-stop: nothing to do yet"
start=$(uptime_ms)
stop_qemu 100 quit
echo "cost QEMU stop|$(($(uptime_ms) - start))|"
play post-stop "post-stop: given back"
where "every function is on the driver it came from: $home" "$home"
ok "it is a display of the host again" wait_until 10 display_of 01:00.0
ok "sound is back" wait_until 10 sound_of 01:00.1
is "nothing else in the machine has changed: drivers, overrides, power settings" \
	"$(drivers_of)" "$(cat "$LAB/baseline")"
