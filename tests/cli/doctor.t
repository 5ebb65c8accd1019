# What stands in the way on a host.

% mktree $cases/../trees/host-guide-everything.tree m
$ pve-gpu doctor --root m >out; echo $?; head -n 3 out; tail -n 1 out
> 3
> pve1: Proxmox VE 8.4.1, kernel 6.8.12-11-pve, Intel(R) Core(TM) i7-8700K CPU @
>   3.70GHz, UEFI, GRUB
> problem  allow_unsafe_interrupts is on: a guest with a device can raise any
> 6 problems, 9 hints.
! pve-gpu: note: 'pve-gpu setup' shows 5 files that it would change because of this
? 0
$ sed 's/→/>/' out | awk 'length($0) > 80'
? 0
$ pve-gpu doctor --root m --json | helper json '*' host.'*' host.iommu host.boot.chain host.boot.next.0 host.modules.0 host.cards.1 findings.0 findings.# notes
> *: version vmid host findings notes
> host.*: node pve_manager qemu_server kernel cpu_vendor cpu virtualisation uefi secure_boot lockdown quorum memory numa_nodes aspm huge_pages_2m huge_pages_1g console hook_installed keeper_enabled iommu boot modules cards
> host.iommu: {"firmware":true,"table":"DMAR","kernel":true,"interrupt_remapping":true,"unsafe_interrupts":true,"no_iommu_mode":false,"vfio_pci":true}
> host.boot.chain: "GRUB"
> host.boot.next.0: {"text":"intel_iommu=on","file":"/etc/default/grub","line":7}
> host.modules.0: {"text":"blacklist radeon","file":"/etc/modprobe.d/blacklist.conf","line":1}
> host.cards.1: {"address":"0000:01:00.0","driver":"vfio-pci","group":14,"reset_methods":["bus"],"boot_vga":false,"rom":true,"d3cold_allowed":true,"rmrr":false,"firmware_framebuffer":null}
> findings.0: {"id":"unsafe-interrupts","severity":"problem","text":"allow_unsafe_interrupts is on: a guest with a device can raise any interrupt on the host, and this host does not need it.","evidence":"/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts: Y","fix":"take allow_unsafe_interrupts=1 out of /etc/modprobe.d and off the kernel's command line, then reboot"}
> findings.#: 19
> notes: ["'pve-gpu setup' shows 5 files that it would change because of this"]
! pve-gpu: note: 'pve-gpu setup' shows 5 files that it would change because of this
? 0
# Nothing is wrong: nothing to do, and said so.
% mktree $cases/../trees/host-intel-grub.tree fine
$ pve-gpu doctor --root fine
> pve1: Proxmox VE 8.4.1, kernel 6.8.12-11-pve, 12th Gen Intel(R) Core(TM)
>   i5-12400, UEFI, GRUB
> ok       The IOMMU is at work and remaps interrupts. [iommu-works]
> ok       0000:00:02.0 has IOMMU group 0 to itself. [group-clean]
> ok       0000:01:00.0 has IOMMU group 14 to itself. [group-clean]
> ok       The host boots by GRUB; its kernel command line is
>          GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub. [boot-chain]
> ok       Nothing about passthrough is on the kernel's command line, and nothing
>          has to be. [cmdline-plain]
> Nothing is wrong.
? 0
$ pve-gpu doctor --root fine --json | helper json findings.# findings.0
> findings.#: 5
> findings.0: {"id":"iommu-works","severity":"ok","text":"The IOMMU is at work and remaps interrupts.","evidence":null,"fix":null}
? 0
# A file that cannot be read ends it, in a sentence.
% rm fine/etc/default/grub && mkdir fine/etc/default/grub
$ pve-gpu doctor --root fine
! pve-gpu: cannot read '/etc/default/grub': Is a directory
? 1
$ pve-gpu doctor 100 101 --root fine
! pve-gpu: '101' is one argument too many: pve-gpu doctor [VMID]
!   'pve-gpu doctor --help' tells more
? 2
# A VM.
% mktree $cases/../trees/host-vm-faults.tree vms
$ pve-gpu doctor 200 --root vms --json | helper json vmid findings.0.id findings.2
> vmid: 200
> findings.0.id: "vm-aspm"
> findings.2: {"id":"vm-would-start","severity":"ok","text":"A start would take 2 functions now.","evidence":null,"fix":null}
? 0
$ pve-gpu doctor 299 --root vms
! pve-gpu: there is no VM 299 on this node: '/etc/pve/qemu-server/299.conf' does not exist
? 1
$ pve-gpu doctor 1 --root vms
! pve-gpu: '1' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu doctor --help' tells more
? 2
% echo 'arch: amd64' >vms/etc/pve/lxc/300.conf
$ pve-gpu doctor 300 --root vms
> VM 300:
> ok       300 is a container: it takes no PCI devices. [vm-none]
> Nothing is wrong.
? 0
# The safe ones are mended, the others are left to a person.
% cp vms/etc/pve/qemu-server/205.conf before
$ pve-gpu doctor 205 --fix --dry-run --root vms
> --- a/etc/pve/qemu-server/205.conf
> +++ b/etc/pve/qemu-server/205.conf
> @@ -1,4 +1,5 @@
> -balloon: 2048
> +agent: 1
> +balloon: 0
>  bios: ovmf
>  cpu: host
>  hostpci0: 0000:41:00,pcie=1
> VM 205: this would be written to /etc/pve/qemu-server/205.conf.
? 0
$ diff before vms/etc/pve/qemu-server/205.conf
? 0
$ pve-gpu doctor 202 --fix --root vms
> --- a/etc/pve/qemu-server/202.conf
> +++ b/etc/pve/qemu-server/202.conf
> @@ -4,7 +4,7 @@
>  cpu: host
>  hostpci0: 0000:01:00,pcie=1
>  hugepages: 1024
> -kvm: 0
>  machine: q35
>  memory: 60000
>  name: too-much
> +numa: 1
> VM 202: written to /etc/pve/qemu-server/202.conf.
? 0
$ pve-gpu doctor 202 --fix --root vms
> VM 202: there is nothing to change.
? 0
$ pve-gpu doctor 201 --fix --root vms --json | helper json diff written
> diff: "--- a/etc/pve/qemu-server/201.conf\n+++ b/etc/pve/qemu-server/201.conf\n@@ -1,7 +1,7 @@\n args: -cpu 'host,kvm=off,hv_vendor_id=whatever'\n hookscript: local:snippets/gpu-hook\n agent: 1\n-cpu: x86-64-v2-AES\n+cpu: host\n hostpci0: 0000:01:00,pcie=1\n machine: pc-q35-9.0\n memory: 4096\n"
> written: true
? 0
$ pve-gpu doctor --fix --root vms
! pve-gpu: --fix is for a VM: pve-gpu doctor VMID --fix; a host is mended by 'pve-gpu setup'
!   'pve-gpu doctor --help' tells more
? 2
$ pve-gpu doctor 205 --dry-run --root vms
! pve-gpu: --dry-run goes with --fix; without that nothing is changed anyway
!   'pve-gpu doctor --help' tells more
? 2
$ pve-gpu doctor 300 --fix --root vms
! pve-gpu: 300 is no VM that runs with devices: there is nothing to mend
? 1
% echo 'lock: backup' >>vms/etc/pve/qemu-server/205.conf
$ pve-gpu doctor 205 --fix --root vms
! pve-gpu: VM 205 is locked (backup): Proxmox is in the middle of a long operation on it; nothing was changed. Wait for its end, or, if it died, 'qm unlock 205'
? 4
# A host that cannot have devices at all is worth a line.
% mktree $cases/../trees/no-iommu.tree none
$ pve-gpu doctor 100 --root none | head -n 5
> VM 100:
> problem  A start would be refused now: this host has no IOMMU at work
>          (/sys/class/iommu is empty), so no device can be passed to a VM.
>          [vm-refused]
>          → pve-gpu plan 100
! pve-gpu: note: the host has a blocker, because of which no VM can have a device: pve-gpu doctor
? 0
# Names from outside stay on their line.
% printf 'GRUB_CMDLINE_LINUX_DEFAULT="iommu=pt,\033[31m"\n' >evil && rmdir fine/etc/default/grub && cp evil fine/etc/default/grub
$ pve-gpu doctor --root fine | grep -a -A 2 pending
>          started with it. [cmdline-pending]
>          seen: /etc/default/grub:1: iommu=pt,\x1b[31m
>          → update-grub, then reboot
? 0
# Ids of what is no graphics card are there for a reason: the host must not find a guest's disks.
% mktree $cases/../trees/host-intel-grub.tree hba
% echo 'options vfio-pci ids=1000:0072,144d:a808' >hba/etc/modprobe.d/hba.conf
$ pve-gpu doctor --root hba | grep -c ids-static
> 0
? 1
