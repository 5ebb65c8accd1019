# The passthrough part of a config, and what is wrong with it.

% mktree $cases/two-cards.tree m
% cp m/etc/pve/qemu-server/100.conf 100
$ pve-gpu --root m config 100
> VM 100, current configuration: no passthrough device
> 
>   boot: order=scsi0
>   memory: 4096
? 0
$ pve-gpu --root m config 101
> VM 101, current configuration: 1 passthrough device
> 
>   hostpci0: 0000:01:00,pcie=1
>       01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090], group 14, nouveau
>       01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller, group 14, snd_hda_intel
> 
>   machine: q35
? 0
$ pve-gpu --root m config 100 --snapshot before
> VM 100, snapshot 'before': no passthrough device
> 
>   memory: 4096
? 0
$ pve-gpu --root m config 100 --snapshot none
! pve-gpu: VM 100 has no snapshot 'none'
? 1
$ pve-gpu --root m config 100 --pending
> VM 100, pending changes: no passthrough device
? 0
$ pve-gpu --root m config 200
> VM 200, current configuration: no passthrough device
! pve-gpu: note: VM 200 lives on node 'pve2': its devices can only be looked up there
? 0
$ pve-gpu --root m config 100 --all --pending
! pve-gpu: one of --snapshot, --pending and --all at a time
!   'pve-gpu config --help' tells more
? 2
$ pve-gpu --root m config 105
! pve-gpu: 105 is a container (on node 'pve1'): it takes no PCI devices
? 1

% printf 'hostpci0: 0A:00\nhostpci1: 01:00, pcie=1\nhostpci2: 01:00,what=1\nhostpci3: 01:00.0,pcie=1,x-vga=1,rombar=0,romfile=a.rom\nhostpci4: 09:00,x-vga=1\nhostpci5: mapping=gpu,host=02:00\nhostpci6: mapping=gpu\nhostpci16: 01:00\nvga: std\nlegacy\n[odd one]\nx: 1\n' >m/etc/pve/qemu-server/100.conf
$ pve-gpu --root m config 100 --all
> VM 100, current configuration: 8 passthrough devices
> 
>   hostpci0: 0A:00
>       → Proxmox drops this line: the VM starts without the device
>       → the value of 'hostpci0' is not valid: host=0A:00 is not PCI addresses
>         such as 01:00 or 0000:01:00.0 (lower case, joined by ';')
>       → addresses and options are written in lower case: Proxmox takes no other
> 
>   hostpci1: 01:00, pcie=1
>       → Proxmox drops this line: the VM starts without the device
>       → the value of 'hostpci1' is not valid: there is no property ' pcie'
>       → there may be no blank behind a comma, nor anywhere else: Proxmox takes
>         it for part of a name
> 
>   hostpci2: 01:00,what=1
>       → Proxmox drops this line: the VM starts without the device
>       → the value of 'hostpci2' is not valid: there is no property 'what'
> 
>   hostpci3: 01:00.0,pcie=1,x-vga=1,rombar=0,romfile=a.rom
>       01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090], group 14, nouveau
>       → pcie=1 needs the machine type q35, and this VM has i440fx, so it does
>         not start: remove pcie=1 or set 'machine: q35'
>       → x-vga=1 is also in hostpci4: a guest has one primary card
>       → x-vga=1 makes this the primary card, but 'vga:' gives the guest another
>         display, which it will use first: set 'vga: none'
>       → rombar=0 hides the ROM that a primary card (x-vga=1) starts with: the
>         screen stays black
>       → romfile has no effect together with rombar=0
>       → there is no /usr/share/kvm/a.rom, so the VM does not start
>       → 0000:01:00.1 is part of the same card, and the guest does not get it:
>         leave the function out of the address (0000:01:00)
> 
>   hostpci4: 09:00,x-vga=1
>       09:00.0  absent
>       → there is no device 09:00 on this host, so the VM does not start
>       → x-vga=1 is also in hostpci3: a guest has one primary card
>       → x-vga=1 makes this the primary card, but 'vga:' gives the guest another
>         display, which it will use first: set 'vga: none'
> 
>   hostpci5: mapping=gpu,host=02:00
>       02:00.0  [8086:1533], group 15, igb
>       → it names both an address and a mapping; only one may be given, so the VM
>         does not start
> 
>   hostpci6: mapping=gpu
>       → mapping 'gpu': there is no '/etc/pve/mapping/pci.cfg'
> 
>   hostpci16: 01:00
>       → Proxmox drops this line: the VM starts without the device
>       → there is no option 'hostpci16' in this section
>       → addresses and options are written in lower case: Proxmox takes no other
> 
>   vga: std
> 
> The whole file, digest 4b6aa7e5f61982bb77368fe94aa5bfe97fba54fb:
>      1  hostpci0: 0A:00
>         → Proxmox drops this line: the value of 'hostpci0' is not valid:
>           host=0A:00 is not PCI addresses such as 01:00 or 0000:01:00.0 (lower
>           case, joined by ';')
>      2  hostpci1: 01:00, pcie=1
>         → Proxmox drops this line: the value of 'hostpci1' is not valid: there
>           is no property ' pcie'
>      3  hostpci2: 01:00,what=1
>         → Proxmox drops this line: the value of 'hostpci2' is not valid: there
>           is no property 'what'
>      4  hostpci3: 01:00.0,pcie=1,x-vga=1,rombar=0,romfile=a.rom
>      5  hostpci4: 09:00,x-vga=1
>      6  hostpci5: mapping=gpu,host=02:00
>      7  hostpci6: mapping=gpu
>      8  hostpci16: 01:00
>         → Proxmox drops this line: there is no option 'hostpci16' in this
>           section
>      9  vga: std
>     10  legacy
>         → Proxmox drops this line: this is neither 'key: value' nor a comment
>           nor a section
>     11  [odd one]
>         → Proxmox drops this line: this is no section of a VM's configuration
>     12  x: 1
>         → Proxmox drops this line: it belongs to a section that Proxmox does not
>           know
? 3
$ pve-gpu --root m config 100 --all --json | helper json hostpci.# hostpci.0.ok hostpci.0.options.* hostpci.3.options.* hostpci.3.options.x-vga hostpci.3.devices.0.address dropped.# dropped.0.line current.* pending.* digest
> hostpci.#: 8
> hostpci.0.ok: false
> hostpci.0.options.*:
> hostpci.3.options.*: host pcie rombar romfile x-vga
> hostpci.3.options.x-vga: "1"
> hostpci.3.devices.0.address: "0000:01:00.0"
> dropped.#: 7
> dropped.0.line: 1
> current.*: hostpci3 hostpci4 hostpci5 hostpci6 vga
> pending.*:
> digest: "4b6aa7e5f61982bb77368fe94aa5bfe97fba54fb"
? 0

# Bytes that are no text arrive all the same, each as the character of its number.
% printf '#caf%%C3%%A9 \377\nname: \303\251\377\nmemory: 1\n' >m/etc/pve/qemu-server/100.conf
$ pve-gpu --root m config 100 --all --json | helper json description dropped.0.text
> description: "café �"
> dropped.0.text: "name: Ã©ÿ"
? 0
