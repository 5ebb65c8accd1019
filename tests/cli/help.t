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
>       --manual-settings
>                       print the manual page of the settings
>       --completion    print the completion for bash
>       --completion-zsh
>                       print the completion for zsh
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
>       --manual-settings
>                       print the manual page of the settings
>       --completion    print the completion for bash
>       --completion-zsh
>                       print the completion for zsh
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
>       --manual-settings
>                       print the manual page of the settings
>       --completion    print the completion for bash
>       --completion-zsh
>                       print the completion for zsh
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
>       --manual-settings
>                       print the manual page of the settings
>       --completion    print the completion for bash
>       --completion-zsh
>                       print the completion for zsh
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
>       --manual-settings
>                       print the manual page of the settings
>       --completion    print the completion for bash
>       --completion-zsh
>                       print the completion for zsh
> 
> exit status: 0 done, 1 failed, 2 wrong usage, 3 looked and found problems,
>              4 refused for safety
? 0
$ for c in '' list plan status release reset selftest attach detach hook mapping config watch doctor setup report; do pve-gpu $c --help; done | awk 'length($0) > 80'
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

# The manual page and the completions come from the same table: every command and every option is in all of them.
$ pve-gpu --manual | head -n 1 | cut -d' ' -f1-3
> .TH PVE\-GPU 8
? 0
% pve-gpu --manual | tr -d '\\' >page && pve-gpu --completion >words && pve-gpu --completion-zsh >_pve-gpu
% pve-gpu --help | sed -n '/^commands/,/^$/s/^  \([a-z]*\).*/\1/p' >commands && grep -qx selftest commands
$ for c in '' $(cat commands); do pve-gpu $c --help | grep -o -e '\(^\|[ ,]\)-[-a-zA-Z]*' | tr -d ' ,' | sort -u | while read -r o; do for f in page words _pve-gpu; do grep -qwe "$o" $f || echo "$f: $c $o"; done; done; done
? 0
$ for c in $(cat commands); do grep -q "^.SS $c " page && grep -q "^		$c) " words && grep -q "^		'$c:" _pve-gpu && grep -q "^	$c)" _pve-gpu || echo $c; done
? 0

# Completion in bash: commands, their words, options of the command that was named, an option's values, VMs.
$ bash -n words
? 0
% printf '%s\n' 'set -u; source words; compopt() { :; }' 'ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _pve_gpu; echo "${COMPREPLY[*]}"; }' >ask
$ bash -c '. ./ask; ask pve-gpu ho; ask pve-gpu hook st; ask pve-gpu attach --rom; ask pve-gpu --json mapping re; ask pve-gpu --root m attach 100 --display ""; ask pve-gpu attach 100 --slot ""'
> hook
> status
> --romfile
> remove refresh
> none std keep
> 
? 0
% mkdir -p m/x
$ bash -c '. ./ask; ask pve-gpu list --root m/; ask pve-gpu report --html wor'
> m/x
> words
? 0

# In zsh, by its own terminal.
= zsh -n _pve-gpu && zsh -f $cases/zsh/ask . 'pve-gpu selft' 'pve-gpu mapping ref' 'pve-gpu attach 100 --disp' 'pve-gpu --json attach 100 --display=no' 'pve-gpu reset 01:00 --dry'
> pve-gpu selftest 
> pve-gpu mapping refresh 
> pve-gpu attach 100 --display=
> pve-gpu --json attach 100 --display=none 
> pve-gpu reset 01:00 --dry-run 
? 0

# Every key of the settings is in their page, with its default; every key of a quirk in the other.
% pve-gpu --manual-settings | tr -d '\\' >page && cd $cases/../../lib && grep -ho 'section = "[a-z]*", .name = "[a-z_0-9]*"' pve/settings*.c | cut -d'"' -f4 >"$OLDPWD/keys"
$ [ $(wc -l <keys) -gt 10 ] && while read -r k; do grep -q "^.BR $k " page || echo $k; done <keys
? 0
$ [ $(grep -c '^Default: ' page) -eq $(wc -l <keys) ] && echo as many
> as many
? 0
$ for k in $(grep -o 'strcmp(key, "[a-z]*")' $cases/../../lib/hw/quirks.c | cut -d'"' -f2); do grep -q "^.BR $k\\b" $cases/../../man/pve-gpu-quirks.5 || echo $k; done
? 0
# No page gives man a reason to complain, and its text is what it should be.
$ for p in --manual --manual-settings; do pve-gpu $p | groff -man -Tutf8 -ww -b >/dev/null; done; for p in $cases/../../man/*; do groff -man -Tutf8 -ww -b $p >/dev/null; done
? 0
$ pve-gpu --manual-settings | groff -man -Tascii -P-cbou | grep -A 4 'grace = ' | tr -s ' '
>  grace = 1 to 300 (seconds)
>  How many seconds to wait for post-stop once QEMU is gone, 1 to
>  300.
>  Default: 5; only in the host's file.
> 
? 0
