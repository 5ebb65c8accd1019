# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# Nobody calls post-stop: the start failed behind pre-start, QEMU came up late, or was killed while it used the card.
# board: faulty
# limit: 240

card='03:00.0 03:00.1'
home='virtio-pci snd_hda_intel'
away='vfio-pci vfio-pci'
mkvm 100 'hostpci0: 0000:03:00,pcie=1'
keeper_on

came_back() {
	ok "$1: the lease is closed" wait_until 15 no_lease
	is "$1: the card is back" "$(driver $card)" "$home"
	like "$1: watch says why" "$(keeper_said)" "$2"
	: >"$LAB/watch.log"
}

# pvedaemon forks a worker, in a session of its own; that calls the hook, fails at something else, and ends.
setsid sh -uc '
	. /repo/tests/lab/guest/lib.sh
	hook_ok 100 pre-start
	sleep 1
	is "while the task is at it, the VM has the card" "$(driver $1)" "$2"
	exit 255' - "$card" "$away" &
wait $!
is "the task has failed" "$?" 255
came_back "the start failed behind pre-start" 'VM 100: the start failed'

# A backup holds Proxmox's lock while it starts the VM; QEMU fails, and the backup's task goes on for hours.
perl -e '
	use Fcntl qw(:flock);
	open(my $lock, ">>", "/var/lock/qemu-server/lock-100.conf") or die;
	flock($lock, LOCK_EX) or die;
	system(@ARGV) == 0 or die;
	sleep 4;
	close $lock;
	sleep 3600' "$HOOK" 100 pre-start >"$LAB/backup.log" 2>&1 &
backup=$!
ok "a backup has started the VM" wait_until 30 grep -q '^claimed' "$LEASES/100"
like "its lease says that it has Proxmox's lock" "$(head -n 1 "$LEASES/100")" ' locked=1 '
sleep 2
is "as long as it has the lock, the VM has the card" "$(driver $card)$(keeper_said)" "$away"
came_back "the start failed in a task that goes on" 'VM 100: the start failed: Proxmox is through with it'
ok "the backup's task still goes on" kill -9 $backup

# The start timeout: only the launcher is killed, the task ends, and QEMU comes up all the same.
late_qemu() {
	hook_ok 100 pre-start
	(start_qemu 100 $card) &
	wait_until 20 sh -c 'grep -ls "^/usr/bin/kvm" /proc/[0-9]*/cmdline'
}
task late_qemu
wait_until 30 test -s /run/qemu-server/100.pid
sleep 3
is "a QEMU that came up late keeps the card" "$(driver $card)" "$away"
is "and its lease" "$(leases)" 100
is "watch has let it be" "$(keeper_said)" ""
stop_qemu 100 kill
came_back "the late QEMU has ended" 'QEMU is gone and post-stop has not come'

start_vm 100 $card
is "QEMU uses both functions" "$(qemu_sees 100)" "hostpci0.0 hostpci0.1 "
date -s "@$(($(date +%s) + 86400))" >/dev/null	# a step of the clock is no time that has passed
sleep 2
is "a clock that jumps a day ahead changes nothing" "$(driver $card)$(keeper_said)" "$away"
stop_qemu 100 kill
date -s "@$(($(date +%s) - 86400 * 2))" >/dev/null
came_back "QEMU was killed while it used the card" 'QEMU is gone and post-stop has not come'

start_vm 100 $card
kill -9 "$(cat "$LAB/watch.pid")"
stop_qemu 100 kill
came_back "watch was killed as well" 'QEMU is gone and post-stop has not come'
ok "sound comes back" wait_until 10 sound_of 03:00.1
keeper_off
