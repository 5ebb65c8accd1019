# What a start would do, on a machine with one card.

% mktree $cases/card.tree m
% cp -a m before
$ pve-gpu --root m plan 100
> VM 100: a start would take 2 functions of 1 device.
> 
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            hostpci0, group 14: nouveau → vfio-pci, hot reset
>   01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller
>            hostpci0, group 14: snd_hda_intel → vfio-pci, hot reset
> 
> Step by step:
>    1. keep 0000:01:00.1 awake
>    2. keep 0000:01:00.0 awake
>    3. remember the reset methods of 0000:01:00.0
>    4. set driver_override of 0000:01:00.1 to vfio-pci
>    5. set driver_override of 0000:01:00.0 to vfio-pci
>    6. unbind 0000:01:00.1 from snd_hda_intel
>    7. unbind 0000:01:00.0 from nouveau
>    8. bind 0000:01:00.1 to vfio-pci
>    9. bind 0000:01:00.0 to vfio-pci
>   10. reset 0000:01:00.0 0000:01:00.1 together by VFIO hot reset
>   11. check that 0000:01:00.1 answers
>   12. check that 0000:01:00.0 answers
> 
> Resets: 1 by this hook; then Proxmox resets 1 function as it starts QEMU, and
>         QEMU 0 as it opens them.
> 
> Settings:
>   group_members = idle  (default)
>   reset = auto  (default), step 10
? 0
$ pve-gpu plan 101 --root m
> VM 101: a start would take 2 functions of 1 device.
> 
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            hostpci0, group 14: nouveau → vfio-pci, hot reset
>   01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller
>            not asked for, but in group 14: snd_hda_intel → vfio-pci, hot reset
> 
> Step by step:
>    1. keep 0000:01:00.1 awake
>    2. keep 0000:01:00.0 awake
>    3. remember the reset methods of 0000:01:00.0
>    4. set driver_override of 0000:01:00.1 to vfio-pci
>    5. set driver_override of 0000:01:00.0 to vfio-pci
>    6. unbind 0000:01:00.1 from snd_hda_intel
>    7. unbind 0000:01:00.0 from nouveau
>    8. bind 0000:01:00.1 to vfio-pci
>    9. bind 0000:01:00.0 to vfio-pci
>   10. reset 0000:01:00.0 0000:01:00.1 together by VFIO hot reset
>   11. check that 0000:01:00.1 answers
>   12. check that 0000:01:00.0 answers
> 
> Resets: 1 by this hook; then Proxmox resets 1 function as it starts QEMU, and
>         QEMU 0 as it opens them.
> 
> Settings:
>   group_members = idle  (default)
>   reset = auto  (default), step 10
! pve-gpu: note: VM 101 has no hookscript, so a start does nothing of this: qm set 101 --hookscript local:snippets/gpu-hook
? 0
$ pve-gpu plan --root=m 102
> VM 102 has no hostpci entries: there is nothing to take.
? 0
$ pve-gpu plan 103 --root m
> VM 103 is a template: it never runs with devices.
? 0
$ pve-gpu plan 105 --root m
> VM 105 is a container: it takes no PCI devices.
? 0
$ pve-gpu plan 104 --root m
! pve-gpu: there is no VM 104 on this node: '/etc/pve/qemu-server/104.conf' does not exist
? 1
# It has touched nothing, not even created a folder.
$ diff -r --no-dereference before m
? 0

# The same for programs.
$ pve-gpu plan 100 --root m --json | helper json '*' vmid verdict devices.0.'*' devices.0.address devices.0.key devices.0.driver devices.0.target devices.0.group devices.0.reset devices.1.driver steps.# steps.0.'*' refusals settings.0
> *: version vmid verdict nothing devices steps refusals warnings resets quirks settings notes
> vmid: 100
> verdict: "take"
> devices.0.*: address key dragged name vendor device class class_name driver driver_now target override group reset chain uses
> devices.0.address: "0000:01:00.0"
> devices.0.key: "hostpci0"
> devices.0.driver: "nouveau"
> devices.0.target: "vfio-pci"
> devices.0.group: 14
> devices.0.reset: "hot"
> devices.1.driver: "snd_hda_intel"
> steps.#: 12
> steps.0.*: kind address from to chain text
> refusals: []
> settings.0: {"name":"group_members","value":"idle","origin":"default","steps":[],"refusals":[]}
? 0
$ pve-gpu plan 102 --root m --json | helper json verdict nothing devices steps refusals settings notes
> verdict: "nothing"
> nothing: "VM 102 has no hostpci entries: there is nothing to take"
> devices: []
> steps: []
> refusals: []
> settings: []
> notes: []
? 0
$ pve-gpu plan 104 --root m --json 2>/dev/null | helper json '*' error
> *: version error notes
> error: {"errno":"ENOENT","message":"there is no VM 104 on this node: '/etc/pve/qemu-server/104.conf' does not exist"}
? 0
$ pve-gpu plan 104 --root m --json >/dev/null
! pve-gpu: there is no VM 104 on this node: '/etc/pve/qemu-server/104.conf' does not exist
? 1

# A group member the host cannot do without, a device that is not there, a line that Proxmox drops.
% printf 'hostpci0: 0000:07:00\nhostpci1: 01:00.1\nhostpci2: 02:00,pcie=perhaps\nhostpci3: 00:01.0\n' >m/etc/pve/qemu-server/106.conf
$ pve-gpu plan 106 --root m
> VM 106: a start would be refused; nothing would be touched.
> 
>   refused: hostpci0: there is no PCI device 0000:07:00 on this host.
>            See what is there with 'pve-gpu list --all'; addresses move when
>            cards or firmware settings change.
> 
>   refused: 0000:00:01.0 is a PCI bridge: bridges stay with the host.
>            Name the device behind it instead; 'pve-gpu list --all' shows what
>            there is.
> 
> It is about:
>   00:01.0  Intel Corporation 12th Gen Core Processor PCI Express x16 Controller
>            hostpci3, group 1, on pcieport
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            not asked for, but in group 14, on nouveau
>   01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller
>            hostpci1, group 14, on snd_hda_intel
> 
> Settings:
>   group_members = idle  (default)
>   reset = auto  (default)
! pve-gpu: note: line 3 of the configuration ('hostpci2') is thrown away by Proxmox: the value of 'hostpci2' is not valid: pcie=perhaps is neither yes nor no
! pve-gpu: note: VM 106 has no hookscript, so a start does nothing of this: qm set 106 --hookscript local:snippets/gpu-hook
? 4
$ pve-gpu plan -q 106 --root m --json | helper json verdict devices.# devices.0.address steps refusals.# refusals.0 refusals.1.id refusals.1.address notes.#
> verdict: "refuse"
> devices.#: 3
> devices.0.address: "0000:00:01.0"
> steps: []
> refusals.#: 2
> refusals.0: {"id":"absent","address":"0000:07:00","reason":"hostpci0: there is no PCI device 0000:07:00 on this host","hint":"See what is there with 'pve-gpu list --all'; addresses move when cards or firmware settings change.","setting":null}
> refusals.1.id: "bridge"
> refusals.1.address: "0000:00:01.0"
> notes.#: 2
? 0

# Settings: where each comes from.
% mkdir -p m/etc/pve-gpu m/var/lib/vz/snippets
% printf '[claim]\ngroup_members = refuse\n' >m/etc/pve-gpu/settings.ini
% printf '[claim]\nreset = never\nstart_deadline = 60\n' >m/var/lib/vz/snippets/100.gpu.ini
$ pve-gpu plan 100 --root m | sed -n '/^Settings/,$p'
> Settings:
>   group_members = refuse  (/etc/pve-gpu/settings.ini:2)
>   reset = never  (/var/lib/vz/snippets/100.gpu.ini:2)
>   start_deadline = 60  (/var/lib/vz/snippets/100.gpu.ini:3)
? 0
$ pve-gpu plan 101 -q --root m
> VM 101: a start would be refused; nothing would be touched.
> 
>   refused: 0000:01:00.1 (audio device) shares IOMMU group 14 with the VM's
>            device and would be taken from the host with it, but it is on
>            snd_hda_intel.
>            Use a slot with a group of its own, pass this device to the same VM
>            too, or set 'group_members = take' in /etc/pve-gpu/settings.ini.
> 
> It is about:
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            hostpci0, group 14, on nouveau
>   01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller
>            not asked for, but in group 14, on snd_hda_intel
> 
> Settings:
>   group_members = refuse  (/etc/pve-gpu/settings.ini:2), refuses 0000:01:00.1
>   reset = auto  (default)
? 4
$ pve-gpu plan 100 --root m --json | helper json settings
> settings: [{"name":"group_members","value":"refuse","origin":"/etc/pve-gpu/settings.ini:2","steps":[],"refusals":[]},{"name":"allow","value":"","origin":"default","steps":[],"refusals":[]},{"name":"reset","value":"never","origin":"/var/lib/vz/snippets/100.gpu.ini:2","steps":[],"refusals":[]},{"name":"reset_methods","value":"","origin":"default","steps":[],"refusals":[]},{"name":"idle","value":"host-driver","origin":"default","steps":[],"refusals":[]},{"name":"bar0","value":"","origin":"default","steps":[],"refusals":[]},{"name":"vfs","value":"","origin":"default","steps":[],"refusals":[]},{"name":"start_deadline","value":"60","origin":"/var/lib/vz/snippets/100.gpu.ini:3","steps":[],"refusals":[]},{"name":"stop_deadline","value":"45","origin":"default","steps":[],"refusals":[]},{"name":"release_wait","value":"30","origin":"default","steps":[],"refusals":[]},{"name":"linger","value":"0","origin":"default","steps":[],"refusals":[]},{"name":"services","value":"refuse","origin":"default","steps":[],"refusals":[]},{"name":"containers","value":"refuse","origin":"default","steps":[],"refusals":[]},{"name":"processes","value":"refuse","origin":"default","steps":[],"refusals":[]},{"name":"other_vm","value":"refuse","origin":"default","steps":[],"refusals":[]},{"name":"backup","value":"take","origin":"default","steps":[],"refusals":[]}]
? 0
% printf '[claim]\ngroup_member = take\n' >m/etc/pve-gpu/settings.ini
$ pve-gpu plan 100 --root m
! pve-gpu: /etc/pve-gpu/settings.ini:2: there is no such key in this section; see the comments in /etc/pve-gpu/settings.ini
? 1
% rm m/etc/pve-gpu/settings.ini
% sed -i 's/local:/nowhere:/' m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m | tail -n 3
> Settings:
>   group_members = idle  (default)
>   reset = auto  (default), step 10
! pve-gpu: note: settings of this VM alone are not looked for: there is no storage 'nowhere' in '/etc/pve/storage.cfg': see 'pvesm status'
? 0

# Without an IOMMU.
% rm -r m/sys/class/iommu
$ pve-gpu plan 100 --root m
> VM 100: a start would be refused; nothing would be touched.
> 
>   refused: this host has no IOMMU at work (/sys/class/iommu is empty), so no
>            device can be passed to a VM.
>            Switch on VT-d or AMD-Vi in the firmware; on Intel also put
>            intel_iommu=on on the kernel's command line; then reboot.
> 
> It is about:
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            hostpci0, group 14, on nouveau
>   01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller
>            hostpci0, group 14, on snd_hda_intel
> 
> Settings:
>   group_members = idle  (default)
>   reset = auto  (default)
! pve-gpu: note: settings of this VM alone are not looked for: there is no storage 'nowhere' in '/etc/pve/storage.cfg': see 'pvesm status'
? 4
$ pve-gpu list --root m
>   ADDRESS  CLASS           DRIVER         GROUP  RESET  HELD BY
> NVIDIA Corporation AD102 [GeForce RTX 4090]
>   01:00.0  VGA controller  nouveau        14     bus    host
>   01:00.1  audio device    snd_hda_intel  14     -      host
! pve-gpu: note: this host has no IOMMU at work (/sys/class/iommu is empty), so no VM can have a device: switch on VT-d or AMD-Vi in the firmware, on Intel also put intel_iommu=on on the kernel's command line, then reboot
? 0
$ pve-gpu list --root m --json 2>/dev/null | helper json iommu devices.# notes.#
> iommu: false
> devices.#: 2
> notes.#: 1
? 0
