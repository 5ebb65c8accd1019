# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# Under systemd: the path unit starts the service for a lease; it gives back inside its sandbox, and ends.
# limit: 240

card='03:00.0 03:00.1'
home='virtio-pci snd_hda_intel'
away='vfio-pci vfio-pci'
mkvm 100 'hostpci0: 0000:03:00,pcie=1'

# unit UNIT PROPERTY
unit() {
	systemctl show -P "$2" "pve-gpu-watch.$1"
}

state_is() {
	[ "$(unit "$1" SubState)" = "$2" ]
}

# told FIELD=VALUE...: the messages in the journal.
told() {
	journalctl -q -o cat -u pve-gpu-watch.service "$@"
}

has_told() {
	told "$1" | grep -q "$2"
}

# came_back WHAT EVENT REGEX: the lease is closed, the card is back, the journal says why, and the service has ended well.
came_back() {
	ok "$1: the lease is closed" wait_until 20 no_lease
	is "$1: the card is back" "$(driver $card)" "$home"
	ok "$1: the journal has it with its fields" wait_until 10 has_told "PVE_GPU_EVENT=$2" "$3"
	ok "$1: the service ends" wait_until 10 state_is service dead
	is "$1: and ends well" "$(unit service Result)" success
	is "$1: the path unit waits for the next" "$(unit path SubState)" waiting
}

mkdir -p /var/lock/qemu-server /usr/share/perl5/PVE	# as Proxmox does
ok "the path unit waits" wait_until 30 state_is path waiting
is "it has made the folder, for root alone" "$(stat -c %a /run/pve-gpu/leases)" 700
is "without a lease nothing runs" "$(unit service SubState)" dead

# Its own task waits for it, so that it is the hook alone that dies.
task hook_ok 100 pre-start
came_back "the task has died" gave-back 'VM 100: the start failed'

exec 9>/var/lock/qemu-server/lock-100.conf
flock 9
hook_env 100 pre-start 9>&- >/dev/null 2>&1 &
hook=$!
wait_until 20 test -e "$LEASES/100"
kill -9 $hook
wait $hook 2>/dev/null
exec 9>&-
came_back "the hook was killed in the middle" gave-back 'VM 100: '

start_vm 100 $card
ok "while the VM runs, the service does" wait_until 20 state_is service running
was=$(unit service MainPID)
kill -9 "$was"
ok "killed, it is started again" wait_until 20 sh -c '
	now=$(systemctl show -P MainPID pve-gpu-watch.service) && [ "$now" -gt 0 ] && [ "$now" != "$0" ]' "$was"
is "once" "$(unit service NRestarts)" 1
is "and the VM has kept its card" "$(driver $card)" "$away"
rmmod snd_hda_intel	# it takes modprobe to give it back
stop_qemu 100 kill
came_back "QEMU was killed" gave-back 'QEMU is gone and post-stop has not come'
ok "sound comes back" wait_until 10 sound_of 03:00.1

# What has the card's sound open is stopped for the start; watch has systemd start it again, far from its own sandbox.
container=/sys/fs/cgroup/lxc/105
cat >$LAB/listen <<'END'
#!/run/lab/bin/sh
until set -- /dev/snd/controlC* && [ -e "$1" ]; do sleep 0.1; done
exec sleep 3600 <"$1" >/dev/null 2>&1
END
cat >/usr/sbin/pct <<END
#!/run/lab/bin/sh
case \$1 in
shutdown) kill \$(cat $container/cgroup.procs) ;;
start)
	mkdir -p $container && : >/run/lock/pct-105 || exit 1	# as the real one does
	setsid sh -c 'echo \$\$ >$container/cgroup.procs; exec $LAB/listen' &
	until grep -q 'populated 1' $container/cgroup.events; do sleep 0.1; done
	;;
esac
END
chmod 755 $LAB/listen /usr/sbin/pct
cp /etc/pve-gpu/settings.ini $LAB/settings
printf 'services = auto\ncontainers = stop\n' >>/etc/pve-gpu/settings.ini
printf '[Service]\nExecStart=%s\n' $LAB/listen >/run/systemd/system/listener.service
printf '[Unit]\nPartOf=listener.service\nRequires=listener.service\nAfter=listener.service\n[Service]\nExecStart=/run/lab/bin/sleep 3600\n' \
	>/run/systemd/system/companion.service
printf 'arch: amd64\nostype: debian\n' >/etc/pve/lxc/105.conf
systemctl start listener.service companion.service
companion=$(systemctl show -P MainPID companion.service)
ok "something hangs on a service" [ "$companion" -gt 0 ]
pct start 105
ok "a service and a container listen" wait_until 10 sh -c '
	[ "$(ls -l /proc/[0-9]*/fd/0 | grep -c /dev/snd/control)" = 2 ] && grep -q "populated 1" "$0/cgroup.events"' $container
users() {
	echo "$(systemctl show -P MainPID listener.service) $(cat $container/cgroup.procs)"
}
were=$(users)
task hook_ok 100 pre-start
came_back "users of the card" gave-back 'VM 100: the start failed'
ok "the service is started again" systemctl is-active listener.service
ok "and what went down with it" systemctl is-active companion.service
ok "anew" [ "$(systemctl show -P MainPID companion.service)" != "$companion" ]
ok "and the container" wait_until 20 grep -q 'populated 1' $container/cgroup.events
like "both are others than before" "$were / $(users)" '^([0-9]+) ([0-9]+) / ([0-9]+) ([0-9]+)$'
is "none of them had stayed" "$(echo "$were $(users)" | tr ' ' '\n' | sort -u | grep -c .)" 4
pct shutdown 105
systemctl stop listener.service
cp $LAB/settings /etc/pve-gpu/settings.ini

# In the place of Proxmox's own module; the real one talks to mail and web servers, far from our sandbox.
cat >/usr/share/perl5/PVE/Notify.pm <<'END'
package PVE::Notify;
sub error {
	open(my $f, '>', '/run/lab/notified') or die;
	print $f $_[1]->{message};
}
1;
END
echo rubbish >$LEASES/100
came_back "a damaged lease" aside "VM 100: the lease '$LEASES/100' is damaged"
is "it was put aside" "$(cat /run/pve-gpu/broken/100.0)" rubbish
ok "the administrator is told" wait_until 20 grep -q "^VM 100: the lease '$LEASES/100' is damaged" $LAB/notified
was=$(unit service InvocationID)
echo rubbish >$LEASES/.100.new	# what a killed hook leaves
sleep 3
is "a hidden file starts nothing" "$(unit service InvocationID)$(unit service SubState)" "${was}dead"
rm $LEASES/.100.new
is "the sandbox has got in the way of nothing" "$(told | grep -iE 'denied|not permitted|read-only')" ""
