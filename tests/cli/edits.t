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
