# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# Two cards for one VM, and two VMs that start and stop at the same moment, each with a card of its own.
# board: workstation
# limit: 180

mkvm 120 'hostpci0: 0000:01:00,pcie=1' 'hostpci1: 0000:03:00,pcie=1'
five='01:00.0 01:00.1 01:00.2 03:00.0 03:00.1'
home=$(driver $five)
task hook_ok 120 pre-start
is "one VM has both cards" "$(driver $five)" 'vfio-pci vfio-pci vfio-pci vfio-pci vfio-pci'
hook_ok 120 post-stop
is "both are back" "$(driver $five)" "$home"

mkvm 121 'hostpci0: 0000:02:00'
mkvm 122 'hostpci0: 0000:03:00;0000:04:00.0'
six='02:00.0 02:00.1 02:00.2 03:00.0 03:00.1 04:00.0'
home=$(driver $six)

# both PHASE: the hooks of two VMs at once, each with its own lock; leaves what they said when one of them failed.
both() {
	for vm in 121 122; do
		(hook $vm "$1" && [ "$STATUS" -eq 0 ] || echo "VM $vm: status $STATUS, $SAID") >"$LAB/both-$vm" &
	done
	wait
	is "$1 of two VMs at once succeeds" "$(cat "$LAB/both-121" "$LAB/both-122")" ""
}

for round in 1 2 3; do
	both pre-start
	is "round $round: each VM has its cards" "$(driver $six)" \
		'vfio-pci vfio-pci vfio-pci vfio-pci vfio-pci vfio-pci'
	both post-stop
	is "round $round: all are back" "$(driver $six)" "$home"
done

mkvm 123 'hostpci0: 0000:04:00.0'
mkvm 124 'hostpci0: 0000:04:00.0'
# Both tasks live on until both hooks have ended: the winner's start is still under way when the loser is judged.
rm -f "$LAB"/race-*
for vm in 123 124; do
	(
		hook $vm pre-start
		echo "$vm $STATUS" >"$LAB/race-$vm.new"
		mv "$LAB/race-$vm.new" "$LAB/race-$vm"
		wait_until 60 test -e "$LAB/race-123" -a -e "$LAB/race-124"
		sleep 1
	) &
done
wait_until 60 test -e "$LAB/race-123" -a -e "$LAB/race-124"
winner=$(sed -n 's/ 0$//p' "$LAB/race-123" "$LAB/race-124")
like "two VMs race for one card: exactly one wins" "$winner" '^12[34]$'
is "the lease is the winner's" "$(leases)" "$winner"
wait
hook_ok 123 post-stop
hook_ok 124 post-stop
