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
