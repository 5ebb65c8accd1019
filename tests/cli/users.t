# Who uses a card, and what the settings let a start do about it.
% mktree $cases/../trees/shared-card.tree m
% mkdir -p m/etc/pve-gpu

# By default nobody is stopped: each is named, with what to type and the setting that would do it.
$ pve-gpu plan -q 100 --root m
> VM 100: a start would be refused; nothing would be touched.
> 
>   refused: 0000:0a:00.0 is in use: held by radeontop (pid 777) of login session
>            4 through /dev/dri/card0.
>            Stop what uses it, then start the VM again.
> 
>   refused: 0000:0a:00.0 is in use: held by ollama.service (pid 812) through
>            /dev/dri/renderD128.
>            Type 'systemctl stop ollama.service', then start the VM again; or let
>            'services = auto' stop it for the VM and start it again afterwards.
> 
>   refused: 0000:0a:00.0 is in use: held by jellyfin.service (ffmpeg, pid 901) in
>            container 105 through /dev/dri/renderD128.
>            Type 'pct shutdown 105', then start the VM again; or let 'containers
>            = stop' do it for the VM and start it again afterwards.
> 
> It is about:
>   0a:00.0  Advanced Micro Devices, Inc. [AMD/ATI] Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]
>            hostpci0, group 15, on amdgpu
>   0a:00.1  Advanced Micro Devices, Inc. [AMD/ATI] Navi 21/23 HDMI/DP Audio Controller
>            hostpci0, group 15, on snd_hda_intel
> 
> Settings:
>   group_members = idle  (default)
>   reset = auto  (default)
>   services = refuse  (default), refuses 0000:0a:00.0
>   containers = refuse  (default), refuses 0000:0a:00.0
>   processes = refuse  (default), refuses 0000:0a:00.0
? 4

# All of them may be.
% printf '[claim]\nservices = auto, cron\ncontainers = stop\nprocesses = kill 5\n' >m/etc/pve-gpu/settings.ini
$ pve-gpu plan -q 100 --root m
> VM 100: a start would take 2 functions of 1 device.
> 
>   0a:00.0  Advanced Micro Devices, Inc. [AMD/ATI] Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]
>            hostpci0, group 15: amdgpu → vfio-pci, hot reset
>            held by radeontop (pid 777) of login session 4 through /dev/dri/card0
>            held by ollama.service (pid 812) through /dev/dri/renderD128
>            held by jellyfin.service (ffmpeg, pid 901) in container 105 through
>            /dev/dri/renderD128
>   0a:00.1  Advanced Micro Devices, Inc. [AMD/ATI] Navi 21/23 HDMI/DP Audio Controller
>            hostpci0, group 15: snd_hda_intel → vfio-pci, hot reset
> 
> Step by step:
>    1. stop cron.service
>    2. stop ollama.service
>    3. shut down container 105
>    4. end process 777 (radeontop)
>    5. keep 0000:0a:00.1 awake
>    6. keep 0000:0a:00.0 awake
>    7. remember the reset methods of 0000:0a:00.0
>    8. set driver_override of 0000:0a:00.1 to vfio-pci
>    9. set driver_override of 0000:0a:00.0 to vfio-pci
>   10. unbind 0000:0a:00.1 from snd_hda_intel
>   11. unbind 0000:0a:00.0 from amdgpu
>   12. bind 0000:0a:00.1 to vfio-pci
>   13. bind 0000:0a:00.0 to vfio-pci
>   14. reset 0000:0a:00.0 0000:0a:00.1 together by VFIO hot reset
>   15. check that 0000:0a:00.1 answers
>   16. check that 0000:0a:00.0 answers
> 
> Resets: 1 by this hook; then Proxmox resets 1 function as it starts QEMU, and
>         QEMU 0 as it opens them.
> 
> Settings:
>   group_members = idle  (default)
>   reset = auto  (default), step 14
>   services = auto cron.service  (/etc/pve-gpu/settings.ini:2), step 1, 2
>   containers = stop  (/etc/pve-gpu/settings.ini:3), step 3
>   processes = kill 5  (/etc/pve-gpu/settings.ini:4), step 4
? 0
$ pve-gpu plan -q 100 --root m --json | helper json verdict steps.0 steps.3.text settings.10 settings.11 settings.12
> verdict: "take"
> steps.0: {"kind":"service","address":null,"from":null,"to":"cron.service","chain":0,"text":"stop cron.service"}
> steps.3.text: "end process 777 (radeontop)"
> settings.10: {"name":"linger","value":"0","origin":"default","steps":[],"refusals":[]}
> settings.11: {"name":"services","value":"auto cron.service","origin":"/etc/pve-gpu/settings.ini:2","steps":[0,1],"refusals":[]}
> settings.12: {"name":"containers","value":"stop","origin":"/etc/pve-gpu/settings.ini:3","steps":[2],"refusals":[]}
? 0

# A list names who is stopped: nobody else is.
% printf '[claim]\nservices = stop cron\ncontainers = freeze\nprocesses = term\n' >m/etc/pve-gpu/settings.ini
$ pve-gpu plan -q 100 --root m | grep -A 3 -e refused: -e services
>   refused: 0000:0a:00.0 is in use: held by ollama.service (pid 812) through
>            /dev/dri/renderD128.
>            Type 'systemctl stop ollama.service', then start the VM again; or let
>            'services = auto' stop it for the VM and start it again afterwards.
> 
> It is about:
>   0a:00.0  Advanced Micro Devices, Inc. [AMD/ATI] Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]
> --
>   services = stop cron.service  (/etc/pve-gpu/settings.ini:2), refuses 0000:0a:00.0
>   containers = freeze  (/etc/pve-gpu/settings.ini:3)
>   processes = term 10  (/etc/pve-gpu/settings.ini:4)
? 0
$ pve-gpu plan -q 100 --root m --json | helper json refusals.#  refusals.0.setting settings.10
> refusals.#: 1
> refusals.0.setting: "services"
> settings.10: {"name":"linger","value":"0","origin":"default","steps":[],"refusals":[]}
? 0

# The backup of a stopped VM.
% printf '[claim]\nservices = auto\nbackup = take-if-free\n' >m/etc/pve-gpu/settings.ini
% printf 'hostpci0: 0a:00\nlock: backup\n' >m/etc/pve/qemu-server/100.conf
$ pve-gpu plan 100 --root m | grep -e services -e backup
>            'services = auto' stop it for the VM and start it again afterwards.
>   services = refuse  (by backup, /etc/pve-gpu/settings.ini:3), refuses 0000:0a:00.0
>   containers = refuse  (by backup, /etc/pve-gpu/settings.ini:3), refuses 0000:0a:00.0
>   processes = refuse  (by backup, /etc/pve-gpu/settings.ini:3), refuses 0000:0a:00.0
>   other_vm = refuse  (by backup, /etc/pve-gpu/settings.ini:3)
>   backup = take-if-free  (/etc/pve-gpu/settings.ini:3)
! pve-gpu: note: VM 100 has no hookscript, so a start does nothing of this: qm set 100 --hookscript local:snippets/gpu-hook
! pve-gpu: note: VM 100 is locked by a backup (lock: backup): a start now is the backup's
? 0
% printf '[claim]\nbackup = refuse\n' >m/etc/pve-gpu/settings.ini
$ pve-gpu plan -q 100 --root m --json | helper json refusals.0
> refusals.0: {"id":"backup","address":null,"reason":"VM 100 is to be started for a backup, and 'backup = refuse' (/etc/pve-gpu/settings.ini:2) keeps its devices out of that","hint":"Back it up while it runs, or set 'backup = take'.","setting":"backup"}
? 0

# What is mistyped is no consent.
% printf '[claim]\nservices = ollama\n' >m/etc/pve-gpu/settings.ini
$ pve-gpu plan -q 100 --root m
! pve-gpu: /etc/pve-gpu/settings.ini:2: services = ollama: the value must be refuse, auto, auto UNIT..., or stop UNIT...
? 1
% printf '[claim]\n\nprocesses = kill 500\n' >m/etc/pve-gpu/settings.ini
$ pve-gpu plan -q 100 --root m
! pve-gpu: /etc/pve-gpu/settings.ini:3: processes = kill 500: the value must be refuse or, with 1 to 60 seconds, term, kill
? 1
% printf '[claim]\nother_vm = destroy\n' >m/etc/pve-gpu/settings.ini
$ pve-gpu plan -q 100 --root m
! pve-gpu: /etc/pve-gpu/settings.ini:2: other_vm = destroy: the value must be refuse or, with 1 to 600 seconds, wait, shutdown, stop
? 1
% printf '[claim]\nbackup = take\nbackup = take\n' >m/etc/pve-gpu/settings.ini
$ pve-gpu plan -q 100 --root m
! pve-gpu: /etc/pve-gpu/settings.ini:3: backup is given twice, first in line 2
? 1
