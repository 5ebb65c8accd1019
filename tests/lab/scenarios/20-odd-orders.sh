# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# Phases in the odd orders Proxmox VE really produces, and calls that have nothing to do: nothing may be touched.
# board: workstation

untouched() {
	is "$1: nothing is touched" "$(drivers_of)" "$(cat "$LAB/baseline")"
	is "$1: no lease" "$(leases)" ""
}

mkvm 110 'net0: virtio=BC:24:11:00:00:01,bridge=vmbr0'
for phase in pre-start post-start pre-stop post-stop; do
	hook_ok 110 $phase
done
untouched "a VM without a card"

mkvm 111 'hostpci0: 0000:01:00' 'template: 1'
hook_ok 111 pre-start
hook_ok 111 post-stop
untouched "a template"

printf '%s\n' 'arch: amd64' 'hostname: ct112' >/etc/pve/lxc/112.conf
hook_ok 112 pre-start
hook_ok 112 post-stop
untouched "a container"

mkvm 113 'hostpci0: 0000:04:00'
hook_ok 113 pre-hibernate
untouched "an unknown phase"

hook_ok 113 post-stop
untouched "post-stop without a start"

task hook_ok 113 pre-start
task hook_ok 113 pre-start
is "pre-start twice (the start failed after the first)" "$(driver 04:00.0)" vfio-pci
hook_ok 113 post-stop
hook_ok 113 post-stop
untouched "post-stop twice"

task hook_ok 113 pre-start
rm /etc/pve/qemu-server/113.conf
mkvm 113 'hostpci0: 0000:05:00'
hook_ok 113 post-stop
untouched "a config that changed while the VM ran"
