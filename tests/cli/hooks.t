# The snippet in a storage, and who uses it.

% mktree $cases/two-cards.tree m
% sed -i 's/^name: desk/hookscript: local:snippets\/gpu-hook\nhostpci0: 0000:01:00\n&/' m/etc/pve/qemu-server/100.conf
$ pve-gpu --root m hook status
> VM 100 on pve1: local:snippets/gpu-hook (missing), 1 device
>   → there is no '/var/lib/vz/snippets/gpu-hook', so it does not start: pve-gpu
>     hook install
> VM 101 on pve1: no hookscript, 1 device
>   → it has devices and no hookscript: nobody gives them back (pve-gpu attach
>     sets it, or qm set 101 --hookscript STORAGE:snippets/gpu-hook)
> VM 102 on pve1: local:snippets/other.sh, not ours (missing)
>   → there is no '/var/lib/vz/snippets/other.sh', so it does not start: put it
>     back, or qm set 102 --delete hookscript
> VM 103 on pve1: no hookscript
> VM 104 on pve1: no hookscript
> container 105 on pve1: no hookscript
> VM 200 on pve2: no hookscript
? 3
$ pve-gpu --root m hook install --dry-run
> local:snippets/gpu-hook would be installed, as '/var/lib/vz/snippets/gpu-hook'.
> For a VM: pve-gpu attach VMID DEVICE, or qm set VMID --hookscript
>   local:snippets/gpu-hook
! pve-gpu: note: storage 'local' does not list 'snippets' among its contents: hookscripts work all the same, but the web page does not show them (Datacenter > Storage > local > Content)
! pve-gpu: note: storage 'local' is not shared: do the same on every node that a VM may move to
? 0
$ pve-gpu --root m hook install
> local:snippets/gpu-hook installed, as '/var/lib/vz/snippets/gpu-hook'.
> For a VM: pve-gpu attach VMID DEVICE, or qm set VMID --hookscript
>   local:snippets/gpu-hook
! pve-gpu: note: storage 'local' does not list 'snippets' among its contents: hookscripts work all the same, but the web page does not show them (Datacenter > Storage > local > Content)
! pve-gpu: note: storage 'local' is not shared: do the same on every node that a VM may move to
? 0
$ pve-gpu --root m hook install -q
> local:snippets/gpu-hook is there already, as '/var/lib/vz/snippets/gpu-hook'.
? 0
$ ls -l m/var/lib/vz/snippets | awk 'NR > 1 { print $1, $NF }'
> -rw-r--r-- example.gpu.ini
> -rwxr-xr-x gpu-hook
? 0
$ pve-gpu --root m hook status --json | helper json guests.# guests.0.vmid guests.0.exists guests.0.problem guests.1.problem
> guests.#: 7
> guests.0.vmid: 100
> guests.0.exists: "yes"
> guests.0.problem: null
> guests.1.problem: "it has devices and no hookscript: nobody gives them back (pve-gpu attach sets it, or qm set 101 --hookscript STORAGE:snippets/gpu-hook)"
? 0
$ pve-gpu --root m hook install --storage nowhere
! pve-gpu: there is no storage 'nowhere' in /etc/pve/storage.cfg
? 1
$ pve-gpu --root m hook install --storage local-lvm
! pve-gpu: storage 'local-lvm' (lvmthin) cannot hold snippets: its type has no folder for them; choose one of type dir, nfs, cifs, cephfs or btrfs
? 4
% mkdir -p m/proc && echo 'dev /mnt/x nfs rw 0 0' >m/proc/mounts
$ pve-gpu --root m hook install --storage team
! pve-gpu: storage 'team' is not mounted at '/mnt/pve/team', and a file put there would be hidden by the mount: see 'pvesm status'
? 4
% echo '10.0.0.1:/x /mnt/pve/team nfs rw 0 0' >m/proc/mounts
$ pve-gpu --root m hook install --storage team -q
> team:snippets/gpu-hook installed, as '/mnt/pve/team/snippets/gpu-hook'.
> For a VM: pve-gpu attach VMID DEVICE, or qm set VMID --hookscript
>   team:snippets/gpu-hook
? 0
$ ls m/mnt/pve/team/snippets
> example.gpu.ini
> gpu-hook
? 0
# An older version is replaced, somebody else's file is not.
% echo '# exec /usr/libexec/pve-gpu/gpu-hook' >m/var/lib/vz/snippets/gpu-hook
$ pve-gpu --root m hook install --storage local -q
> local:snippets/gpu-hook installed, as '/var/lib/vz/snippets/gpu-hook'.
> For a VM: pve-gpu attach VMID DEVICE, or qm set VMID --hookscript
>   local:snippets/gpu-hook
? 0
% echo '# other' >m/var/lib/vz/snippets/gpu-hook
$ pve-gpu --root m hook install --storage local
! pve-gpu: '/var/lib/vz/snippets/gpu-hook' is somebody else's file and was not touched: give it another name, or choose another storage with --storage
? 4
$ pve-gpu --root m hook remove --storage local
! pve-gpu: '/var/lib/vz/snippets/gpu-hook' is somebody else's file; nothing was changed
? 4
% rm m/var/lib/vz/snippets/gpu-hook
% pve-gpu --root m hook install --storage local -q >/dev/null

# Removing clears the VMs of this node, or says who is in the way.
% echo 'hookscript: local:snippets/gpu-hook' >m/etc/pve/nodes/pve1/lxc/105.conf
$ pve-gpu --root m hook remove --storage local
! pve-gpu: guests use it, and without it they do not start: 105 on pve1 (a container: pct set 105 --delete hookscript); nothing was changed
? 4
% : >m/etc/pve/nodes/pve1/lxc/105.conf
% echo 'hookscript: local:snippets/gpu-hook' >>m/etc/pve/qemu-server/104.conf
$ pve-gpu --root m hook remove --storage local
! pve-gpu: guests use it, and without it they do not start: 104 on pve1 (VM 104 is locked (backup): Proxmox is in the middle of a long operation on it; nothing was changed. Wait for its end, or, if it died, 'qm unlock 104'); nothing was changed
? 4
% sed -i /hookscript/d m/etc/pve/qemu-server/104.conf
% mkdir -p m/run/qemu-server m/proc/4242 && echo 4242 >m/run/qemu-server/100.pid
% printf '/usr/bin/kvm\000-pidfile\000/var/run/qemu-server/100.pid\000' >m/proc/4242/cmdline
% echo '4242 (kvm) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0' >m/proc/4242/stat
% echo 'hookscript: local:snippets/gpu-hook' >>m/etc/pve/qemu-server/101.conf
% sed -i '/^hookscript/d; s/^name: desk/hookscript: local:snippets\/gpu-hook\n&/' m/etc/pve/qemu-server/100.conf
$ pve-gpu --root m hook remove --storage local
! pve-gpu: guests use it, and without it they do not start: 100 on pve1 (it runs and has devices, which the hookscript gives back: stop it first); nothing was changed
? 4
% rm m/run/qemu-server/100.pid
$ pve-gpu --root m hook remove --storage local --dry-run
> local:snippets/gpu-hook would be removed, as '/var/lib/vz/snippets/gpu-hook'.
! pve-gpu: note: VM 100: 'hookscript' would be taken out of its configuration
! pve-gpu: note: VM 101: 'hookscript' would be taken out of its configuration
? 0
$ pve-gpu --root m hook remove --storage local
> local:snippets/gpu-hook removed, as '/var/lib/vz/snippets/gpu-hook'.
! pve-gpu: note: VM 100: 'hookscript' was taken out of its configuration
! pve-gpu: note: VM 101: 'hookscript' was taken out of its configuration
? 0
$ pve-gpu --root m hook remove --storage local; ls m/var/lib/vz/snippets; grep -c hookscript m/etc/pve/qemu-server/100.conf
> local:snippets/gpu-hook is not there: nothing to remove.
> 0
? 1
% echo 'hookscript: team:snippets/gpu-hook' >m/etc/pve/nodes/pve2/qemu-server/200.conf
$ pve-gpu --root m hook remove --storage team
! pve-gpu: guests use it, and without it they do not start: 200 on pve2 (run there: qm set 200 --delete hookscript); nothing was changed
? 4
$ pve-gpu --root m hook explode
! pve-gpu: 'explode': install, remove or status?
!   'pve-gpu hook --help' tells more
? 2

# A VM that was restored or moved to a node without the package starts all the same.
$ test ! -e /usr/libexec/pve-gpu/gpu-hook && m/mnt/pve/team/snippets/gpu-hook 200 pre-start
! gpu-hook: VM 200 goes on without /usr/libexec/pve-gpu/gpu-hook, which is not installed (to be rid of this: qm set 200 --delete hookscript)
? 0
