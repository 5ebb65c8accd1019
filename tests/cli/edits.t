# What happens between the looking and the writing, and what is left of a VM's own settings afterwards.

% mktree $cases/two-cards.tree m
% printf 'name: race\n' >m/etc/pve/qemu-server/106.conf; mkdir -p m/run/lock/qemu-server

# --- a hookscript that appears while attach waits for the lock is not overwritten
# flock has the file open, and so has attach when it has looked and waits.
% printf 'pve-gpu --root m attach 106 02:00 >out 2>&1; echo $? >status\n' >attach.sh
% printf 'sh attach.sh & until [ "$(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c "$PWD/m/run/lock/qemu-server/lock-106")" -ge 2 ]; do sleep 0.1; done; printf "hookscript: local:snippets/mine.pl\\nname: race\\n" >m/etc/pve/qemu-server/106.conf\n' >race.sh
$ flock -o m/run/lock/qemu-server/lock-106.conf sh race.sh; while [ ! -s status ]; do sleep 0.1; done; cat out status m/etc/pve/qemu-server/106.conf; ls m/var/lib/vz/snippets
> pve-gpu: the hookscript of VM 106 was changed meanwhile (now 'local:snippets/mine.pl'); nothing was changed. Try again
> 4
> hookscript: local:snippets/mine.pl
> name: race
? 0

# --- what --chain cannot do is refused before anything is put anywhere, and in a dry run, too
% printf '[hook]\nnext = local:snippets/third.sh\n' >m/var/lib/vz/snippets/102.gpu.ini
$ pve-gpu --root m attach 102 02:00 --chain -n -q
! pve-gpu: '/var/lib/vz/snippets/102.gpu.ini' already says 'next = local:snippets/third.sh', which is not 'local:snippets/other.sh': correct that file, then try again; nothing was changed
? 4
$ pve-gpu --root m attach 102 02:00 --chain -q; ls m/var/lib/vz/snippets
> 102.gpu.ini
! pve-gpu: '/var/lib/vz/snippets/102.gpu.ini' already says 'next = local:snippets/third.sh', which is not 'local:snippets/other.sh': correct that file, then try again; nothing was changed
? 0
% printf '[hook]\n' >m/var/lib/vz/snippets/102.gpu.ini
$ pve-gpu --root m attach 102 02:00 --chain -n -q
! pve-gpu: '/var/lib/vz/snippets/102.gpu.ini' has a section [hook] already: write 'next = local:snippets/other.sh' into it, then try again; nothing was changed
? 4
$ pve-gpu --root m attach 102 02:00 --chain -q; ls m/var/lib/vz/snippets
> 102.gpu.ini
! pve-gpu: '/var/lib/vz/snippets/102.gpu.ini' has a section [hook] already: write 'next = local:snippets/other.sh' into it, then try again; nothing was changed
? 0
% rm m/var/lib/vz/snippets/102.gpu.ini

# --- detach takes out what --chain had put in, and nothing else
$ pve-gpu --root m attach 102 02:00 --chain -q >/dev/null; cat m/var/lib/vz/snippets/102.gpu.ini; pve-gpu --root m detach 102 -q >/dev/null; ls m/var/lib/vz/snippets
> [hook]
> next = local:snippets/other.sh
> example.gpu.ini
> gpu-hook
? 0
% printf '[claim]\nstop_deadline = 50\n' >m/var/lib/vz/snippets/102.gpu.ini; cp m/var/lib/vz/snippets/102.gpu.ini 102.gpu.ini
$ pve-gpu --root m attach 102 02:00 --chain -q >/dev/null; cat m/var/lib/vz/snippets/102.gpu.ini; pve-gpu --root m detach 102 -q >/dev/null; cmp 102.gpu.ini m/var/lib/vz/snippets/102.gpu.ini
> [claim]
> stop_deadline = 50
> 
> [hook]
> next = local:snippets/other.sh
? 0
$ pve-gpu --root m attach 102 02:00 --chain -q >/dev/null; echo '# mine' >>m/var/lib/vz/snippets/102.gpu.ini; pve-gpu --root m detach 102 >/dev/null
! pve-gpu: note: /var/lib/vz/snippets/102.gpu.ini:5 still says 'next = local:snippets/other.sh', which is run only while our hookscript is set
? 0
% rm m/var/lib/vz/snippets/102.gpu.ini

# --- without a record (the VM came from another node) the chained hookscript is the VM's again all the same
$ pve-gpu --root m attach 102 02:00 --chain -q >/dev/null; rm m/var/lib/pve-gpu/attached/102; pve-gpu --root m detach 102 -q | grep hookscript; ls m/var/lib/vz/snippets
> -hookscript: local:snippets/gpu-hook
> +hookscript: local:snippets/other.sh
> example.gpu.ini
> gpu-hook
? 0

# --- hook remove gives a chained VM its own hookscript back
$ pve-gpu --root m attach 102 02:00 --chain -q >/dev/null; pve-gpu --root m hook remove -n | tail -1
> local:snippets/gpu-hook would be removed, as '/var/lib/vz/snippets/gpu-hook'.
! pve-gpu: note: VM 102: its own hookscript 'local:snippets/other.sh' would be put back
? 0
$ pve-gpu --root m hook remove; grep hookscript m/etc/pve/qemu-server/102.conf; ls m/var/lib/vz/snippets; pve-gpu --root m detach 102 -q >/dev/null; grep -e hook -e machine m/etc/pve/qemu-server/102.conf
> local:snippets/gpu-hook removed, as '/var/lib/vz/snippets/gpu-hook'.
> hookscript: local:snippets/other.sh
> hookscript: local:snippets/other.sh
> machine: pc-i440fx-9.2+pve1
! pve-gpu: note: VM 102: its own hookscript 'local:snippets/other.sh' was put back
? 0

# --- what an attach changed is taken back once; the same value set later is the user's own
% mkdir -p m/run/qemu-server m/proc/4242; printf '/usr/bin/kvm\000-id\000106\000-pidfile\000/var/run/qemu-server/106.pid\000' >m/proc/4242/cmdline
% echo '4242 (kvm) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0' >m/proc/4242/stat
% printf 'memory: 2048\nname: stale\n' >m/etc/pve/qemu-server/106.conf
% pve-gpu --root m attach 106 01:00 --no-hook -q >/dev/null; echo 4242 >m/run/qemu-server/106.pid
$ pve-gpu --root m detach 106 -q | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> +
> +[PENDING]
> +delete: cpu,hostpci0,machine
? 0
% rm m/run/qemu-server/106.pid; printf 'cpu: host\nmemory: 2048\nname: stale\n' >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 01:00 --no-hook --machine keep -q >/dev/null; echo tags: x >>m/etc/pve/qemu-server/106.conf; pve-gpu --root m detach 106 -q >/dev/null; cat m/etc/pve/qemu-server/106.conf; ls m/var/lib/pve-gpu/attached
> cpu: host
> memory: 2048
> name: stale
> tags: x
? 0

# --- a detach with nothing to write uses the record up all the same
% printf 'memory: 2048\nname: stale\n' >m/etc/pve/qemu-server/106.conf
% pve-gpu --root m attach 106 01:00 --no-hook -q >/dev/null; printf 'memory: 2048\nname: stale\n' >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m detach 106 -n -q; ls m/var/lib/pve-gpu/attached; pve-gpu --root m detach 106 -q; ls m/var/lib/pve-gpu/attached
> VM 106: there is nothing to change.
> 106
> VM 106: there is nothing to change.
? 0

# --- hiding the hypervisor where `args` names a CPU
% printf "args: -cpu host -device x -cpu 'host,kvm=off' --cpu max,+avx\n" >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --replace-args --no-hook -n | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> -args: -cpu host -device x -cpu 'host,kvm=off' --cpu max,+avx
> +args: -device x
> +cpu: host,hidden=1,hv-vendor-id=proxmox
> +hostpci0: 0000:02:00
! pve-gpu: note: '-cpu max,+avx' was taken out of 'args'; 'cpu:' says it now, but not: max, +avx
? 0
% printf "args: -cpu Skylake-Server,kvm=off,+vmx,hv_time,+aes,hv_vendor_id=abc\ncpu: kvm64,flags=-pcid;+aes\n" >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --replace-args --no-hook -n | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> -args: -cpu Skylake-Server,kvm=off,+vmx,hv_time,+aes,hv_vendor_id=abc
> -cpu: kvm64,flags=-pcid;+aes
> +cpu: kvm64,flags=-pcid;+aes,hidden=1,hv-vendor-id=abc
> +hostpci0: 0000:02:00
! pve-gpu: note: '-cpu Skylake-Server,kvm=off,+vmx,hv_time,+aes,hv_vendor_id=abc' was taken out of 'args'; 'cpu:' says it now, but not: Skylake-Server, +vmx, hv_time
? 0
% printf "args: -cpu host,-hypervisor\n" >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --no-hook -n | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> +hostpci0: 0000:02:00
! pve-gpu: note: 'args: -cpu host,-hypervisor' hides the hypervisor already, and replaces whatever 'cpu:' says; --replace-args puts it into 'cpu:', the form of today
? 0
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --replace-args --no-hook -n | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> -args: -cpu host,-hypervisor
> +cpu: host,hidden=1,hv-vendor-id=proxmox
> +hostpci0: 0000:02:00
! pve-gpu: note: '-cpu host,-hypervisor' was taken out of 'args'; 'cpu:' says it now, but not: -hypervisor
? 0
% printf "args: -cpu host,hypervisor=off\n" >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --no-hook -n | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> +hostpci0: 0000:02:00
! pve-gpu: note: 'args: -cpu host,hypervisor=off' hides the hypervisor already, and replaces whatever 'cpu:' says; --replace-args puts it into 'cpu:', the form of today
? 0
# Perl's shellwords makes no word at all of these.
% printf "args: -cpu 'host,kvm=off\n" >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --no-hook -n | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> +cpu: host,hidden=1,hv-vendor-id=proxmox
> +hostpci0: 0000:02:00
! pve-gpu: note: 'args: -cpu 'host,kvm=off' ends inside a quote or with a backslash, so Proxmox passes nothing of it to QEMU; a '-cpu' in it would replace 'cpu:' again once that is put right
? 0
% printf "args: -cpu 'host\\\\',kvm=off\n" >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --replace-args --no-hook -n | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> +cpu: host,hidden=1,hv-vendor-id=proxmox
> +hostpci0: 0000:02:00
! pve-gpu: note: 'args: -cpu 'host\',kvm=off' ends inside a quote or with a backslash, so Proxmox passes nothing of it to QEMU; a '-cpu' in it would replace 'cpu:' again once that is put right
? 0
% printf 'args: -cpu host,kvm=off \\\n' >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m attach 106 02:00 --hide-hypervisor --no-hook -n | grep '^[+-]'
> --- a/etc/pve/qemu-server/106.conf
> +++ b/etc/pve/qemu-server/106.conf
> +cpu: host,hidden=1,hv-vendor-id=proxmox
> +hostpci0: 0000:02:00
! pve-gpu: note: 'args: -cpu host,kvm=off \' ends inside a quote or with a backslash, so Proxmox passes nothing of it to QEMU; a '-cpu' in it would replace 'cpu:' again once that is put right
? 0
% rm m/etc/pve/qemu-server/106.conf

# --- a template keeps its hookscript until somebody decides what its clones are to have
% pve-gpu --root m hook install -q >/dev/null; printf 'hookscript: local:snippets/gpu-hook\ntemplate: 1\n' >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m hook remove
! pve-gpu: guests use it, and without it they do not start: 106 on pve1 (a template, and its clones inherit it: qm set 106 --delete hookscript); nothing was changed
? 4
% rm m/etc/pve/qemu-server/106.conf

# --- a snapshot with our hookscript brings it back
% printf 'name: snap\nparent: before\n\n[before]\nhookscript: local:snippets/gpu-hook\nname: snap\nsnaptime: 1\n\n[other]\nhookscript: local:snippets/mine.sh\nname: snap\nsnaptime: 2\n' >m/etc/pve/qemu-server/106.conf
$ pve-gpu --root m hook status 2>&1 >/dev/null | grep 106
> pve-gpu: note: VM 106 on pve1: snapshot 'before' has our hookscript ('local:snippets/gpu-hook'), and needs it after a rollback
? 0
$ pve-gpu --root m hook remove
> local:snippets/gpu-hook removed, as '/var/lib/vz/snippets/gpu-hook'.
! pve-gpu: note: VM 106 on pve1: snapshot 'before' still has our hookscript: after a rollback the VM does not start until 'qm set 106 --delete hookscript'
? 0
% rm m/etc/pve/qemu-server/106.conf

# --- a hookscript whose name no 'next =' can hold is not chained
% printf 'name: long\nhookscript: local:snippets/%0190d.sh\n' 0 >m/etc/pve/qemu-server/187.conf; cp m/etc/pve/qemu-server/187.conf 187.conf
$ pve-gpu --root m attach 187 02:00 --chain -q 2>&1 | grep -o 'is longer than the 191 bytes'; cmp 187.conf m/etc/pve/qemu-server/187.conf; ls m/var/lib/vz/snippets
> is longer than the 191 bytes
? 0
