# Configurations that cannot be read or make no sense: one sentence, nothing touched.

% mktree $cases/card.tree m
% rm m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
! pve-gpu: there is no VM 100 on this node: '/etc/pve/qemu-server/100.conf' does not exist
? 1

% mkdir m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
! pve-gpu: cannot read the configuration '/etc/pve/qemu-server/100.conf': Is a directory
? 1
% rmdir m/etc/pve/qemu-server/100.conf

% mkfifo m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
! pve-gpu: cannot read the configuration '/etc/pve/qemu-server/100.conf': it is no regular file
? 1
% rm m/etc/pve/qemu-server/100.conf

% ln -s 100.conf m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
! pve-gpu: cannot read the configuration '/etc/pve/qemu-server/100.conf': Too many levels of symbolic links
? 1
% rm m/etc/pve/qemu-server/100.conf

% ln -s /nowhere m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
! pve-gpu: there is no VM 100 on this node: '/etc/pve/qemu-server/100.conf' does not exist
? 1
% rm m/etc/pve/qemu-server/100.conf

# A link that leaves the tree stays inside it.
% echo 'hostpci0: 01:00' >outside.conf
% ln -s ../../../../../../../../../../../../../../../../../../../../../../../../../../../../../../tmp/outside.conf m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
! pve-gpu: there is no VM 100 on this node: '/etc/pve/qemu-server/100.conf' does not exist
? 1
% rm m/etc/pve/qemu-server/100.conf

# Nothing in it; rubbish in it; NUL bytes; no newline at the end; DOS line ends.
% : >m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
> VM 100 has no hostpci entries: there is nothing to take.
? 0
% printf '\000\001\002\377\376\nhostpci0\000: 01:00\n\177ELF' >m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
> VM 100 has no hostpci entries: there is nothing to take.
? 0
% printf 'hostpci0: 02:00.0\000,pcie=1\n' >m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
> VM 100 has no hostpci entries: there is nothing to take.
! pve-gpu: note: line 1 of the configuration ('hostpci0') is thrown away by Proxmox: the value of 'hostpci0' is not valid: host=02:00.0\x00 is not PCI addresses such as 01:00 or 0000:01:00.0 (lower case, joined by ';')
? 0
% printf 'hookscript: local:snippets/gpu-hook\nhostpci0: 02:00.0' >m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m | head -n 1
> VM 100: a start would take 1 function of 1 device.
? 0
% printf 'hostpci0: 02:00.0\r\n' >m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
> VM 100: a start would take 1 function of 1 device.
> 
>   02:00.0  Intel Corporation I210 Gigabit Network Connection
>            hostpci0, group 15: igb → vfio-pci, reset by flr
> 
> Step by step:
>    1. keep 0000:02:00.0 awake
>    2. remember the reset methods of 0000:02:00.0
>    3. set driver_override of 0000:02:00.0 to vfio-pci
>    4. unbind 0000:02:00.0 from igb
>    5. bind 0000:02:00.0 to vfio-pci
>    6. reset 0000:02:00.0 by flr
>    7. check that 0000:02:00.0 answers
> 
> Resets: 1 by this hook; then Proxmox resets 1 function as it starts QEMU, and
>         QEMU 1 as it opens them.
> 
> Settings:
>   group_members = idle  (default)
>   reset = auto  (default), step 6
! pve-gpu: note: VM 100 has no hookscript, so a start does nothing of this: qm set 100 --hookscript local:snippets/gpu-hook
? 0
% printf '\033[31mhostpci0: 02:00.0\nhostpci1: \033[2J\nhostpci2: host=\033]0;x\007,pcie=1\n' >m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
> VM 100 has no hostpci entries: there is nothing to take.
! pve-gpu: note: line 2 of the configuration ('hostpci1') is thrown away by Proxmox: the value of 'hostpci1' is not valid: host=\x1b[2J is not PCI addresses such as 01:00 or 0000:01:00.0 (lower case, joined by ';')
! pve-gpu: note: line 3 of the configuration ('hostpci2') is thrown away by Proxmox: the value of 'hostpci2' is not valid: host=\x1b]0;x\x07 is not PCI addresses such as 01:00 or 0000:01:00.0 (lower case, joined by ';')
? 0
$ pve-gpu plan 100 --root m --json 2>/dev/null | helper json verdict notes
> verdict: "nothing"
> notes: ["line 2 of the configuration ('hostpci1') is thrown away by Proxmox: the value of 'hostpci1' is not valid: host=\\x1b[2J is not PCI addresses such as 01:00 or 0000:01:00.0 (lower case, joined by ';')","line 3 of the configuration ('hostpci2') is thrown away by Proxmox: the value of 'hostpci2' is not valid: host=\\x1b]0;x\\x07 is not PCI addresses such as 01:00 or 0000:01:00.0 (lower case, joined by ';')"]
? 0
# A device in a snapshot or in what is pending is no device of the next start.
% printf 'name: a\n\n[PENDING]\nhostpci0: 02:00.0\n\n[snap]\nhostpci1: 01:00\n' >m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
> VM 100 has no hostpci entries: there is nothing to take.
? 0

# As large as Proxmox can hold, and a byte more.
% { echo 'hookscript: local:snippets/gpu-hook'; echo 'hostpci0: 02:00.0'; yes '#' | head -n 524261; } >m/etc/pve/qemu-server/100.conf
$ wc -c <m/etc/pve/qemu-server/100.conf
> 1048576
? 0
$ pve-gpu plan 100 --root m | head -n 1
> VM 100: a start would take 1 function of 1 device.
? 0
% echo '#' >>m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m
! pve-gpu: cannot read the configuration '/etc/pve/qemu-server/100.conf': File too large (more than 1 MiB; Proxmox cannot hold such a file)
? 1

# pmxcfs is not there.
% rm -r m/etc/pve
$ pve-gpu plan 100 --root m
! pve-gpu: there is no VM 100 on this node: '/etc/pve/qemu-server/100.conf' does not exist (and /etc/pve is not mounted: is pve-cluster.service running?)
? 1
$ pve-gpu plan 100 --root m --json 2>/dev/null | helper json error
> error: {"errno":"ENOENT","message":"there is no VM 100 on this node: '/etc/pve/qemu-server/100.conf' does not exist (and /etc/pve is not mounted: is pve-cluster.service running?)"}
? 0
# The root is not there, or is no folder.
$ pve-gpu plan 100 --root nowhere
! pve-gpu: cannot open the root folder 'nowhere': No such file or directory
? 1
$ pve-gpu plan 100 --root outside.conf
! pve-gpu: cannot open the root folder 'outside.conf': Not a directory
? 1
# It is there, but has no machine in it.
% mkdir empty
$ pve-gpu list --root empty
! pve-gpu: cannot list the PCI devices in /sys/bus/pci/devices: No such file or directory
? 1
$ pve-gpu list --root empty --json 2>/dev/null | helper json '*' error.errno
> *: version error notes
> error.errno: "ENOENT"
? 0
$ pve-gpu status --root empty
> No VM holds devices.
? 0
