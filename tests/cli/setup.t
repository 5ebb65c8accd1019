# Making a host fit for passthrough, and taking that back.

% mktree $cases/../trees/host-wrong-loader.tree m
% cp -r m/etc before
$ pve-gpu setup --root m
> --- a/etc/kernel/cmdline
> +++ b/etc/kernel/cmdline
> @@ -1 +1 @@
> -root=ZFS=rpool/ROOT/pve-1 boot=zfs
> +root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on
> 
> Why:
>   intel_iommu=on: put onto the kernel's command line, because this kernel leaves
>     Intel's IOMMU off by itself
> Then: proxmox-boot-tool refresh, and a reboot.
> Nothing has been changed. 'pve-gpu setup --apply' with the same options does it,
>   'pve-gpu setup --undo' takes it back.
> 
> Cards are taken when a VM starts and given back when it stops: that needs no
> blacklist and no ids. For a card that must never meet a driver of the host there
> is --static --for ADDRESS.
? 0
$ diff -r before m/etc
? 0
$ pve-gpu setup --root m --json | helper json setup
> setup: {"state":"planned","files":["/etc/kernel/cmdline"],"why":["intel_iommu=on: put onto the kernel's command line, because this kernel leaves Intel's IOMMU off by itself"],"commands":["proxmox-boot-tool refresh"],"reboot":true,"diff":"--- a/etc/kernel/cmdline\n+++ b/etc/kernel/cmdline\n@@ -1 +1 @@\n-root=ZFS=rpool/ROOT/pve-1 boot=zfs\n+root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on\n"}
? 0
$ pve-gpu setup --verify --root m
! pve-gpu: pve-gpu setup has changed nothing on this host
? 1
$ pve-gpu setup --undo --root m
> There was nothing to put back.
! pve-gpu: note: pve-gpu setup has changed nothing on this host
? 0
$ pve-gpu setup --apply --root m
> --- a/etc/kernel/cmdline
> +++ b/etc/kernel/cmdline
> @@ -1 +1 @@
> -root=ZFS=rpool/ROOT/pve-1 boot=zfs
> +root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on
> proxmox-boot-tool refresh: not run, because this is not the running machine
> 1 file changed; the originals are in /var/lib/pve-gpu/setup. Reboot, then:
>   pve-gpu setup --verify
? 0
$ cat m/etc/kernel/cmdline m/etc/default/grub | grep -v '^#'
> root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on
> 
> GRUB_DEFAULT=0
> GRUB_TIMEOUT=5
> GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`
> GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=on iommu=pt"
> GRUB_CMDLINE_LINUX=""
? 0
$ pve-gpu setup --apply --root m
> There is nothing to change on this host.
> 
> Cards are taken when a VM starts and given back when it stops: that needs no
> blacklist and no ids. For a card that must never meet a driver of the host there
> is --static --for ADDRESS.
? 0
$ pve-gpu setup --verify --root m
> problem  The host has not been rebooted since setup. [setup-no-reboot]
>          → reboot
> problem  The kernel was started without 'intel_iommu=on'. [setup-word-missing]
>          seen: /proc/cmdline
>          → proxmox-boot-tool refresh, then reboot
> problem  There is no IOMMU at work. [setup-no-iommu]
>          seen: /sys/class/iommu is empty
>          → pve-gpu doctor
> ok       /etc/kernel/cmdline is as setup wrote it. [setup-file]
> 3 problems.
? 3
$ pve-gpu setup --verify --root m --json | helper json setup.state findings.#
> setup.state: "verified"
> findings.#: 4
? 0
# An --apply that was cut short before its commands had succeeded.
% sed -i '/^after/a pending commands' m/var/lib/pve-gpu/setup/record
$ pve-gpu setup --root m | head -n 1
> There is nothing to change on this host.
! pve-gpu: note: an earlier 'pve-gpu setup --apply' was cut short after it wrote its files, so the next boot may not know of them: --apply runs the commands that were due
? 0
$ pve-gpu setup --verify --root m | grep -A1 pending
>          may not know of its changes. [setup-pending]
>          → pve-gpu setup --apply
? 0
$ pve-gpu setup --apply --root m
> proxmox-boot-tool refresh: not run, because this is not the running machine
> No file had to change: an earlier setup had only not come to the end of its
>   commands. Reboot, then: pve-gpu setup --verify
! pve-gpu: note: an earlier 'pve-gpu setup --apply' was cut short after it wrote its files, so the next boot may not know of them: --apply runs the commands that were due
? 0
$ pve-gpu setup --apply --root m --json | helper json setup.state
> setup.state: "planned"
? 0
# Somebody has changed a line since.
% sed -i 's/$/ mine/' m/etc/kernel/cmdline
$ pve-gpu setup --undo --root m
> The original against what setup wrote, and that against what is there now:
> 
> --- a/etc/kernel/cmdline
> +++ b/etc/kernel/cmdline
> @@ -1 +1 @@
> -root=ZFS=rpool/ROOT/pve-1 boot=zfs
> +root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on
> --- a/etc/kernel/cmdline
> +++ b/etc/kernel/cmdline
> @@ -1 +1 @@
> -root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on
> +root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on mine
! pve-gpu: '/etc/kernel/cmdline' was changed by somebody else since pve-gpu setup wrote it, so it is left alone, and so is everything else: put back what setup wrote, or the original, and try again
? 4
$ pve-gpu setup --undo --root m --json 2>/dev/null | helper json setup.state setup.conflict error.errno
> setup.state: "refused"
> setup.conflict: "/etc/kernel/cmdline"
> error.errno: "EBUSY"
? 0
% sed -i 's/ mine$//' m/etc/kernel/cmdline
$ pve-gpu setup --undo --root m
> proxmox-boot-tool refresh: not run, because this is not the running machine
> 1 file as before setup. Reboot to make it take effect.
? 0
$ diff -r before m/etc
? 0
# A drop-in of GRUB, as grub-mkconfig reads it: sourced by a shell, after the file.
% mktree $cases/../trees/host-intel-off.tree g
$ pve-gpu setup --apply --root g -q | tail -n 3
> update-grub: not run, because this is not the running machine
> 1 file changed; the originals are in /var/lib/pve-gpu/setup. Reboot, then:
>   pve-gpu setup --verify
? 0
$ . ./g/etc/default/grub; for f in ./g/etc/default/grub.d/*.cfg; do . "$f"; done; echo "$GRUB_CMDLINE_LINUX|$GRUB_CMDLINE_LINUX_DEFAULT"
> |quiet intel_iommu=on
? 0
# A card that no driver of the host is to meet.
% mktree $cases/../trees/host-ids-twins.tree t
$ pve-gpu setup --static --for 41:00 --root t
> --- a/etc/modprobe.d/vfio.conf
> +++ b/etc/modprobe.d/vfio.conf
> @@ -1 +0,0 @@
> -options vfio-pci ids=10de:2204,10de:1aef
> --- a/etc/initramfs-tools/scripts/init-top/00-pve-gpu
> +++ b/etc/initramfs-tools/scripts/init-top/00-pve-gpu
> @@ -0,0 +1,7 @@
> +#!/bin/sh
> +# By pve-gpu setup --static: VFIO's before any driver looks for devices.
> +[ "$1" = prereqs ] && exit 0
> +for device in 0000:41:00.0 0000:41:00.1; do
> +	echo vfio-pci >"/sys/bus/pci/devices/$device/driver_override"
> +done
> +modprobe -q vfio-pci || :
> --- a/etc/initramfs-tools/hooks/pve-gpu
> +++ b/etc/initramfs-tools/hooks/pve-gpu
> @@ -0,0 +1,5 @@
> +#!/bin/sh
> +# By pve-gpu setup --static: the early boot needs the module.
> +[ "$1" = prereqs ] && exit 0
> +. /usr/share/initramfs-tools/hook-functions
> +manual_add_modules vfio-pci
> 
> Why:
>   /etc/modprobe.d/vfio.conf:1: taken out, because the host never has these
>     cards, and twins are caught as well
> Then: update-initramfs -u -k all, and a reboot.
> Nothing has been changed. 'pve-gpu setup --apply' with the same options does it,
>   'pve-gpu setup --undo' takes it back.
> 
> Cards are taken when a VM starts and given back when it stops: that needs no
> blacklist and no ids. For a card that must never meet a driver of the host there
> is --static --for ADDRESS.
? 0
$ pve-gpu setup --static-ids --for 0000:41:00.0 --root t | grep '^[+-]'
> --- a/etc/modprobe.d/vfio.conf
> +++ b/etc/modprobe.d/vfio.conf
> -options vfio-pci ids=10de:2204,10de:1aef
> --- a/etc/modprobe.d/pve-gpu.conf
> +++ b/etc/modprobe.d/pve-gpu.conf
> +# By pve-gpu setup --static-ids; 'pve-gpu setup --undo' takes it back.
> +options vfio-pci ids=10de:2204,10de:1aef
> +softdep nouveau pre: vfio-pci
> +softdep nvidia pre: vfio-pci
> +softdep amdgpu pre: vfio-pci
> +softdep radeon pre: vfio-pci
> +softdep i915 pre: vfio-pci
> +softdep xe pre: vfio-pci
> +softdep snd_hda_intel pre: vfio-pci
> +softdep xhci_pci pre: vfio-pci
! pve-gpu: note: 0000:01:00.0 has the same id as 0000:41:00.0 (10de:2204) and goes to VFIO with it: --static tells them apart
! pve-gpu: note: 0000:01:00.1 has the same id as 0000:41:00.1 (10de:1aef) and goes to VFIO with it: --static tells them apart
? 0
$ pve-gpu setup --static --for 42:00.0 --root t
! pve-gpu: there is no device 0000:42:00.0; 'pve-gpu list --all' shows all of them
? 1
# How the host boots is not known.
% mktree $cases/../trees/host-unknown-boot.tree u && echo 'iommu=off' >>u/etc/kernel/cmdline
$ pve-gpu setup --root u
! pve-gpu: the kernel's command line has to change, but it cannot be told how this host boots: neither GRUB nor systemd-boot by proxmox-boot-tool is certain; see 'proxmox-boot-tool status' and 'efibootmgr -v'
? 4
# Wrong usage.
$ pve-gpu setup --apply --undo --root m
! pve-gpu: one of --apply, --verify and --undo at a time
!   'pve-gpu setup --help' tells more
? 2
$ pve-gpu setup --static --root m
! pve-gpu: which card? --static --for ADDRESS
!   'pve-gpu setup --help' tells more
? 2
$ pve-gpu setup --static --static-ids --for 1:0.0 --root m
! pve-gpu: --static goes by address, --static-ids by id: one of them
!   'pve-gpu setup --help' tells more
? 2
$ pve-gpu setup --for 1:x --root m
! pve-gpu: --for: '1:x' is no address such as 01:00.0
!   'pve-gpu setup --help' tells more
? 2
$ pve-gpu setup --for --root m
! pve-gpu: 'm' is one argument too many: pve-gpu setup
!   'pve-gpu setup --help' tells more
? 2
$ pve-gpu setup 100 --root m
! pve-gpu: '100' is one argument too many: pve-gpu setup
!   'pve-gpu setup --help' tells more
? 2
