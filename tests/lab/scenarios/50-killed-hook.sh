# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# The hook is killed outright at many moments of pre-start and post-stop; whoever comes next puts the machine right.
# board: workstation
# limit: 240

mkvm 100 'hostpci0: 0000:01:00,pcie=1' 'hostpci1: 0000:03:00,pcie=1'
two='01:00.0 01:00.1 01:00.2 03:00.0 03:00.1'
home=$(driver $two)

# kill_hook PHASE SECONDS alone|group: killed after so long, alone or with its whole process group.
kill_hook() {
	setsid sh -c '. /repo/tests/lab/guest/lib.sh; hook_env "$@"' - 100 "$1" </dev/null >"$LAB/killed" 2>&1 &
	pid=$!
	sleep "$2"
	case $3 in
	alone) kill -9 $pid ;;
	group) kill -9 -$pid ;;
	esac 2>/dev/null
	wait $pid 2>/dev/null
}

restored() {
	is "$1" "$(driver $two)" "$home"
	is "and no lease is left" "$(leases)" ""
}

for delay in 0.02 0.05 0.1 0.15 0.2 0.3 0.4 0.6; do
	task kill_hook pre-start $delay alone
	hook_ok 100 post-stop
	restored "killed $delay s into pre-start, then post-stop"
done
for delay in 0.08 0.25 0.5; do
	task kill_hook pre-start $delay group
	task hook_ok 100 pre-start
	is "killed with its group $delay s into pre-start, then pre-start" "$(driver $two)" \
		'vfio-pci vfio-pci vfio-pci vfio-pci vfio-pci'
	hook_ok 100 post-stop
	restored "and post-stop"
done
for delay in 0.05 0.15 0.3 0.5; do
	task hook_ok 100 pre-start
	task kill_hook post-stop $delay alone
	ok "pve-gpu release 100" "$TOOL" release 100
	restored "killed $delay s into post-stop, then released by hand"
done
