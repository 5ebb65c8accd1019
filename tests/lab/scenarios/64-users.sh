# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# A service and somebody's program have the card's sound open: both are stopped for the VM, the service comes back.
# board: workstation
# limit: 240

card='01:00.0 01:00.1 01:00.2'
home='bochs-drm snd_hda_intel xhci_hcd'
mkvm 100 'hostpci0: 0000:01:00,pcie=1'

# What systemd would be: a service is a process in a control group of its own, with a link to its invocation.
cat >"$LAB/systemctl" <<'END'
#!/bin/sh
export PATH=/run/lab/bin:$PATH LAB=/run/lab
. /repo/tests/lab/guest/lib.sh
[ "$1" != show ] || exit 0	# nothing goes down with it
group=/sys/fs/cgroup/system.slice/$3 link=/run/systemd/units/invocation:$3
echo "$1 $3" >>$LAB/units
case $1 in
stop)
	[ ! -e $LAB/slow ] || sleep 1
	for pid in $(cat $group/cgroup.procs); do kill $pid; done
	wait_until 5 rmdir $group
	rm -f $link ;;
start)
	[ ! -L $link ] || exit 0
	wait_until 10 sound_of 01:00.1 || exit 1
	mkdir -p $group /run/systemd/units
	sound=$(sound_of 01:00.1)
	setsid sh -c 'echo $$ >"$0/cgroup.procs"; exec sleep 1000 <"$1"' $group /dev/snd/controlC${sound#card} >/dev/null 2>&1 &
	wait_until 5 grep . $group/cgroup.procs
	ln -s 5d1f0c8be7a94d3f8a7e0b6f2c9d4e11 $link ;;
esac
exit 0
END
chmod +x "$LAB/systemctl"
# On a root of the lab's own: whatever lies there is not run, and comes back with the next boot.
rm -f /usr/bin/systemctl
cp "$LAB/systemctl" /usr/bin/systemctl
mkdir -p /sys/fs/cgroup/system.slice
/usr/bin/systemctl start -- player.service

plays() {
	grep -q . /sys/fs/cgroup/system.slice/player.service/cgroup.procs 2>/dev/null && echo plays
}

units() {
	tr '\n' ' ' <"$LAB/units"
	: >"$LAB/units"
}

sound=$(sound_of 01:00.1)
sh -c 'exec sleep 1000 <"$0"' "/dev/snd/controlC${sound#card}" &
login=$!
units >/dev/null

hook_refuses 100 pre-start 'player\.service'
is "nobody was stopped" "$(plays) $(units)" "plays "

chmod 755 /etc/pve-gpu	# a fresh tmpfs is anybody's
printf 'services = auto\nprocesses = term 5\n' >>/etc/pve-gpu/settings.ini
ok "plan says who would be stopped" sh -c '"$0" plan 100 | grep "stop player.service"' "$TOOL"
task hook_ok 100 pre-start
is "the card is the VM's" "$(driver $card)" 'vfio-pci vfio-pci vfio-pci'
is "the service was stopped" "$(plays) $(units)" " stop player.service "
wait $login 2>/dev/null
is "the program was ended by SIGTERM" $? 143
hook_ok 100 post-stop
is "the card is the host's" "$(driver $card)" "$home"
is "the service plays again, started once" "$(plays) $(units)" "plays reset-failed player.service start player.service "

# kill_hook COMMAND...: pre-start, killed outright as soon as the command is true.
kill_hook() {
	setsid sh -c '. /repo/tests/lab/guest/lib.sh; hook_env "$@"' - 100 pre-start </dev/null >"$LAB/killed" 2>&1 &
	pid=$!
	wait_until 30 "$@"
	kill -9 $pid
	wait $pid 2>/dev/null
}

stopping() {
	grep -q stop "$LAB/units"
}

stopped() {
	[ ! -L /run/systemd/units/invocation:player.service ]
}

: >"$LAB/slow"
for moment in stopping stopped; do
	task kill_hook $moment
	ok "watch ends what a hook killed at $moment has begun" "$TOOL" watch
	is "and the service plays again" "$(plays)" plays
	is "which was stopped and started once" "$(units)" "stop player.service reset-failed player.service start player.service "
	is "with the card back" "$(driver $card)" "$home"
done
rm -f "$LAB/slow"

# The service is stopped by hand now: nobody starts it again.
/usr/bin/systemctl stop -- player.service
units >/dev/null
task hook_ok 100 pre-start
hook_ok 100 post-stop
is "one that did not run is left alone" "$(plays)$(units)" ""

sed -i '/^services\|^processes/d' /etc/pve-gpu/settings.ini
rm -f /run/systemd/units/invocation:player.service
