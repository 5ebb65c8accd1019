# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes process 1 of the lab, which sources this, the machine's own systemd: our units as the package installs them, and
# of the machine's own only what these, the journal and D-Bus need.

SYSTEM=/etc/systemd/system

# The programs where the units look for them.
install_programs() {
	mkdir -p /usr/libexec/pve-gpu
	cp "$HOOK" /usr/libexec/pve-gpu/gpu-hook
	cp "$TOOL" /usr/sbin/pve-gpu
	HOOK=/usr/libexec/pve-gpu/gpu-hook TOOL=/usr/sbin/pve-gpu
}

# Units and generators of the machine that we run on; a Proxmox node's would start its daemons.
hide_host_units() {
	for dir in $SYSTEM /run/systemd /usr/lib/systemd/system-generators /usr/lib/systemd/system/*.target.wants /etc/systemd/network; do
		[ ! -d "$dir" ] || mount -t tmpfs tmpfs "$dir"
	done
	: >/etc/fstab
	cat /proc/sys/kernel/hostname >/etc/hostname
	rm -f /.dockerenv	# by which it would take itself for a container
}

install_units() {
	cp /repo/debian/pve-gpu-watch.path /repo/debian/pve-gpu-watch.service $SYSTEM
	mkdir $SYSTEM/paths.target.wants
	ln -s ../pve-gpu-watch.path $SYSTEM/paths.target.wants
	cat >$SYSTEM/lab.target <<-END
		[Unit]
		Wants=paths.target systemd-journald.service dbus.service lab.service
	END
	cat >$SYSTEM/lab.service <<-END
		[Unit]
		After=paths.target systemd-journald.service dbus.service
		[Service]
		Type=oneshot
		Environment=PATH=$PATH HOME=/root LC_ALL=C LAB=$LAB HOOK=$HOOK TOOL=$TOOL IDLE=$IDLE
		ExecStart=/run/lab/bin/sh /repo/tests/lab/guest/scenario units
		ExecStopPost=/run/lab/bin/sh /repo/tests/lab/guest/end
		StandardOutput=file:/dev/ttyS1
		StandardError=inherit
	END
}

become_systemd() {
	install_programs
	hide_host_units
	install_units
	umount /sys/fs/cgroup
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=lab.target --show-status=no --log-target=journal-or-kmsg --log-level=notice
}
