# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# What the host uses is not taken from it: its console, a card that a process has open, disks, a bridge, a function whose
# virtual functions exist; and what was lent with leave comes back with its console.
# board: holders
# limit: 240

card='01:00.0 01:00.1'
mkvm 100 'hostpci0: 0000:01:00,pcie=1'
mkvm 103 'hostpci0: 0000:03:00.0'
mkvm 104 'hostpci0: 0000:04:00.0'
mkvm 105 'hostpci0: 0000:05:00.0'
mkvm 102 'hostpci0: 0000:02:00.0'
mkvm 112 'hostpci0: 0000:02:00.1'
settings=$(cat /etc/pve-gpu/settings.ini)

# The vtconsole that draws on framebuffers, and whether it is attached; "none" when there is none.
console() {
	for vt in /sys/class/vtconsole/*; do
		grep -q 'frame buffer' "$vt/name" && cat "$vt/bind" && return
	done
	echo none
}

framebuffers() {
	cat /sys/class/graphics/fb*/name 2>/dev/null | tr '\n' ' '
}

# refused VMID REGEX ADDRESS...: and nothing was touched.
refused() {
	vm=$1 why=$2
	shift 2
	was=$(driver "$@")
	hook_refuses $vm pre-start "$why"
	is "what it asks for stays where it is" "$(driver "$@")" "$was"
}

# --- the console

modprobe -q fbcon
wait_until 5 test -e /sys/class/graphics/fb0
is "the console is drawn on a framebuffer of the card" "$(console) $(framebuffers)" "1 bochs-drmdrmfb "
rm /etc/pve-gpu/settings.ini
refused 100 'is the boot display' $card
like "the other reason is said as well" "$SAID" 'is the only display of this host'
like "and what to write" "$SAID" "allow = boot-display, only-display"
echo "$settings" >/etc/pve-gpu/settings.ini

exec 7</dev/dri/"$(display_of 01:00.0 | grep -x 'card[0-9]*')"
refused 100 'held by .*through /dev/dri/card' $card
exec 7<&-

sound=$(sound_of 01:00.1)
exec 7<"/dev/snd/controlC${sound#card}"
refused 100 'held by .*through /dev/snd/controlC' $card
exec 7<&-

take_the_screen() {
	hook_ok 100 pre-start
	like "it is said before it is done" "$SAID" 'warning: .*is the boot display'
}
task take_the_screen
is "the card is on vfio-pci" "$(driver $card)" "vfio-pci vfio-pci"
is "no console hangs on to it" "$(console | tr -d 1)" "none"
hook_ok 100 post-stop
is "the card is back" "$(driver $card)" "bochs-drm snd_hda_intel"
is "with its framebuffer and the console on it" "$(console) $(framebuffers)" "1 bochs-drmdrmfb "
wait_until 10 sound_of 01:00.1

# --- disks

disk_of() {
	find "$PCI/0000:$1/" -maxdepth 4 -name 'nvme*n1' | sed 's,.*/,/dev/,' | head -n 1
}

fs=$(disk_of 03:00.0) swap=$(disk_of 04:00.0)
modprobe -q ext4
ok "a file system is made" mkfs.ext4 -q "$fs"
mkdir -p /run/lab-mount
ok "and mounted" mount "$fs" /run/lab-mount
refused 103 "carries the mounted file system /run/lab-mount" 03:00.0
umount /run/lab-mount
task hook_ok 103 pre-start
is "unmounted, it is taken" "$(driver 03:00.0)" "vfio-pci"
hook_ok 103 post-stop

ok "swap is made" mkswap "$swap"
ok "and used" swapon "$swap"
refused 104 "carries swap $swap" 04:00.0
swapoff "$swap"
task hook_ok 104 pre-start
is "unused, it is taken" "$(driver 04:00.0)" "vfio-pci"
hook_ok 104 post-stop

# --- a network card

nic=$(ls "$PCI/0000:05:00.0/net")
modprobe -q bridge
ip link add vmbr9 type bridge
ip link set "$nic" master vmbr9
ip link set "$nic" up
ip link set vmbr9 up
refused 105 "port $nic of bridge vmbr9" 05:00.0
ip address add 10.99.0.2/24 dev vmbr9
ip route add default via 10.99.0.1 dev vmbr9
refused 105 'which has the default route; the host needs it' 05:00.0
ip link del vmbr9
ip link set "$nic" down
task hook_ok 105 pre-start
is "without the bridge, it is taken" "$(driver 05:00.0)" "vfio-pci"
hook_ok 105 post-stop

# --- virtual functions

ok "virtual functions are made" sh -c 'echo 2 >"$0"/sriov_numvfs' "$PCI/0000:02:00.0"
refused 102 'has 2 virtual functions' 02:00.0
echo 0 >"$PCI/0000:02:00.0/sriov_numvfs"
task hook_ok 102 pre-start
is "without them, it is taken" "$(driver 02:00.0)" "vfio-pci"
hook_ok 102 post-stop

# made for the VM that asks for one, and gone with it
pf=$PCI/0000:02:00.0
vfs() {
	cat "$pf/sriov_numvfs"
}
refused 112 'there is no PCI device' 02:00.0
printf '%s\n' '[claim]' 'vfs = 2' >>/etc/pve-gpu/settings.ini
like "plan foresees it" "$("$TOOL" plan 112 2>&1)" 'make 2 virtual functions of 0000:02:00.0'
take_a_function() {
	hook_ok 112 pre-start
	is "the function is there and on vfio-pci, its parent where it was" "$(vfs) $(driver 02:00.1 02:00.0)" "2 vfio-pci nvme"
	is "the other one has no driver" "$(driver 02:00.2)" "none"
	is "later ones would get theirs" "$(cat "$pf/sriov_drivers_autoprobe")" "1"
}
task take_a_function
hook_ok 112 post-stop
is "they are gone" "$(vfs) $(driver 02:00.0)" "0 nvme"

# a start that fails takes them away, too
mkvm 112 'hostpci0: 0000:02:00.1' 'hostpci1: 0000:02:00.2' 'hostpci2: 0000:03:00.0'
exec 7<"$fs"
refused 112 'held by .*through /dev/nvme' 03:00.0
exec 7<&-
is "a refused start makes none" "$(vfs)" "0"
take_and_die() {
	hook_ok 112 pre-start
	is "two of them" "$(driver 02:00.1 02:00.2 03:00.0)" "vfio-pci vfio-pci vfio-pci"
}
task take_and_die
ok "release finds a start that came to nothing" "$TOOL" release 112
is "and takes them away" "$(vfs) $(driver 02:00.0 03:00.0)" "0 nvme nvme"

# so does whoever comes after a start that was killed in the middle of it
die_in_the_middle() {
	hook_env 112 pre-start </dev/null >/dev/null 2>&1 &
	wait_until 20 test -e "$pf/virtfn0"
	kill -9 $!
	wait $!
}
task die_in_the_middle
ok "release finds a start that was killed" "$TOOL" release 112
is "and takes them away, too" "$(vfs) $(driver 02:00.0 03:00.0) $(cat "$pf/sriov_drivers_autoprobe")" "0 nvme nvme 1"

# those of somebody else stay; without a driver, because QEMU's answer the host's only after minutes
echo 0 >"$pf/sriov_drivers_autoprobe"
echo 2 >"$pf/sriov_numvfs"
mkvm 112 'hostpci0: 0000:02:00.1'
task hook_ok 112 pre-start
hook_ok 112 post-stop
is "the administrator's own stay" "$(vfs)" "2"
echo 0 >"$pf/sriov_numvfs"
echo 1 >"$pf/sriov_drivers_autoprobe"
echo "$settings" >/etc/pve-gpu/settings.ini
