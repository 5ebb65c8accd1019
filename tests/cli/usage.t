# Wrong usage of pve-gpu: one sentence, where to read more, status 2, nothing on stdout.

$ pve-gpu
! pve-gpu: which command?
!   'pve-gpu --help' tells more
? 2
$ pve-gpu lst
! pve-gpu: there is no command 'lst'
!   'pve-gpu --help' tells more
? 2
$ pve-gpu --json
! pve-gpu: which command?
!   'pve-gpu --help' tells more
? 2
$ pve-gpu --all list
! pve-gpu: unknown option '--all'
!   'pve-gpu --help' tells more
? 2
$ pve-gpu list --al
! pve-gpu: unknown option '--al'
!   'pve-gpu list --help' tells more
? 2
$ pve-gpu list --all=yes
! pve-gpu: the option '--all' takes no value
!   'pve-gpu list --help' tells more
? 2
$ pve-gpu list -x
! pve-gpu: unknown option '-x'
!   'pve-gpu list --help' tells more
? 2
$ pve-gpu list -qx
! pve-gpu: unknown option '-qx'
!   'pve-gpu list --help' tells more
? 2
$ pve-gpu list 100
! pve-gpu: '100' is one argument too many: pve-gpu list
!   'pve-gpu list --help' tells more
? 2
$ pve-gpu list --root
! pve-gpu: the option '--root' needs a value: --root DIR
!   'pve-gpu list --help' tells more
? 2
$ pve-gpu list --root=
! pve-gpu: the option '--root' needs a value: --root DIR
!   'pve-gpu list --help' tells more
? 2
$ pve-gpu list -- --all
! pve-gpu: '--all' is one argument too many: pve-gpu list
!   'pve-gpu list --help' tells more
? 2
$ pve-gpu plan
! pve-gpu: something is missing: pve-gpu plan VMID
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 100 101
! pve-gpu: '101' is one argument too many: pve-gpu plan VMID
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan --dry-run 100
! pve-gpu: unknown option '--dry-run'
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu release
! pve-gpu: whose devices? pve-gpu release VMID, or --all
!   'pve-gpu release --help' tells more
? 2
$ pve-gpu release 100 --all
! pve-gpu: either a VM id or --all, not both
!   'pve-gpu release --help' tells more
? 2
$ pve-gpu release 100 101
! pve-gpu: '101' is one argument too many: pve-gpu release VMID|--all
!   'pve-gpu release --help' tells more
? 2

# What is no VM id, in every way.
$ pve-gpu plan ''
! pve-gpu: '' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 0
! pve-gpu: '0' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan -1
! pve-gpu: '-1' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan -- -1
! pve-gpu: '-1' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 99
! pve-gpu: '99' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 0100
! pve-gpu: '0100' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan '100 '
! pve-gpu: '100 ' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan ' 100'
! pve-gpu: ' 100' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan +100
! pve-gpu: '+100' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 1e3
! pve-gpu: '1e3' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 100.0
! pve-gpu: '100.0' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 0x64
! pve-gpu: '0x64' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan abc
! pve-gpu: 'abc' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 1000000000
! pve-gpu: '1000000000' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 99999999999
! pve-gpu: '99999999999' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 4294967396
! pve-gpu: '4294967396' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 18446744073709551716
! pve-gpu: '18446744073709551716' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan ../100
! pve-gpu: '../100' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu plan 0 --json
! pve-gpu: '0' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu status 99
! pve-gpu: '99' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu status --help' tells more
? 2
$ pve-gpu release 99
! pve-gpu: '99' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu release --help' tells more
? 2
# It cannot steer a terminal.
$ pve-gpu plan "$(printf '\033[31m100\n\377')"
! pve-gpu: '\x1b[31m100\x0a\xff' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu plan --help' tells more
? 2
$ pve-gpu "$(printf 'l\033[2Jst')"
! pve-gpu: there is no command 'l\x1b[2Jst'
!   'pve-gpu --help' tells more
? 2
$ pve-gpu "--$(printf '\007')"
! pve-gpu: unknown option '--\x07'
!   'pve-gpu --help' tells more
? 2
$ pve-gpu plan "$(printf '%0999d' 0)" 2>&1 | wc -l
> 2
? 0

# A command that touches devices has no captured machine to touch.
% mkdir m
$ pve-gpu release 100 --root m
! pve-gpu: 'release' touches devices, which only the running machine has: no --root
!   'pve-gpu release --help' tells more
? 2
$ pve-gpu --root=m release --all
! pve-gpu: 'release' touches devices, which only the running machine has: no --root
!   'pve-gpu release --help' tells more
? 2
$ pve-gpu --root / release 99
! pve-gpu: '99' is no VM id: a number from 100 to 999999999 is needed
!   'pve-gpu release --help' tells more
? 2
$ pve-gpu watch --root m
! pve-gpu: 'watch' touches devices, which only the running machine has: no --root
!   'pve-gpu watch --help' tells more
? 2
$ pve-gpu watch 100
! pve-gpu: '100' is one argument too many: pve-gpu watch
!   'pve-gpu watch --help' tells more
? 2
$ pve-gpu watch --json
! pve-gpu: watch writes a line per event and has no document to show as JSON
!   'pve-gpu watch --help' tells more
? 2
