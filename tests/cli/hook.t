# gpu-hook always works on the machine it runs on: here it is only called in ways that touch nothing.

$ gpu-hook
> gpu-hook: a VM's id and a phase are needed
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook 100
> gpu-hook: a VM's id and a phase are needed
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook 100 pre-start now
> gpu-hook: a VM's id and a phase are needed
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook 100 pre-start now please
> gpu-hook: a VM's id and a phase are needed
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook --what 100 pre-start
> gpu-hook: unknown option '--what'
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook --snippets
> gpu-hook: a folder is needed after '--snippets'
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook --snippets /nowhere
> gpu-hook: a VM's id and a phase are needed
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook '' pre-start
> gpu-hook: this is no VM id (100 to 999999999): ''
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook 0 pre-start
> gpu-hook: this is no VM id (100 to 999999999): '0'
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook -1 pre-start
> gpu-hook: this is no VM id (100 to 999999999): '-1'
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook 99 pre-start
> gpu-hook: this is no VM id (100 to 999999999): '99'
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook 0100 pre-start
> gpu-hook: this is no VM id (100 to 999999999): '0100'
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook '100 ' pre-start
> gpu-hook: this is no VM id (100 to 999999999): '100 '
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook abc pre-start
> gpu-hook: this is no VM id (100 to 999999999): 'abc'
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook 99999999999 pre-start
> gpu-hook: this is no VM id (100 to 999999999): '99999999999'
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2
$ gpu-hook "$(printf '\033[2J')" pre-start
> gpu-hook: this is no VM id (100 to 999999999): '\x1b[2J'
> usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop
> Proxmox runs this program; 'pve-gpu' is the command for people.
? 2

# Phases without work, and those Proxmox may invent.
$ gpu-hook 999999998 pre-stop
? 0
$ gpu-hook 999999998 post-migrate
? 0
$ gpu-hook 999999998 ''
? 0
$ gpu-hook 999999998 PRE-START
? 0

# A VM that does not exist.
$ gpu-hook 999999998 pre-start >out; echo "status $?"; sed 's/ (and .*//' out
> status 1
> pve-gpu: VM 999999998: there is no VM 999999998 on this node: '/etc/pve/qemu-server/999999998.conf' does not exist
? 0
$ gpu-hook --snippets /nowhere 999999998 pre-start >out; echo "status $?"; sed 's/ (and .*//' out
> status 1
> pve-gpu: VM 999999998: there is no VM 999999998 on this node: '/etc/pve/qemu-server/999999998.conf' does not exist
? 0
$ PVE_MIGRATED_FROM=../../etc gpu-hook 999999998 pre-start
> pve-gpu: VM 999999998: PVE_MIGRATED_FROM='../../etc' is no node's name
? 1
$ gpu-hook 999999998 post-start
? 0
$ gpu-hook 999999998 post-stop
? 0

# Streams that are not there.
= gpu-hook 999999998 pre-stop <&- >&- 2>&-
? 0
= gpu-hook 999999998 pre-start >&-
? 1
$ gpu-hook 999999998 pre-start >/dev/full
? 1
