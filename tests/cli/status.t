# Leases in every state, on a captured machine (which has no clock, so there is no age).

% mktree $cases/card.tree m
$ pve-gpu status --root m
> No VM holds devices.
? 0
$ pve-gpu status 100 --root m
> VM 100 holds no devices.
? 0
$ pve-gpu status --root m --json | helper json '*' leases aside
> *: version leases aside abandoned notes
> leases: []
> aside: []
? 0
% mkdir -p m/run/pve-gpu/leases
$ pve-gpu status --root m
> No VM holds devices.
? 0

# A hook that was killed in the middle of a step.
% { cat $cases/lease.txt; printf 'intent 0\ndone 0 ns=1000\nintent 1\n'; } | helper lease >m/run/pve-gpu/leases/100
% cp -a m before
$ pve-gpu status --root m
> VM 100: left over: whoever worked on it died at step 2 of 3, 'unbind
>   0000:01:00.0 from nouveau'
>   → give them back: pve-gpu release 100
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            on nouveau, where it was, answers
>   01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller
>            on snd_hda_intel, where it was, answers
? 3
$ pve-gpu status 101 --root m
> VM 101 holds no devices.
? 0
$ pve-gpu status --root m --json | helper json leases.# leases.0.'*' leases.0.state leases.0.problem leases.0.advice leases.0.file leases.0.pid leases.0.age leases.0.step leases.0.devices.# leases.0.devices.0
> leases.#: 1
> leases.0.*: vmid state problem text advice file pid written age step failures stopped devices
> leases.0.state: "left-over"
> leases.0.problem: true
> leases.0.advice: "give them back: pve-gpu release 100"
> leases.0.file: "/run/pve-gpu/leases/100"
> leases.0.pid: null
> leases.0.age: null
> leases.0.step: {"kind":"unbind","address":"0000:01:00.0","way":"do","text":"unbind 0000:01:00.0 from nouveau","worker":null}
> leases.0.devices.#: 2
> leases.0.devices.0: {"address":"0000:01:00.0","key":"hostpci0","name":"NVIDIA Corporation AD102 [GeForce RTX 4090]","driver":"nouveau","target":"vfio-pci","origin":"nouveau","group":14,"health":"ok","said":null,"problem":false,"uses":[]}
? 0
$ pve-gpu list --root m
>   ADDRESS  CLASS           DRIVER         GROUP  RESET  HELD BY
> NVIDIA Corporation AD102 [GeForce RTX 4090]
>   01:00.0  VGA controller  nouveau        14     bus    VM 100
>   01:00.1  audio device    snd_hda_intel  14     -      VM 100
? 0
$ pve-gpu plan 101 -q --root m | head -n 8
> VM 101: a start would take 2 functions of 1 device.
> 
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            hostpci0, group 14: nouveau → vfio-pci, hot reset
>   01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller
>            not asked for, but in group 14: snd_hda_intel → vfio-pci, hot reset
> 
> Step by step:
? 0
$ diff -r --no-dereference before m
? 0

# The step hangs: its worker lives.
% mkdir -p m/proc/4000007; echo '4000007 (gpu-hook) D 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0' >m/proc/4000007/stat
% { cat $cases/lease.txt; printf 'intent 0\ndone 0 ns=1000\nintent 1\nstuck 1 4000007:777\n'; } | helper lease >m/run/pve-gpu/leases/100
$ pve-gpu status --root m | head -n 4
> VM 100: stuck: step 2 of 3, 'unbind 0000:01:00.0 from nouveau', has not come
>   back from the kernel (worker process 4000007)
>   → 'dmesg' and 'cat /proc/4000007/stack' tell what the driver waits for; when
>     it lets go: pve-gpu release 100
? 0
$ pve-gpu status --root m --json | helper json leases.0.state leases.0.step
> leases.0.state: "stuck"
> leases.0.step: {"kind":"unbind","address":"0000:01:00.0","way":"do","text":"unbind 0000:01:00.0 from nouveau","worker":4000007}
? 0
% rm -r m/proc/4000007
$ pve-gpu status --root m | head -n 3
> VM 100: left over: step 2 of 3, 'unbind 0000:01:00.0 from nouveau', hung in the
>   kernel and has come back since
>   → give them back: pve-gpu release 100
? 0

# Taken by a start that is under way: the task that called the hook lives.
% mkdir -p m/proc/4000001; echo '4000001 (task UPID) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0' >m/proc/4000001/stat
% { cat $cases/lease.txt; printf 'done 0\ndone 1\ndone 2\nclaimed\n'; } | helper lease >m/run/pve-gpu/leases/100
$ pve-gpu status --root m | head -n 1
> VM 100: starting: the devices are taken, QEMU is not up yet
? 0
$ pve-gpu plan 101 -q --root m | head -n 6
> VM 101: a start would be refused; nothing would be touched.
> 
>   refused: 0000:01:00.0 is held by VM 100, whose start is under way (if it is
>            not: 'pve-gpu release 100').
>   refused: 0000:01:00.1 (same IOMMU group) is held by VM 100, whose start is
>            under way (if it is not: 'pve-gpu release 100').
? 0
% rm -r m/proc/4000001
$ pve-gpu status --root m | head -n 3
> VM 100: left over: the VM is not running, it is not being started, and nobody is
>   giving the devices back
>   → give them back: pve-gpu release 100
? 0

# Giving back failed at a step.
% { cat $cases/lease.txt; printf 'done 0\ndone 1\ndone 2\nclaimed\nundo 2\nundone 2\nundo 1\nfailed 1 why=cannot%%20bind%%200000:01:00.0%%20to%%20nouveau:%%20the%%20probe%%20failed\n'; } | helper lease >m/run/pve-gpu/leases/100
$ pve-gpu status --root m | head -n 5
> VM 100: left over: giving the devices back was not finished
>   → give them back: pve-gpu release 100
>   failed: cannot bind 0000:01:00.0 to nouveau: the probe failed
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            on nouveau, where it was, answers
? 0

# Held by a VM that runs.
% { cat $cases/lease.txt; printf 'done 0\ndone 1\ndone 2\nclaimed\n'; } | helper lease >m/run/pve-gpu/leases/100
% mkdir -p m/proc/4000100 m/run/qemu-server; echo 4000100 >m/run/qemu-server/100.pid; printf '/usr/bin/kvm\000-id\000100\000-pidfile\000/var/run/qemu-server/100.pid\000' >m/proc/4000100/cmdline; echo '4000100 (kvm) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 900 0' >m/proc/4000100/stat; echo kvm >m/proc/4000100/comm
$ pve-gpu status --root m
> VM 100: held by the running VM (pid 4000100)
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            on nouveau, where it was, answers
>   01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller
>            on snd_hda_intel, where it was, answers
? 0
$ pve-gpu plan 100 -q --root m | head -n 5
> VM 100: a start would be refused; nothing would be touched.
> 
>   refused: VM 100 runs already (pid 4000100).
>            'pve-gpu status 100' shows what it holds.
> 
? 0
$ pve-gpu plan 101 -q --root m | head -n 7
> VM 101: a start would be refused; nothing would be touched.
> 
>   refused: 0000:01:00.0 is held by VM 100, which is running (pid 4000100).
>   refused: 0000:01:00.1 (same IOMMU group) is held by VM 100, which is running
>            (pid 4000100).
>            Stop that VM first, or give this VM another device.
> 
? 0
$ pve-gpu release 100 --dry-run --root m
! pve-gpu: VM 100 runs (pid 4000100) and has its devices; nothing was touched. Stop it first: qm stop 100
? 4
% rm -r m/proc/4000100 m/run/qemu-server

# A device that does not answer.
% cp m/sys/bus/pci/devices/0000:01:00.0/config config; head -c 256 /dev/zero | tr '\000' '\377' | cat >m/sys/bus/pci/devices/0000:01:00.0/config
$ pve-gpu status --root m
> VM 100: left over: the VM is not running, it is not being started, and nobody is
>   giving the devices back
>   → give them back: pve-gpu release 100
>   01:00.0  NVIDIA Corporation AD102 [GeForce RTX 4090]
>            on nouveau, where it was. Dead: 0000:01:00.0 does not answer: its
>            config space reads all ones (fell off the bus, or did not come back
>            from reset); 'pve-gpu reset 0000:01:00.0 --chain' tries what is left,
>            a power cycle of the host will bring it back
>   01:00.1  NVIDIA Corporation AD102 High Definition Audio Controller
>            on snd_hda_intel, where it was, answers
? 3
% cat config >m/sys/bus/pci/devices/0000:01:00.0/config

# What release would do; it touches nothing.
% rm -rf before; cp -a m before
$ pve-gpu release 100 --dry-run --root m
> 01:00.0 NVIDIA Corporation AD102 [GeForce RTX 4090]: would go back to nouveau
> 01:00.1 NVIDIA Corporation AD102 High Definition Audio Controller: would go back to snd_hda_intel
> VM 100: 2 functions of 1 device would be given back; nothing was touched.
? 0
$ pve-gpu release --all -n --root m --json | helper json '*' vms.# vms.0.'*' vms.0.verdict vms.0.devices.0
> *: version vms notes
> vms.#: 1
> vms.0.*: vmid verdict why devices
> vms.0.verdict: "would-return"
> vms.0.devices.0: {"address":"0000:01:00.0","name":"NVIDIA Corporation AD102 [GeForce RTX 4090]","from":"vfio-pci","to":"nouveau","lost":false}
? 0
$ pve-gpu release 101 -n --root m
> VM 101 holds no devices.
? 0
$ diff -r --no-dereference before m
? 0

# Files that are no lease of this boot: named, never believed.
% sed -i 's/nouveau/radeon/' m/run/pve-gpu/leases/100
$ pve-gpu status --root m
> VM 100: the lease '/run/pve-gpu/leases/100' is damaged: line 2 cannot be read or
>   has a wrong checksum
>   → check its devices with 'pve-gpu list --all', then put the file aside:
>     pve-gpu release 100
? 3
$ pve-gpu release 100 -n --root m
! pve-gpu: VM 100: the lease '/run/pve-gpu/leases/100' is damaged: line 2 cannot be read or has a wrong checksum; it would be put aside in /run/pve-gpu/broken
? 1
$ pve-gpu list --root m -q | head -n 3
>   ADDRESS  CLASS           DRIVER         GROUP  RESET  HELD BY
> NVIDIA Corporation AD102 [GeForce RTX 4090]
>   01:00.0  VGA controller  nouveau        14     bus    host
? 0
% : >m/run/pve-gpu/leases/100
$ pve-gpu status 100 --root m
> VM 100: the lease '/run/pve-gpu/leases/100' is damaged: it ends before the plan
>   is complete (after line 0)
>   → check its devices with 'pve-gpu list --all', then put the file aside:
>     pve-gpu release 100
? 3
% head -c 3000 /dev/zero >m/run/pve-gpu/leases/100
$ pve-gpu status 100 --root m
> VM 100: the lease '/run/pve-gpu/leases/100' is damaged: there is a NUL byte in
>   it
>   → check its devices with 'pve-gpu list --all', then put the file aside:
>     pve-gpu release 100
? 3
% rm m/run/pve-gpu/leases/100; mkdir m/run/pve-gpu/leases/100
$ pve-gpu status 100 --root m
> VM 100: cannot read the lease '/run/pve-gpu/leases/100': Is a directory
>   → check its devices with 'pve-gpu list --all', then put the file aside:
>     pve-gpu release 100
? 3
% rmdir m/run/pve-gpu/leases/100; mkfifo m/run/pve-gpu/leases/100
$ pve-gpu status 100 --root m
> VM 100: cannot read the lease '/run/pve-gpu/leases/100': it is no regular file
>   → check its devices with 'pve-gpu list --all', then put the file aside:
>     pve-gpu release 100
? 3
% rm m/run/pve-gpu/leases/100; ln -s /etc/passwd m/run/pve-gpu/leases/100
$ pve-gpu status 100 --root m
> VM 100: cannot open the lease '/run/pve-gpu/leases/100': Too many levels of
>   symbolic links
>   → check its devices with 'pve-gpu list --all', then put the file aside:
>     pve-gpu release 100
? 3
% rm m/run/pve-gpu/leases/100; sed 's/boot=3/boot=4/' $cases/lease.txt | helper lease >m/run/pve-gpu/leases/100
$ pve-gpu status 100 --root m
> VM 100: the lease '/run/pve-gpu/leases/100' is from before the last boot
>   → nothing is held any more; remove the file: pve-gpu release 100
? 3
$ pve-gpu release 100 -n --root m
> VM 100: its lease is of an earlier boot; the file would be removed.
? 0
% rm m/run/pve-gpu/leases/100; sed 's/vmid=100/vmid=101/' $cases/lease.txt | helper lease >m/run/pve-gpu/leases/100
$ pve-gpu status 100 --root m
> VM 100: the lease '/run/pve-gpu/leases/100' is damaged: it is the lease of VM
>   101
>   → check its devices with 'pve-gpu list --all', then put the file aside:
>     pve-gpu release 100
? 3
% rm m/run/pve-gpu/leases/100; touch m/run/pve-gpu/leases/.100.new m/run/pve-gpu/leases/README
$ pve-gpu status --root m
> No VM holds devices.
? 0
% mkdir m/run/pve-gpu/broken; touch m/run/pve-gpu/broken/100.0
$ pve-gpu status --root m
> No VM holds devices.
> A damaged lease was put aside: /run/pve-gpu/broken/100.0
>   → see with 'pve-gpu list --all' whether every device is on its driver, then
>     remove the file
? 3
$ pve-gpu status --root m --json | helper json leases aside
> leases: []
> aside: ["/run/pve-gpu/broken/100.0"]
? 0
