# The answer arrives, or the status says that it did not.

% mktree $cases/card.tree m
$ pve-gpu list --root m >/dev/full
! pve-gpu: cannot write to the standard output: No space left on device
? 1
$ pve-gpu plan 100 --root m >/dev/full
! pve-gpu: cannot write to the standard output: No space left on device
? 1
$ pve-gpu plan 100 --root m --json >/dev/full
! pve-gpu: cannot write to the standard output: Input/output error
? 1
$ pve-gpu --help >/dev/full
! pve-gpu: cannot write to the standard output: No space left on device
? 1
$ pve-gpu --version >/dev/full
! pve-gpu: cannot write to the standard output: No space left on device
? 1
= pve-gpu list --root m >&-
! pve-gpu: cannot write to the standard output: Bad file descriptor
? 1
= pve-gpu list --root m --json >&-
! pve-gpu: cannot write to the standard output: Bad file descriptor
? 1
= pve-gpu list --root m 2>&- | wc -l
> 4
? 0
= pve-gpu plan 104 --root m 2>&-
? 1
$ pve-gpu list --root m <&- | wc -l
> 4
? 0
= pve-gpu list --root m <&- >&- 2>&-
? 1
# A reader that has had enough is no news.
$ helper deaf pve-gpu plan 100 --root m
? 1
= (ulimit -f 0; pve-gpu list --root m >file)
? 1

# Colours: on a terminal, for those who want them, never in JSON.
$ helper tty env TERM=xterm pve-gpu list --root m | tr '\033\r' 'E ' | head -n 3
>   ADDRESS  CLASS           DRIVER         GROUP  RESET  HELD BY 
> E[1mNVIDIA Corporation AD102 [GeForce RTX 4090]E[0m 
>   01:00.0  VGA controller  nouveau        14     bus    host 
? 0
$ helper tty env TERM=xterm pve-gpu list --root m --no-color | tr '\033\r' 'E ' | head -n 3
>   ADDRESS  CLASS           DRIVER         GROUP  RESET  HELD BY 
> NVIDIA Corporation AD102 [GeForce RTX 4090] 
>   01:00.0  VGA controller  nouveau        14     bus    host 
? 0
$ helper tty env TERM=xterm NO_COLOR=1 pve-gpu list --root m | tr '\033' E | grep -c 'E\['
> 0
? 1
$ helper tty env TERM=xterm NO_COLOR= pve-gpu list --root m | tr '\033' E | grep -c 'E\['
> 1
? 0
$ helper tty env TERM=dumb pve-gpu list --root m | tr '\033' E | grep -c 'E\['
> 0
? 1
$ helper tty pve-gpu list --root m | tr '\033' E | grep -c 'E\['
> 0
? 1
$ helper tty env TERM=xterm pve-gpu plan 101 --json -q --root m | tr -d '\r' | helper json verdict
> verdict: "take"
? 0
$ TERM=xterm pve-gpu list --root m | tr '\033' E | grep -c 'E\['
> 0
? 1

# The environment does not matter.
% pve-gpu list --all --root m >want
$ env -i "$(command -v pve-gpu)" list --all --root m | cmp - want
? 0
$ LC_ALL=tr_TR.UTF-8 LANG=xx LANGUAGE=de pve-gpu list --all --root m | cmp - want
? 0
$ PATH= "$(command -v pve-gpu)" list --all --root m | cmp - want
? 0
$ IFS=0a HOME=/nowhere TMPDIR=/nowhere COLUMNS=1 LINES=0 TZ=:/dev/full pve-gpu list --all --root m | cmp - want
? 0
$ POSIXLY_CORRECT=1 pve-gpu list --root m --all | cmp - want
? 0
$ (cd m && pve-gpu list --all --root . | cmp - ../want)
? 0
$ pve-gpu list --all --root "$PWD/m/" | cmp - want
? 0
# This machine, whatever it is: a document, or an error in one.
$ pve-gpu list --json 2>/dev/null | helper json
? 0
