# What somebody who is to help would ask for.

% mktree $cases/card.tree m
% printf 'bios: ovmf\nhostpci0: 0000:01:00,pcie=1\nargs: -device x,mac=BC:24:11:AA:BB:CC,serial=ABC123 -object secret,password=hunter2\nmachine: q35\nnet0: virtio=BC:24:11:AA:BB:CC,bridge=vmbr0\nsmbios1: uuid=e9be7f89-2d34-7949-37d2-b1391c65a1fb\n' >m/etc/pve/qemu-server/100.conf
% mkdir -p m/var/log && echo 'nvme serial number: S4EVNX0R123 NVRM: GPU-e9be7f89-2d34-7949-37d2-b1391c65a1fb AMD-Vi: Completion-Wait loop timed out' >m/var/log/dmesg
$ pve-gpu report --root m >out; echo $?; sed '1s/[0-9][0-9.~]*/VERSION/' out
> 0
> pve-gpu VERSION, report
> 
> pve1: kernel 6.8.12-11-pve
>   the kernel was started with: nothing about passthrough
>   the next one will be with: nothing about passthrough
> 
> Findings
> 
> problem  AMD's IOMMU waits for a device that does not answer, mostly after a
>          failed reset. [log-amd-iommu-stuck]
>          seen: /var/log/dmesg: nvme serial=removed NVRM:
>            GPU-00000000-0000-0000-0000-000000000000 AMD-Vi: Completion-Wait loop
>            timed out
>          → switch the host off and on; to test: pci=noats on the kernel's
>            command line
> hint     0000:01:00.0 is the only graphics card: while a VM has it, the host has
>          no screen. [only-card]
>          → make sure that you reach the host by ssh or its web page, or add a
>            serial console (console=ttyS0), before you give the card away
> ok       The IOMMU is at work. [iommu-works]
> ok       0000:01:00.0 has IOMMU group 14 to itself. [group-clean]
> 1 problem, 1 hint.
> 
> Devices
> 
>   00:01.0 Intel Corporation 12th Gen Core Processor PCI Express x16 Controller
>       [8086:460d] PCI bridge
>       pcieport, group 1, reset: none
>     01:00.0 NVIDIA Corporation AD102 [GeForce RTX 4090] [10de:2684] VGA
>         controller
>         nouveau, group 14, reset: bus, held by the host
>     01:00.1 NVIDIA Corporation AD102 High Definition Audio Controller
>         [10de:22ba] audio device
>         snd_hda_intel, group 14, reset: none, held by the host
>   and 3 other functions
> 
> Leases
> 
>   none
> 
> VM 100
> 
>   bios: ovmf
>   hostpci0: 0000:01:00,pcie=1
>   args: -device x,mac=00:00:00:00:00:00,serial=removed -object secret,secret=removed
>   machine: q35
> 
> problem  The VM has no hookscript: Proxmox takes the devices without looking who
>          uses them, and never gives them back. [vm-no-hookscript]
>          seen: /etc/pve/qemu-server/100.conf has no 'hookscript'
>          → qm set 100 --hookscript local:snippets/gpu-hook
> problem  The firmware is OVMF, but there is no EFI disk: its boot entries are
>          lost at every stop. [vm-no-efidisk]
>          seen: /etc/pve/qemu-server/100.conf has no 'efidisk0'
>          → qm set 100 --efidisk0 STORAGE:1,efitype=4m,pre-enrolled-keys=0
> hint     The guest has Proxmox's emulated display beside the card, and may show
>          its picture on that one. [vm-display]
>          seen: /etc/pve/qemu-server/100.conf has no 'vga'
>          → qm set 100 --vga none, once the guest can be reached without it: by
>            RDP, Parsec or Sunshine with a monitor or a dummy plug at the card,
>            or by that monitor itself
> hint     The guest agent is off; it makes the guest shut down cleanly, which
>          leaves cards in a better state than a stop does. [vm-agent]
>          seen: /etc/pve/qemu-server/100.conf has no 'agent'
>          → qm set 100 --agent 1, and install qemu-guest-agent in the guest
> hint     The guest's processor is of type kvm64 instead of host: programs do
>          without instructions that it lacks (AVX and newer), and its address
>          space may be too small for large BARs (pve-docs: qm.adoc, CPU Type).
>          [vm-cpu-type]
>          seen: /etc/pve/qemu-server/100.conf has no 'cpu'
>          → qm set 100 --cpu host
> ok       A start would take 2 functions now. [vm-would-start]
> 2 problems, 3 hints.
> 
> VM 101
> 
>   hostpci0: 01:00.0
> 
> problem  The VM has no hookscript: Proxmox takes the devices without looking who
>          uses them, and never gives them back. [vm-no-hookscript]
>          seen: /etc/pve/qemu-server/101.conf has no 'hookscript'
>          → qm set 101 --hookscript local:snippets/gpu-hook
> problem  0000:01:00.0 is only a part of its card; 01:00.1 (audio device) is not
>          with it, so the card cannot be reset as a whole and the guest's driver
>          may miss it. [vm-half-a-card]
>          seen: /etc/pve/qemu-server/101.conf:1: hostpci0: 01:00.0
>          → qm set 101 --hostpci0 0000:01:00,...: all functions, with the options
>            that stand there now
> hint     The guest boots by SeaBIOS; graphics cards of today expect UEFI, which
>          is OVMF. [vm-seabios]
>          seen: /etc/pve/qemu-server/101.conf has no 'bios'
>          → qm set 101 --bios ovmf --efidisk0
>            STORAGE:1,efitype=4m,pre-enrolled-keys=0, before the guest is
>            installed: a system that was installed with SeaBIOS does not boot
>            with OVMF
> hint     The guest has Proxmox's emulated display beside the card, and may show
>          its picture on that one. [vm-display]
>          seen: /etc/pve/qemu-server/101.conf has no 'vga'
>          → qm set 101 --vga none, once the guest can be reached without it: by
>            RDP, Parsec or Sunshine with a monitor or a dummy plug at the card,
>            or by that monitor itself
> hint     The guest agent is off; it makes the guest shut down cleanly, which
>          leaves cards in a better state than a stop does. [vm-agent]
>          seen: /etc/pve/qemu-server/101.conf has no 'agent'
>          → qm set 101 --agent 1, and install qemu-guest-agent in the guest
> hint     The guest's processor is of type kvm64 instead of host: programs do
>          without instructions that it lacks (AVX and newer), and its address
>          space may be too small for large BARs (pve-docs: qm.adoc, CPU Type).
>          [vm-cpu-type]
>          seen: /etc/pve/qemu-server/101.conf has no 'cpu'
>          → qm set 101 --cpu host
> hint     hostpci0 appears as a conventional PCI device: the guest's driver sees
>          no link and no extended capabilities, such as resizable BARs, and may
>          turn features off (pve-docs: qm-pci-passthrough.adoc). [vm-no-pcie]
>          seen: /etc/pve/qemu-server/101.conf:1: hostpci0: 01:00.0
>          → qm set 101 --machine q35, and add pcie=1 to hostpci0; Windows sees a
>            new machine then
> ok       A start would take 2 functions now. [vm-would-start]
> 2 problems, 5 hints.
> 
> Logs
> 
>   /var/log/dmesg: nvme serial=removed NVRM: GPU-00000000-0000-0000-0000-000000000000 AMD-Vi: Completion-Wait loop timed out
? 0
$ grep -e BC:24 -e ABC123 -e hunter2 -e S4EVNX -e e9be7f out
? 1
$ pve-gpu report --root m --json | helper json '*' devices.0 vms.0.config log findings.0
> *: version host findings devices others leases vms log notes
> devices.0: {"address":"0000:00:01.0","parent":null,"name":"Intel Corporation 12th Gen Core Processor PCI Express x16 Controller","vendor":"8086","device":"460d","class":"060400","card":false,"driver":"pcieport","group":1,"reset_methods":[],"held_by":null}
> vms.0.config: ["bios: ovmf","hostpci0: 0000:01:00,pcie=1","args: -device x,mac=00:00:00:00:00:00,serial=removed -object secret,secret=removed","machine: q35"]
> log: ["/var/log/dmesg: nvme serial=removed NVRM: GPU-00000000-0000-0000-0000-000000000000 AMD-Vi: Completion-Wait loop timed out"]
> findings.0: {"id":"log-amd-iommu-stuck","severity":"problem","text":"AMD's IOMMU waits for a device that does not answer, mostly after a failed reset.","evidence":"/var/log/dmesg: nvme serial=removed NVRM: GPU-00000000-0000-0000-0000-000000000000 AMD-Vi: Completion-Wait loop timed out","fix":"switch the host off and on; to test: pci=noats on the kernel's command line"}
? 0
# The page: one file, where it was asked for.
% mkdir there
$ cd there && pve-gpu report --root ../m --html page.html && head -n 1 page.html && tail -n 1 page.html
> The report is in page.html; look at it before you give it away.
> <!DOCTYPE html>
> </html>
? 0
$ pve-gpu report --root m --html - | cmp - there/page.html
? 0
$ grep -c -e '<script' -e 'http' -e BC:24 -e ABC123 -e hunter2 -e S4EVNX -e e9be7f there/page.html
> 0
? 1
$ grep -o 'style="--h:[0-9]*">01:00[^<]*' there/page.html
> style="--h:118">01:00.0 NVIDIA Corporation AD102 [GeForce RTX 4090]
> style="--h:118">01:00.1 NVIDIA Corporation AD102 High Definition Audio Controller
? 0
$ pve-gpu report --root m --html nowhere/page.html 2>&1 | sed "s|$PWD|HERE|"
> pve-gpu: cannot write the page 'HERE/nowhere/page.html': No such file or directory
? 0
$ pve-gpu report --root m --html page.html --json
! pve-gpu: a page or JSON: one of --html and --json
!   'pve-gpu report --help' tells more
? 2
$ pve-gpu report --root m 100
! pve-gpu: '100' is one argument too many: pve-gpu report
!   'pve-gpu report --help' tells more
? 2
