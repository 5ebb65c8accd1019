# A device goes into a VM's config and comes out of it again; everything that is refused is refused whole.

% mktree $cases/two-cards.tree m
% mkdir keep && cp -a m/etc/pve/nodes keep/

# --- dry run, writing, taking back
$ pve-gpu --root m attach 100 01:00 --dry-run -q
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -1,6 +1,10 @@
>  #A guest with a disk
>  boot: order=scsi0
>  cores: 4
> +cpu: host
> +hookscript: local:snippets/gpu-hook
> +hostpci0: 0000:01:00,pcie=1
> +machine: q35
>  memory: 4096
>  name: desk
>  ostype: l26
> VM 100: this would be written to /etc/pve/qemu-server/100.conf.
? 0
$ pve-gpu --root m attach 100 01:00 -n --json -q | helper json written running refusals.# keys.0 digest
> written: false
> running: false
> refusals.#: 0
> keys.0: "hostpci0"
> digest: "9456cecbb5ce454eec4681b78b2e51fbafe9eb99"
? 0
# The record cannot be written: nothing is installed either.
% ln -s /dev/full m/var/lib/pve-gpu
$ pve-gpu --root m attach 100 01:00 -q; ls m/var/lib/vz/snippets
! pve-gpu: cannot note in '/var/lib/pve-gpu/attached/100' what is attached, and without that a detach could not put it back: No such file or directory; nothing was changed
? 0
% rm m/var/lib/pve-gpu
$ diff -r keep/nodes m/etc/pve/nodes && ls m/var/lib/vz/snippets m/var/lib
> m/var/lib:
> vz
> 
> m/var/lib/vz/snippets:
? 0
$ pve-gpu --root m attach 100 01:00
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -1,6 +1,10 @@
>  #A guest with a disk
>  boot: order=scsi0
>  cores: 4
> +cpu: host
> +hookscript: local:snippets/gpu-hook
> +hostpci0: 0000:01:00,pcie=1
> +machine: q35
>  memory: 4096
>  name: desk
>  ostype: l26
> VM 100: written to /etc/pve/qemu-server/100.conf.
! pve-gpu: note: VM 101 has the same device in its configuration (hostpci0: 0000:01:00,pcie=1): they can have it in turns, not at the same time
! pve-gpu: note: the firmware stays SeaBIOS. Cards work best with OVMF, but a guest that was installed under SeaBIOS does not boot under OVMF: for a new guest add --bios ovmf
! pve-gpu: note: the snippet '/var/lib/vz/snippets/gpu-hook' was put into storage 'local'
? 0
$ ls m/var/lib/vz/snippets m/var/lib/pve-gpu/attached; ls m/etc/pve/qemu-server
> m/var/lib/pve-gpu/attached:
> 100
> 
> m/var/lib/vz/snippets:
> example.gpu.ini
> gpu-hook
> 100.conf
> 101.conf
> 102.conf
> 103.conf
> 104.conf
? 0
$ cmp $cases/../../snippets/gpu-hook m/var/lib/vz/snippets/gpu-hook && stat -c %a m/var/lib/vz/snippets/gpu-hook m/etc/pve/qemu-server/100.conf
> 755
> 640
? 0
$ pve-gpu --root m attach 100 0000:02:00.0 --function --slot 7 --no-rombar --no-hook -q
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -4,6 +4,7 @@
>  cpu: host
>  hookscript: local:snippets/gpu-hook
>  hostpci0: 0000:01:00,pcie=1
> +hostpci7: 0000:02:00.0,pcie=1,rombar=0
>  machine: q35
>  memory: 4096
>  name: desk
> VM 100: written to /etc/pve/qemu-server/100.conf.
? 0
$ pve-gpu --root m attach 100 01:00.1
! pve-gpu: VM 100 has 01:00.1 already, as hostpci0; nothing was changed. Take it out first: pve-gpu detach 100 hostpci0
! pve-gpu: note: '01:00.1' stands for all 2 functions of 0000:01:00; for that one alone add --function
! pve-gpu: note: VM 101 has the same device in its configuration (hostpci0: 0000:01:00,pcie=1): they can have it in turns, not at the same time
! pve-gpu: note: the firmware stays SeaBIOS. Cards work best with OVMF, but a guest that was installed under SeaBIOS does not boot under OVMF: for a new guest add --bios ovmf
? 4
$ pve-gpu --root m attach 100 03:00 --slot 7 --primary
> VM 100: attach refused; nothing was changed.
>   IOMMU group 16 is not isolated: the host would also lose 0000:04:00.0 (USB
>   controller, on xhci_hcd).
>     Use a slot with a group of its own, attach these devices in the same call,
>     or set 'group_members = take' in /etc/pve-gpu/settings.ini.
? 4
$ pve-gpu --root m config 100
> VM 100, current configuration: 2 passthrough devices
> 
>   hostpci0: 0000:01:00,pcie=1
>       01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090], group 14, nouveau
>       01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller, group 14, snd_hda_intel
> 
>   hostpci7: 0000:02:00.0,pcie=1,rombar=0
>       02:00.0  [8086:1533], group 15, igb
> 
>   machine: q35
>   cpu: host
>   hookscript: local:snippets/gpu-hook
>   boot: order=scsi0
>   memory: 4096
? 0
$ pve-gpu --root m detach 100 02:00.0 -q | tail -n 1
> VM 100: written to /etc/pve/qemu-server/100.conf.
? 0
$ pve-gpu --root m detach 100 -q | tail -n 1
> VM 100: written to /etc/pve/qemu-server/100.conf.
? 0
$ diff -r keep/nodes m/etc/pve/nodes && ls m/var/lib/pve-gpu/attached
? 0
$ pve-gpu --root m detach 100
> VM 100: there is nothing to change.
? 0
$ pve-gpu --root m detach 100 hostpci3
! pve-gpu: VM 100 has no device 'hostpci3'; nothing was changed. 'pve-gpu config 100' shows what it has
? 1
$ pve-gpu --root m detach 100 01:00
! pve-gpu: VM 100 has no device '01:00'; nothing was changed. 'pve-gpu config 100' shows what it has
? 1

# --- somebody changes the file in between: what is not as it was left stays
% pve-gpu --root m attach 100 01:00 --primary -q >/dev/null
% sed -i 's/^cpu: host/cpu: max/; s/^cores: 4/cores: 8/' m/etc/pve/qemu-server/100.conf
$ pve-gpu --root m detach 100 -q
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -2,14 +2,10 @@
>  boot: order=scsi0
>  cores: 8
>  cpu: max
> -hookscript: local:snippets/gpu-hook
> -hostpci0: 0000:01:00,pcie=1,x-vga=1
> -machine: q35
>  memory: 4096
>  name: desk
>  ostype: l26
>  scsi0: local-lvm:vm-100-disk-0,size=32G
> -vga: none
>  
>  [before]
>  cores: 2
> VM 100: written to /etc/pve/qemu-server/100.conf.
? 0
% cp keep/nodes/pve1/qemu-server/100.conf m/etc/pve/qemu-server/100.conf

# --- no line feed at the end; DOS line ends
% printf 'cores: 2' >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --no-hook
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> @@ -1 +1,2 @@
> -cores: 2
> \ No newline at end of file
> +cores: 2
> +hostpci0: 0000:02:00
> VM 106: written to /etc/pve/qemu-server/106.conf.
! pve-gpu: note: the last line of the file had no line feed and has one now: something was added behind it
? 0
$ pve-gpu --root m detach 106 -q | tail -n 1; cat m/etc/pve/qemu-server/106.conf; echo .
> VM 106: written to /etc/pve/qemu-server/106.conf.
> cores: 2.
? 0
% printf 'cores: 2\r\nname: x\r\n' >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --no-hook -q | od -An -c | head -n 40
>    -   -   -       a   /   e   t   c   /   p   v   e   /   q   e
>    m   u   -   s   e   r   v   e   r   /   1   0   6   .   c   o
>    n   f  \n   +   +   +       b   /   e   t   c   /   p   v   e
>    /   q   e   m   u   -   s   e   r   v   e   r   /   1   0   6
>    .   c   o   n   f  \n   @   @       -   1   ,   2       +   1
>    ,   3       @   @  \n       c   o   r   e   s   :       2  \r
>   \n   +   h   o   s   t   p   c   i   0   :       0   0   0   0
>    :   0   2   :   0   0  \r  \n       n   a   m   e   :       x
>   \r  \n   V   M       1   0   6   :       w   r   i   t   t   e
>    n       t   o       /   e   t   c   /   p   v   e   /   q   e
>    m   u   -   s   e   r   v   e   r   /   1   0   6   .   c   o
>    n   f   .  \n
? 0
$ pve-gpu --root m detach 106 -q >/dev/null; od -An -c m/etc/pve/qemu-server/106.conf
>    c   o   r   e   s   :       2  \r  \n   n   a   m   e   :    
>    x  \r  \n
? 0

# --- firmware, machine, display, CPU
$ pve-gpu --root m attach 100 01:00 --bios ovmf --display std --cpu keep --machine keep --no-pcie -n
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -1,10 +1,14 @@
>  #A guest with a disk
> +bios: ovmf
>  boot: order=scsi0
>  cores: 4
> +hookscript: local:snippets/gpu-hook
> +hostpci0: 0000:01:00
>  memory: 4096
>  name: desk
>  ostype: l26
>  scsi0: local-lvm:vm-100-disk-0,size=32G
> +vga: std
>  
>  [before]
>  cores: 2
> VM 100: this would be written to /etc/pve/qemu-server/100.conf.
! pve-gpu: note: VM 101 has the same device in its configuration (hostpci0: 0000:01:00,pcie=1): they can have it in turns, not at the same time
! pve-gpu: note: OVMF forgets its settings without an EFI disk, and only Proxmox can make one: qm set 100 --efidisk0 local-lvm:1,efitype=4m,pre-enrolled-keys=0
? 0
$ pve-gpu --root m attach 102 01:00 --machine q35 --cpu host --display none --primary -n
> --- a/etc/pve/qemu-server/102.conf
> +++ b/etc/pve/qemu-server/102.conf
> @@ -1,5 +1,7 @@
> +cpu: host
>  hookscript: local:snippets/other.sh
> -machine: pc-i440fx-9.2+pve1
> +hostpci0: 0000:01:00,pcie=1,x-vga=1
> +machine: pc-q35-9.2+pve1
>  name: windows
>  ostype: win11
> -vga: std
> +vga: none
> VM 102: this would be written to /etc/pve/qemu-server/102.conf.
! pve-gpu: note: VM 101 has the same device in its configuration (hostpci0: 0000:01:00,pcie=1): they can have it in turns, not at the same time
! pve-gpu: note: the VM has a hookscript of its own ('local:snippets/other.sh'), which was left alone: Proxmox will take the device, but nobody gives it back. --chain sets ours and lets it run the other one after itself
! pve-gpu: note: the firmware stays SeaBIOS. Cards work best with OVMF, but a guest that was installed under SeaBIOS does not boot under OVMF: for a new guest add --bios ovmf
? 0
$ pve-gpu --root m attach 102 01:00 -n
> --- a/etc/pve/qemu-server/102.conf
> +++ b/etc/pve/qemu-server/102.conf
> @@ -1,4 +1,6 @@
> +cpu: host
>  hookscript: local:snippets/other.sh
> +hostpci0: 0000:01:00
>  machine: pc-i440fx-9.2+pve1
>  name: windows
>  ostype: win11
> VM 102: this would be written to /etc/pve/qemu-server/102.conf.
! pve-gpu: note: VM 101 has the same device in its configuration (hostpci0: 0000:01:00,pcie=1): they can have it in turns, not at the same time
! pve-gpu: note: the VM has a hookscript of its own ('local:snippets/other.sh'), which was left alone: Proxmox will take the device, but nobody gives it back. --chain sets ours and lets it run the other one after itself
! pve-gpu: note: the machine type stays 'pc-i440fx-9.2+pve1', so the card is plain PCI to the guest; --machine q35 makes it PCI-Express (an installed Windows may want its network set up again)
! pve-gpu: note: the firmware stays SeaBIOS. Cards work best with OVMF, but a guest that was installed under SeaBIOS does not boot under OVMF: for a new guest add --bios ovmf
? 0
$ pve-gpu --root m attach 100 01:00 --hide-hypervisor --romfile card.rom --no-hook -n
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -1,6 +1,9 @@
>  #A guest with a disk
>  boot: order=scsi0
>  cores: 4
> +cpu: host,hidden=1,hv-vendor-id=proxmox
> +hostpci0: 0000:01:00,pcie=1,romfile=card.rom
> +machine: q35
>  memory: 4096
>  name: desk
>  ostype: l26
> VM 100: this would be written to /etc/pve/qemu-server/100.conf.
! pve-gpu: note: there is no /usr/share/kvm/card.rom yet, and without it the VM does not start
! pve-gpu: note: VM 101 has the same device in its configuration (hostpci0: 0000:01:00,pcie=1): they can have it in turns, not at the same time
! pve-gpu: note: the firmware stays SeaBIOS. Cards work best with OVMF, but a guest that was installed under SeaBIOS does not boot under OVMF: for a new guest add --bios ovmf
? 0
$ pve-gpu --root m attach 100 01:00 --hide-hypervisor --cpu keep --no-hook -n -q | grep '^+cpu'
> +cpu: kvm64,hidden=1,hv-vendor-id=proxmox
? 0
% printf "args: -cpu 'host,kvm=off,hv_vendor_id=abc' -device x\ncpu: host\n" >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --no-hook -n
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> @@ -1,2 +1,3 @@
>  args: -cpu 'host,kvm=off,hv_vendor_id=abc' -device x
>  cpu: host
> +hostpci0: 0000:02:00
> VM 106: this would be written to /etc/pve/qemu-server/106.conf.
! pve-gpu: note: 'args: -cpu host,kvm=off,hv_vendor_id=abc' hides the hypervisor already, and replaces whatever 'cpu:' says; --replace-args puts it into 'cpu:', the form of today
? 0
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --replace-args --no-hook -n
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> @@ -1,2 +1,3 @@
> -args: -cpu 'host,kvm=off,hv_vendor_id=abc' -device x
> -cpu: host
> +args: -device x
> +cpu: host,hidden=1,hv-vendor-id=abc
> +hostpci0: 0000:02:00
> VM 106: this would be written to /etc/pve/qemu-server/106.conf.
! pve-gpu: note: '-cpu host,kvm=off,hv_vendor_id=abc' was taken out of 'args'; 'cpu:' says it now
? 0
% printf "args: -cpu host\n" >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --no-hook -n
! pve-gpu: 'args: -cpu host' replaces whatever 'cpu:' says, so the hypervisor would not be hidden; nothing was changed. --replace-args takes it out of 'args' and writes 'cpu:' instead
? 4
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --replace-args --no-hook -n
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> @@ -1 +1,2 @@
> -args: -cpu host
> +cpu: host,hidden=1,hv-vendor-id=proxmox
> +hostpci0: 0000:02:00
> VM 106: this would be written to /etc/pve/qemu-server/106.conf.
! pve-gpu: note: '-cpu host' was taken out of 'args'; 'cpu:' says it now
? 0
% rm m/etc/pve/qemu-server/106.conf

# --- a CPU model that only this cluster knows is no reason to write another one
% mkdir m/etc/pve/virtual-guest && printf 'cpu-model: mine\n\treported-model host\n' >m/etc/pve/virtual-guest/cpu-models.conf
% printf 'cpu: custom-mine,flags=+aes\nmachine: q35\n' >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 01:00 --no-hook -n -q | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> +hostpci0: 0000:01:00,pcie=1
? 0
$ pve-gpu --root m attach 106 02:00 --no-hook -n -q --hide-hypervisor | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> -cpu: custom-mine,flags=+aes
> +cpu: custom-mine,flags=+aes,hidden=1,hv-vendor-id=proxmox
> +hostpci0: 0000:02:00,pcie=1
? 0
% rm m/etc/pve/qemu-server/106.conf

# --- several devices are one edit; a mapping is a device, too
% mkdir m/etc/pve/mapping && printf 'nic\n\tmap id=8086:1533,iommugroup=15,node=pve1,path=0000:02:00,subsystem-id=0000:0000\n' >m/etc/pve/mapping/pci.cfg
$ pve-gpu --root m attach 100 nic 01:00 --primary --no-hook -n -q | grep '^[+-]'
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> +cpu: host
> +hostpci0: mapping=nic,pcie=1
> +hostpci1: 0000:01:00,pcie=1,x-vga=1
> +machine: q35
> +vga: none
? 0
$ pve-gpu --root m attach 100 02:00 nic --no-hook -n -q
> VM 100: attach refused; nothing was changed.
>   device 2: 0000:02:00.0 is assigned more than once; Proxmox refuses such a
>   start.
>     Remove one of the two entries.
? 4
$ pve-gpu --root m attach 100 02:00 02:00.0 --no-hook -n -q
> VM 100: attach refused; nothing was changed.
>   device 2: 0000:02:00.0 is assigned more than once; Proxmox refuses such a
>   start.
>     Remove one of the two entries.
? 4
% rm -r m/etc/pve/mapping

# --- another hookscript
$ pve-gpu --root m attach 102 02:00 --chain
> --- a/etc/pve/qemu-server/102.conf
> +++ b/etc/pve/qemu-server/102.conf
> @@ -1,4 +1,5 @@
> -hookscript: local:snippets/other.sh
> +hookscript: local:snippets/gpu-hook
> +hostpci0: 0000:02:00
>  machine: pc-i440fx-9.2+pve1
>  name: windows
>  ostype: win11
> VM 102: written to /etc/pve/qemu-server/102.conf.
? 0
$ cat m/var/lib/vz/snippets/102.gpu.ini
> [hook]
> next = local:snippets/other.sh
? 0
$ pve-gpu --root m detach 102 -q
> --- a/etc/pve/qemu-server/102.conf
> +++ b/etc/pve/qemu-server/102.conf
> @@ -1,5 +1,4 @@
> -hookscript: local:snippets/gpu-hook
> -hostpci0: 0000:02:00
> +hookscript: local:snippets/other.sh
>  machine: pc-i440fx-9.2+pve1
>  name: windows
>  ostype: win11
> VM 102: written to /etc/pve/qemu-server/102.conf.
? 0

# --- a VM that runs
% mkdir -p m/run/qemu-server m/proc/4242 && echo 4242 >m/run/qemu-server/100.pid
% printf '/usr/bin/kvm\000-id\000100\000-pidfile\000/var/run/qemu-server/100.pid\000' >m/proc/4242/cmdline
% echo '4242 (kvm) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0' >m/proc/4242/stat
$ pve-gpu --root m attach 100 01:00 02:00 -q
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -1,11 +1,18 @@
>  #A guest with a disk
>  boot: order=scsi0
>  cores: 4
> +hookscript: local:snippets/gpu-hook
>  memory: 4096
>  name: desk
>  ostype: l26
>  scsi0: local-lvm:vm-100-disk-0,size=32G
>  
> +[PENDING]
> +cpu: host
> +hostpci0: 0000:01:00,pcie=1
> +hostpci1: 0000:02:00,pcie=1
> +machine: q35
> +
>  [before]
>  cores: 2
>  memory: 4096
> VM 100: written to /etc/pve/qemu-server/100.conf; the VM runs: what stands in
>   [PENDING] takes effect at its next start.
? 0
$ pve-gpu --root m config 100 --pending -q | head -n 3
> VM 100, pending changes: 2 passthrough devices
> 
>   hostpci0: 0000:01:00,pcie=1
? 0
$ pve-gpu --root m detach 100 hostpci1 -q
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -10,7 +10,6 @@
>  [PENDING]
>  cpu: host
>  hostpci0: 0000:01:00,pcie=1
> -hostpci1: 0000:02:00,pcie=1
>  machine: q35
>  
>  [before]
> VM 100: written to /etc/pve/qemu-server/100.conf; the VM runs: what stands in
>   [PENDING] takes effect at its next start.
? 0
$ pve-gpu --root m detach 100 -q
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -1,17 +1,11 @@
>  #A guest with a disk
>  boot: order=scsi0
>  cores: 4
> -hookscript: local:snippets/gpu-hook
>  memory: 4096
>  name: desk
>  ostype: l26
>  scsi0: local-lvm:vm-100-disk-0,size=32G
>  
> -[PENDING]
> -cpu: host
> -hostpci0: 0000:01:00,pcie=1
> -machine: q35
> -
>  [before]
>  cores: 2
>  memory: 4096
> VM 100: written to /etc/pve/qemu-server/100.conf; the VM runs: what stands in
>   [PENDING] takes effect at its next start.
? 0
% cp keep/nodes/pve1/qemu-server/100.conf m/etc/pve/qemu-server/100.conf
% mv m/run/qemu-server/100.pid . && pve-gpu --root m attach 100 01:00 -q >/dev/null && mv 100.pid m/run/qemu-server/
# It was started since: what it uses now is taken away at its next start.
$ pve-gpu --root m detach 100
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -10,6 +10,9 @@
>  ostype: l26
>  scsi0: local-lvm:vm-100-disk-0,size=32G
>  
> +[PENDING]
> +delete: cpu,hostpci0,machine
> +
>  [before]
>  cores: 2
>  memory: 4096
> VM 100: written to /etc/pve/qemu-server/100.conf; the VM runs: what stands in
>   [PENDING] takes effect at its next start.
! pve-gpu: note: the hookscript stays until VM 100 has stopped, because it gives the devices back: run 'pve-gpu detach 100' once more then
? 0
# When it has stopped, Proxmox has applied what waited, and the hookscript can go.
$ pve-gpu --root m detach 100 -q; ls m/var/lib/pve-gpu/attached
> VM 100: there is nothing to change.
> 100
? 0
% rm m/run/qemu-server/100.pid && sed -i '/^cpu:/d; /^hostpci0:/d; /^machine:/d; /^.PENDING/,/^$/d' m/etc/pve/qemu-server/100.conf
$ pve-gpu --root m detach 100
> --- a/etc/pve/qemu-server/100.conf
> +++ b/etc/pve/qemu-server/100.conf
> @@ -1,7 +1,6 @@
>  #A guest with a disk
>  boot: order=scsi0
>  cores: 4
> -hookscript: local:snippets/gpu-hook
>  memory: 4096
>  name: desk
>  ostype: l26
> VM 100: written to /etc/pve/qemu-server/100.conf.
? 0
% cp keep/nodes/pve1/qemu-server/100.conf m/etc/pve/qemu-server/100.conf

# --- refusals
$ pve-gpu --root m attach 100 09:00
> VM 100: attach refused; nothing was changed.
>   device 1: there is no PCI device 0000:09:00 on this host.
>     See what is there with 'pve-gpu list --all'; addresses move when cards or
>     firmware settings change.
? 4
$ pve-gpu --root m attach 100 00:1c.0
> VM 100: attach refused; nothing was changed.
>   0000:00:1c.0 is a PCI bridge: bridges stay with the host.
>     Name the device behind it instead; 'pve-gpu list --all' shows what there is.
? 4
$ pve-gpu --root m attach 100 03:00
> VM 100: attach refused; nothing was changed.
>   IOMMU group 16 is not isolated: the host would also lose 0000:04:00.0 (USB
>   controller, on xhci_hcd).
>     Use a slot with a group of its own, attach these devices in the same call,
>     or set 'group_members = take' in /etc/pve-gpu/settings.ini.
? 4
$ pve-gpu --root m attach 100 03:00 --json 2>/dev/null | helper json refusals.0.id refusals.0.reason written
> refusals.0.id: "not-isolated"
> refusals.0.reason: "IOMMU group 16 is not isolated: the host would also lose 0000:04:00.0 (USB controller, on xhci_hcd)"
> written: false
? 0
$ pve-gpu --root m attach 100 03:00 04:00 -n -q | tail -n 1
> VM 100: this would be written to /etc/pve/qemu-server/100.conf.
? 0
% mkdir m/etc/pve-gpu && printf '[claim]\ngroup_members = take\n' >m/etc/pve-gpu/settings.ini
$ pve-gpu --root m attach 100 03:00 -n | tail -n 1
> VM 100: this would be written to /etc/pve/qemu-server/100.conf.
! pve-gpu: note: IOMMU group 16 is not isolated; these go along, as '/etc/pve-gpu/settings.ini:2' says: 0000:04:00.0 (USB controller, on xhci_hcd)
! pve-gpu: note: the firmware stays SeaBIOS. Cards work best with OVMF, but a guest that was installed under SeaBIOS does not boot under OVMF: for a new guest add --bios ovmf
? 0
% echo nonsense >m/etc/pve-gpu/settings.ini
$ pve-gpu --root m attach 100 03:00 -n
> VM 100: attach refused; nothing was changed.
>   IOMMU group 16 is not isolated: the host would also lose 0000:04:00.0 (USB
>   controller, on xhci_hcd).
>     Use a slot with a group of its own, attach these devices in the same call,
>     or set 'group_members = take' in /etc/pve-gpu/settings.ini.
! pve-gpu: note: judging with the default settings: /etc/pve-gpu/settings.ini:1: this is neither 'key = value' nor '[section]' nor a comment
? 4
% rm -r m/etc/pve-gpu
$ pve-gpu --root m attach 100 05:00
> VM 100: attach refused; nothing was changed.
>   0000:05:00.0 is the boot display.
>     If this host can be reached by network, say so: --yes-host-console.
>   0000:05:00.0 is the only display of this host.
>     If this host can be reached by network, say so: --yes-host-console.
>   0000:05:00.0 is the display of the board's remote console (BMC).
>     If this host can be reached by network, say so: --yes-host-console.
? 4
$ pve-gpu --root m attach 100 05:00 --yes-host-console -n | tail -n 1
> VM 100: this would be written to /etc/pve/qemu-server/100.conf.
! pve-gpu: note: 0000:05:00.0 is the boot display: a start will still be refused. If this host can do without it, write 'allow = boot-display, only-display, bmc-display' into 100.gpu.ini beside the hookscript, or into /etc/pve-gpu/settings.ini.
! pve-gpu: note: 0000:05:00.0 is the only display of this host: a start will still be refused. If this host can do without it, write 'allow = boot-display, only-display, bmc-display' into 100.gpu.ini beside the hookscript, or into /etc/pve-gpu/settings.ini.
! pve-gpu: note: 0000:05:00.0 is the display of the board's remote console (BMC): a start will still be refused. If this host can do without it, write 'allow = boot-display, only-display, bmc-display' into 100.gpu.ini beside the hookscript, or into /etc/pve-gpu/settings.ini.
! pve-gpu: note: the firmware stays SeaBIOS. Cards work best with OVMF, but a guest that was installed under SeaBIOS does not boot under OVMF: for a new guest add --bios ovmf
? 0
$ pve-gpu --root m attach 101 01:00
! pve-gpu: VM 101 has 01:00 already, as hostpci0; nothing was changed. Take it out first: pve-gpu detach 101 hostpci0
! pve-gpu: note: the firmware stays SeaBIOS. Cards work best with OVMF, but a guest that was installed under SeaBIOS does not boot under OVMF: for a new guest add --bios ovmf
? 4
$ pve-gpu --root m attach 103 02:00
! pve-gpu: VM 103 is a template: it never runs, and its clones would all want the same device; nothing was changed. Give the device to a clone
? 4
$ pve-gpu --root m attach 104 02:00
! pve-gpu: VM 104 is locked (backup): Proxmox is in the middle of a long operation on it; nothing was changed. Wait for its end, or, if it died, 'qm unlock 104'
? 4
$ pve-gpu --root m attach 104 02:00 --json 2>/dev/null | helper json refusals.# refusals.0.id written error.errno
> refusals.#: 1
> refusals.0.id: "locked"
> written: false
> error.errno: "EBUSY"
? 0
$ pve-gpu --root m attach 105 02:00
! pve-gpu: 105 is a container (on node 'pve1'): it takes no PCI devices
? 1
$ pve-gpu --root m attach 200 02:00
! pve-gpu: VM 200 lives on node 'pve2', and only there its configuration may be changed: run this command on that node
? 4
$ pve-gpu --root m attach 999 02:00
! pve-gpu: there is no VM 999 in this cluster
? 1
$ pve-gpu --root m attach 100 nosuchmapping
> VM 100: attach refused; nothing was changed.
>   device 1: mapping 'nosuchmapping': there is no '/etc/pve/mapping/pci.cfg'.
>     Check Datacenter > Resource Mappings.
? 4
% for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo "hostpci$i: 0000:77:00"; done >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00
! pve-gpu: VM 106 has 16 devices already, and Proxmox knows no more than that; nothing was changed. Take one out: pve-gpu detach 106 hostpciN
? 4
$ pve-gpu --root m attach 106 02:00 --slot 3
! pve-gpu: hostpci3 of VM 106 is taken (0000:77:00); nothing was changed. Without --slot the next free one is used
? 4
% rm m/etc/pve/qemu-server/106.conf
% printf '#!/bin/sh\n' >m/var/lib/vz/snippets/gpu-hook
$ pve-gpu --root m attach 100 02:00
! pve-gpu: '/var/lib/vz/snippets/gpu-hook' is somebody else's file (--no-hook attaches the device without our hookscript)
? 4
% rm m/var/lib/vz/snippets/gpu-hook
$ diff -r keep/nodes m/etc/pve/nodes
? 0
% mv m/etc/pve/local m/etc/pve/elsewhere
$ pve-gpu --root m attach 100 02:00
! pve-gpu: /etc/pve is not mounted ('/etc/pve/local' is no link), so nothing is written there; see what is wrong with 'systemctl status pve-cluster'
? 4
$ pve-gpu --root m detach 100
! pve-gpu: /etc/pve is not mounted ('/etc/pve/local' is no link), so nothing is written there; see what is wrong with 'systemctl status pve-cluster'
? 4
% mv m/etc/pve/elsewhere m/etc/pve/local

# --- what the host needs, virtual functions
% mkdir s n && mktree $cases/../trees/hba-pool.tree s && mktree $cases/../trees/nic-vfs.tree n
% echo 'name: x' >s/etc/pve/qemu-server/110.conf && echo 'name: x' >n/etc/pve/qemu-server/110.conf
$ pve-gpu --root s attach 110 02:00
> VM 110: attach refused; nothing was changed.
>   0000:02:00.0 carries the mounted file system / (/dev/mapper/pve-root); the
>   host needs it.
>     Move that elsewhere first, or take the device out of the VM's config.
>   0000:02:00.0 carries swap /dev/mapper/pve-swap; the host needs it.
>     Move that elsewhere first, or take the device out of the VM's config.
>   0000:02:00.0 carries the active LVM volume group pve (on /dev/sda3), which is
>   the Proxmox storage local-lvm; the host needs it.
>     Move that elsewhere first, or take the device out of the VM's config.
? 4
$ pve-gpu --root n attach 110 01:00.0 --function
> VM 110: attach refused; nothing was changed.
>   0000:01:00.0 has 8 virtual functions; taking it would destroy them under their
>   users.
>     Stop the VMs that have them, then remove them: echo 0 >
>     /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs
>   0000:01:00.0 is port enp1s0f0 of bridge vmbr0, which has the default route;
>   the host needs it.
>     Move that elsewhere first, or take the device out of the VM's config.
? 4
$ pve-gpu --root n attach 110 01:02.1 -n -q
> --- a/etc/pve/qemu-server/110.conf
> +++ b/etc/pve/qemu-server/110.conf
> @@ -1 +1,3 @@
> +hookscript: local:snippets/gpu-hook
> +hostpci0: 0000:01:02.1
>  name: x
> VM 110: this would be written to /etc/pve/qemu-server/110.conf.
? 0

# --- wrong usage
$ pve-gpu --root m attach 100
! pve-gpu: something is missing: pve-gpu attach VMID DEVICE...
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 --slot 16
! pve-gpu: --slot 16: a number from 0 to 15 is needed
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 --display vga
! pve-gpu: --display vga: there is no such choice
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 --machine pc
! pve-gpu: --machine pc: there is no such choice
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 --bios seabios
! pve-gpu: --bios seabios: there is no such choice
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 --cpu max
! pve-gpu: --cpu max: there is no such choice
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 '01:00,x'
! pve-gpu: '01:00,x' is neither a PCI address (01:00, 0000:01:00.0) nor a mapping's name
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 --function
! pve-gpu: --function is for one function, and '01:00' names none: 01:00.0?
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 02:00 --romfile x
! pve-gpu: --romfile is for one device: attach the others in another call
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 --romfile 'a,b'
! pve-gpu: --romfile: the name may contain neither ',' nor ';'
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 --replace-args
! pve-gpu: --replace-args goes with --hide-hypervisor
!   'pve-gpu attach --help' tells more
? 2
$ pve-gpu --root m attach 100 01:00 --chain --no-hook
! pve-gpu: either --chain or --no-hook, not both
!   'pve-gpu attach --help' tells more
? 2
