# Help follows from the tables; it fits a terminal.

$ pve-gpu --help
> usage: pve-gpu COMMAND [ARGUMENT...] [OPTION...]
> 
> Graphics cards and other PCI devices that go to VMs and come back.
> 
> commands:
>   list                graphics cards: driver, IOMMU group, reset, who holds them
>   plan VMID           what a start of the VM would do now, and every refusal
>   status [VMID]       which VM has what, since when, and does it answer
>   release VMID|--all  give back what a VM left behind
>   reset ADDRESS       reset an idle card and say whether it answers
>   selftest ADDRESS    take an idle card and give it back, again and again
>   attach VMID DEVICE...
>                       write a device, and what goes with it, into a VM's config
>   detach VMID [DEVICE|hostpciN|all]
>                       take devices out of a VM's config again
>   hook install|remove|status
>                       the hookscript in a storage, and the guests that use it
>   mapping list|add|remove|refresh [NAME [DEVICE...]]
>                       cluster-wide names for devices
>   config VMID         the passthrough part of a VM's config, explained
>   watch               give back what no post-stop gives back; systemd runs it
>   doctor [VMID]       what stands in the way of the host or a VM, what to type
>   setup               make this host fit for it, and take that back
>   report              everything that a helper would ask for, without secrets
> 
> options of every command:
>       --json          one JSON document instead of text
>       --root DIR      look at a machine's files below DIR instead of /
>   -q, --quiet         no notes on stderr
>   -v, --verbose       say more about each thing
>       --no-color      no colours, not even on a terminal
>   -h, --help          this help, or that of a command
>   -V, --version       print the version
>       --manual        print the manual page, for man
>       --completion    print the words for bash
> 
> exit status: 0 done, 1 failed, 2 wrong usage, 3 looked and found problems,
>              4 refused for safety
? 0
$ pve-gpu -h list
> usage: pve-gpu list [OPTION...]
> 
> Shows every graphics card with all functions of its slot: address, driver, IOMMU
> group, reset methods as the kernel lists them, who holds it, and below it what
> is wrong with it; with -v also its link and the errors the kernel counted.
> 
> options of this command:
>   -a, --all           every assignable function, not only graphics cards
> 
> options of every command:
>       --json          one JSON document instead of text
>       --root DIR      look at a machine's files below DIR instead of /
>   -q, --quiet         no notes on stderr
>   -v, --verbose       say more about each thing
>       --no-color      no colours, not even on a terminal
>   -h, --help          this help, or that of a command
>   -V, --version       print the version
>       --manual        print the manual page, for man
>       --completion    print the words for bash
> 
> exit status: 0 done, 1 failed, 2 wrong usage, 3 looked and found problems,
>              4 refused for safety
? 0
$ pve-gpu plan --help
> usage: pve-gpu plan VMID [OPTION...]
> 
> Shows what the hookscript would do if the VM started now: which functions it
> would take, step by step, or every reason to refuse. Touches nothing.
> Exit status 4: the start would be refused.
> 
> options of every command:
>       --json          one JSON document instead of text
>       --root DIR      look at a machine's files below DIR instead of /
>   -q, --quiet         no notes on stderr
>   -v, --verbose       say more about each thing
>       --no-color      no colours, not even on a terminal
>   -h, --help          this help, or that of a command
>   -V, --version       print the version
>       --manual        print the manual page, for man
>       --completion    print the words for bash
> 
> exit status: 0 done, 1 failed, 2 wrong usage, 3 looked and found problems,
>              4 refused for safety
? 0
$ pve-gpu status -h
> usage: pve-gpu status [VMID] [OPTION...]
> 
> Shows the leases: which VM holds which functions, in which state it is, where
> each function goes back to, and whether it answers.
> Exit status 3: something is left over, stuck, damaged, or does not answer.
> 
> options of every command:
>       --json          one JSON document instead of text
>       --root DIR      look at a machine's files below DIR instead of /
>   -q, --quiet         no notes on stderr
>   -v, --verbose       say more about each thing
>       --no-color      no colours, not even on a terminal
>   -h, --help          this help, or that of a command
>   -V, --version       print the version
>       --manual        print the manual page, for man
>       --completion    print the words for bash
> 
> exit status: 0 done, 1 failed, 2 wrong usage, 3 looked and found problems,
>              4 refused for safety
? 0
$ pve-gpu release 1 -h
> usage: pve-gpu release VMID|--all [OPTION...]
> 
> Puts the devices of a VM that is gone back on the drivers they came from, as
> the hookscript does after a stop. Exit status 4: refused, because the VM lives,
> is being started or stopped, or somebody else is at work on its devices.
> With --abandon, what hangs or fails for good is given up: it is recorded, and
> 'status' shows it until the host is rebooted. No VM gets a device whose step
> still hangs in the kernel; any other, the next start takes as it is then.
> 
> options of this command:
>   -a, --all           what any VM left behind
>   -n, --dry-run       say what would be done, touch nothing
>       --abandon       give up, for good, what cannot be given back
> 
> options of every command:
>       --json          one JSON document instead of text
>       --root DIR      look at a machine's files below DIR instead of /
>   -q, --quiet         no notes on stderr
>   -v, --verbose       say more about each thing
>       --no-color      no colours, not even on a terminal
>   -h, --help          this help, or that of a command
>   -V, --version       print the version
>       --manual        print the manual page, for man
>       --completion    print the words for bash
> 
> exit status: 0 done, 1 failed, 2 wrong usage, 3 looked and found problems,
>              4 refused for safety
? 0
$ for c in '' list plan status release attach detach hook mapping config doctor setup report; do pve-gpu $c --help; done | awk 'length($0) > 80'
? 0
$ pve-gpu --version | sed 's/[0-9][0-9.~]*/VERSION/'
> pve-gpu VERSION
? 0
$ pve-gpu list -V | wc -l
> 1
? 0
# Asked for help, nothing else matters.
$ pve-gpu release --help --root /nowhere --json | head -n 1
> usage: pve-gpu release VMID|--all [OPTION...]
? 0

# The manual page and the completion come from the same table: every command and option is in both.
$ pve-gpu --manual | head -n 1 | cut -d' ' -f1-3
> .TH PVE\-GPU 8
? 0
$ pve-gpu --completion | bash -n
? 0
$ bash -c 'eval "$(pve-gpu --completion)"; COMP_WORDS=(pve-gpu ho); COMP_CWORD=1; _pve_gpu; echo "${COMPREPLY[@]}"; COMP_WORDS=(pve-gpu hook st); COMP_CWORD=2; _pve_gpu; echo "${COMPREPLY[@]}"; COMP_WORDS=(pve-gpu attach --rom); _pve_gpu; echo "${COMPREPLY[@]}"'
> hook
> status
> --romfile
? 0
% pve-gpu --manual | tr -d '\\' >page && pve-gpu --completion >words
$ for c in list plan status release attach detach hook mapping config watch doctor; do pve-gpu $c --help | grep -o -e '--[a-z-]*' | sort -u | while read -r o; do grep -q -e "$o" page && grep -q -e "$o" words || echo "$c $o"; done; grep -q "SS $c" page || echo $c; done
? 0
