# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands of the README, literally and in their order, from setup to undo: what it promises a newcomer happens.
# board: workstation
# limit: 240
#
# apt-get is not here: tests/deb/life runs those lines. qm stands for Proxmox VE's, and the host is made one that boots by systemd-boot.

card='02:00.0 02:00.1 02:00.2'
home='bochs-drm snd_hda_intel xhci_hcd'
snippet=/var/lib/vz/snippets/gpu-hook

# lines SECTION: the indented lines of a section
lines() {
	awk -v want="## $1" '/^## / { on = $0 == want } on && /^    / { print substr($0, 5) }' /repo/README.md
}

qm() {
	case $1 in
	start) start_vm $2 $card ;;
	stop) stop_qemu $2 quit && hook_ok $2 post-stop ;;
	*) return 1 ;;
	esac
}

# The machine that setup --verify looks at has been rebooted, by what it is told of itself.
reboot_before() {
	case $1 in
	*--verify) cat /proc/sys/kernel/random/uuid >"$LAB/boot_id" && mount --bind "$LAB/boot_id" /proc/sys/kernel/random/boot_id ;;
	*) umount /proc/sys/kernel/random/boot_id 2>/dev/null ;;
	esac
}

# follow SECTION: each command does what it is there for; doctor may have something to say
follow() {
	lines "$1" >"$LAB/lines"
	while read -r line <&3; do
		case $line in apt-get*|make*) continue ;; esac
		n=$((n + 1))
		reboot_before "$line"
		eval "$line" >"$LAB/said" 2>&1 </dev/null
		status=$?
		grep -E '^(not )?ok [0-9]+ - ' "$LAB/said"
		case "$status $line" in
		0\ * | '3 pve-gpu doctor') yes_ok "$line" ;;
		*) not_ok "$line" "status $status, said:
$(cat "$LAB/said")" ;;
		esac
	done 3<"$LAB/lines"
}
n=0

mkdir -p "$LAB/shim" /usr/libexec/pve-gpu /var/lib/vz /etc/kernel
ln -sf "$TOOL" "$LAB/shim/pve-gpu"
ln -sf "$HOOK" /usr/libexec/pve-gpu/gpu-hook
printf 'dir: local\n\tpath /var/lib/vz\n\tcontent iso,snippets\n' >/etc/pve/storage.cfg
rm -rf /etc/default/grub /etc/default/grub.d
echo 'root=/dev/sda1 video=efifb:off' >/etc/kernel/cmdline
: >/etc/kernel/proxmox-boot-uuids
for tool in proxmox-boot-tool update-initramfs; do
	rm -f /usr/sbin/$tool
	printf '#!/bin/sh\necho "%s $*" >>%s\n' $tool "$LAB/ran" >/usr/sbin/$tool
	chmod 755 /usr/sbin/$tool
done
PATH=$LAB/shim:$PATH HOOK=$snippet
mkvm 100
cp /etc/pve/qemu-server/100.conf "$LAB/100.conf"
cp /etc/kernel/cmdline "$LAB/cmdline"

follow 'Install on a node'
follow 'The first card, in five minutes'
is "the card is the VM's" "$(driver $card)" "vfio-pci vfio-pci vfio-pci"
is "QEMU has it" "$(qemu_sees 100)" "hostpci0.0 hostpci0.1 hostpci0.2 "
like "setup has changed how the host boots" "$(cat /etc/kernel/cmdline)" '^root=/dev/sda1$'
like "by Proxmox's command" "$(cat "$LAB/ran")" '^proxmox-boot-tool refresh$'

follow 'Undo everything'
is "the card is the host's again" "$(driver $card)" "$home"
is "the VM's config is byte for byte what it was" "$(cat /etc/pve/qemu-server/100.conf)" "$(cat "$LAB/100.conf")"
is "so is the way the host boots" "$(cat /etc/kernel/cmdline)" "$(cat "$LAB/cmdline")"
is "the snippet is gone" "$(ls /var/lib/vz/snippets 2>/dev/null | grep -c '^gpu-hook$')" 0
ok "as many commands as the README has" test "$n" -ge 13
HOOK=/repo/build/gpu-hook
