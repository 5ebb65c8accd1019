# shellcheck shell=sh disable=SC2034 # MS, ERR and the like are read by the scenarios
# SPDX-License-Identifier: GPL-2.0-or-later
# The words scenarios are written in: assertions, the machine's state, VMs, and the hook as Proxmox VE calls it.

PCI=/sys/bus/pci/devices
LEASES=/run/pve-gpu/leases

# --- Assertions ------------------------------------------------------------------------------------------------------

next() {
	read -r count <"$LAB/count"
	count=$((count + 1))
	echo "$count" >"$LAB/count"
}

yes_ok() {
	next
	echo "ok $count - $1"
}

# not_ok TEXT WHY: every line of WHY goes below.
not_ok() {
	next
	echo "not ok $count - $1"
	printf '%s\n' "${2-}" | sed 's/^/#   /'
}

# ok TEXT COMMAND...: the command succeeds.
ok() {
	text=$1
	shift
	if said=$("$@" 2>&1); then
		yes_ok "$text"
	else
		not_ok "$text" "status $? of: $*
$said"
	fi
}

# is TEXT GOT WANTED: the same text; else shows both, or what differs when they are long.
is() {
	if [ "$2" = "$3" ]; then
		yes_ok "$1"
		return
	fi
	printf '%s\n' "$2" >"$LAB/got"
	printf '%s\n' "$3" >"$LAB/wanted"
	not_ok "$1" "$(diff -U0 "$LAB/wanted" "$LAB/got" | sed '1,2d;/^@@/d;s/^-/wanted: /;s/^+/got:    /')"
}

# like TEXT GOT REGEX
like() {
	if printf '%s\n' "$2" | grep -qE -- "$3"; then
		yes_ok "$1"
	else
		not_ok "$1" "wanted something like: $3
got: $2"
	fi
}

# below TEXT GOT LIMIT: a number, and not too large a one.
below() {
	if [ "$2" -lt "$3" ]; then
		yes_ok "$1"
	else
		not_ok "$1" "wanted less than $3, got $2"
	fi
}

# expect_kernel REGEX: a kernel message that counts as trouble elsewhere is part of this scenario.
expect_kernel() {
	echo "# expects of the kernel: $1"
}

# --- The machine -----------------------------------------------------------------------------------------------------

uptime_ms() {
	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}0"
}

one_line() {
	line='-'
	[ ! -e "$1" ] || read -r line <"$1" || [ -n "$line" ] || line='-'
}

# driver_of ADDRESS: leaves the name in $driver. `cd -P` resolves a link without starting a program.
driver_of() {
	driver=none
	if cd -P "$PCI/$1/driver" 2>/dev/null; then
		driver=${PWD##*/}
	fi
}

# All functions of the machine, or those named, one a line: driver, override, runtime power, cold-sleep switch, resets.
drivers_of() {
	[ $# -gt 0 ] || set -- "$PCI"/*
	for dev in "$@"; do
		dev=${dev##*/}
		driver_of "$dev"
		said="$dev $driver"
		for attr in driver_override power/control d3cold_allowed reset_method; do
			one_line "$PCI/$dev/$attr"
			said="$said ${attr##*/}=$line"
		done
		echo "$said"
	done
}

# driver ADDRESS...: only the drivers' names, in one line.
driver() {
	said=''
	for dev in "$@"; do
		driver_of "0000:$dev"
		said="$said $driver"
	done
	echo "${said# }"
}

leases() {
	ls -A "$LEASES" 2>/dev/null
}

# Process ids of inner QEMUs that still run.
qemus() {
	grep -ls '^/usr/bin/kvm' /proc/[0-9]*/cmdline | tr -dc '0-9\n'
}

# Number of userland processes: kernel threads have no command line.
# Without a pipe: whether its second half runs already when the first one counts is a matter of chance.
processes() {
	# shellcheck disable=SC2046 # names without blanks
	set -- $(grep -ls . /proc/[0-9]*/cmdline)
	echo $#
}

# wait_until SECONDS COMMAND...: true as soon as the command is.
wait_until() {
	end=$(($(uptime_ms) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(uptime_ms)" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# The host's own nodes of a function: its sound card, its display.
sound_of() {
	find "$PCI/0000:$1/sound" -maxdepth 1 -name 'card*' 2>/dev/null | sed 's,.*/,,' | grep .
}

display_of() {
	find "$PCI/0000:$1/" -maxdepth 3 -path '*/drm/card*' 2>/dev/null | sed 's,.*/,,' | grep .
}

fresh_state() {
	is "at the start the machine is as it booted" "$(drivers_of)" "$(cat "$LAB/baseline")"
	is "at the start nobody holds anything" "$(leases)$(qemus)" ""
}

same_as_before() {
	is "at the end every function is as before: driver, override, power, reset methods" \
		"$(drivers_of)" "$(cat "$LAB/baseline")"
	is "at the end no lease is left" "$(leases)" ""
}

# Whatever a failed scenario leaves behind: its VMs and its files. Devices are not touched, so that the harness sees.
clean_up() {
	for pid in $(qemus); do
		kill -9 "$pid" 2>/dev/null
	done
	rm -f /etc/pve/qemu-server/* /etc/pve/lxc/* /run/qemu-server/* "$LAB"/qmp-*
	for scope in /sys/fs/cgroup/qemu.slice/*.scope; do
		[ -d "$scope" ] && wait_until 10 rmdir "$scope"
	done
}

# --- Virtual machines ------------------------------------------------------------------------------------------------

# mkvm VMID LINE...: a VM's configuration, the way Proxmox VE writes it.
mkvm() {
	vm=$1
	shift
	printf '%s\n' 'boot: order=scsi0' 'cores: 1' 'machine: q35' 'memory: 256' "name: vm$vm" "$@" \
		>"/etc/pve/qemu-server/$vm.conf"
}

# Options for the functions given; a slot of the host becomes a slot of the guest, as hostpciN does. On the root bus,
# because no firmware has run yet that would number the buses behind bridges, and query-pci shows numbered ones only.
vfio_args() {
	key=-1 slot=''
	for dev in "$@"; do
		if [ "${dev%.*}" != "$slot" ]; then
			slot=${dev%.*} key=$((key + 1)) fn=0
		fi
		echo "-device vfio-pci,host=0000:$dev,id=hostpci$key.$fn,bus=pcie.0,addr=1$key.$fn,multifunction=on,rombar=0"
		fn=$((fn + 1))
	done
}

# What Proxmox VE itself does between the hook and QEMU: a reset by sysfs where there is a file for it, failure no matter.
pve_resets() {
	for dev in "$@"; do
		[ ! -e "$PCI/0000:$dev/reset" ] || (echo 1 >"$PCI/0000:$dev/reset") 2>/dev/null
	done
}

# start_qemu VMID ADDRESS...: a real QEMU on real functions, stopped before its first instruction (-S), in the VM's own
# scope and under the name Proxmox VE gives it. Returns once it answers.
start_qemu() {
	vm=$1
	shift
	scope=/sys/fs/cgroup/qemu.slice/$vm.scope
	pve_resets "$@"
	mkdir -p "$scope"
	mkfifo "$LAB/qmp-$vm.in" "$LAB/qmp-$vm.out"
	# shellcheck disable=SC2046 # words without blanks
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$scope" \
		/usr/bin/kvm -name "vm$vm,debug-threads=on" -accel tcg -M q35 -m 256 -S -display none -nodefaults \
		-chardev "socket,id=qmp,path=/var/run/qemu-server/$vm.qmp,server=on,wait=off" -mon chardev=qmp,mode=control \
		-chardev "pipe,id=lab,path=$LAB/qmp-$vm" -mon chardev=lab,mode=control \
		-pidfile "/var/run/qemu-server/$vm.pid" -daemonize $(vfio_args "$@") </dev/null &&
		qmp "$vm" qmp_capabilities >/dev/null
}

# start_vm VMID ADDRESS...: what a successful task does, from pre-start to post-start.
start_vm() {
	(
		hook_ok "$1" pre-start
		start_qemu "$@" || not_ok "QEMU starts on the card" "status $?"
		hook_ok "$1" post-start
	)
}

# qmp VMID COMMAND: the answer, one line of JSON. The monitor is a pair of pipes, which a shell can talk to.
qmp() {
	qemu_runs "$(qemu_pid "$1" 2>/dev/null)" || return 1
	# shellcheck disable=SC2016 # the inner shell's
	timeout 30 sh -c '
		echo "{\"execute\": \"$1\", \"id\": \"$1\"}" >"$0.in"
		while read -r line; do
			case $line in *"\"id\": \"$1\""*) echo "$line"; exit 0 ;; esac
		done <"$0.out"' "$LAB/qmp-$1" "$2"
}

# The passed-through functions that the VM itself sees on its bus, by name.
qemu_sees() {
	qmp "$1" query-pci | grep -o '"qdev_id": "hostpci[^"]*"' | cut -d '"' -f 4 | sort | tr '\n' ' '
}

qemu_pid() {
	cat "/run/qemu-server/$1.pid"
}

qemu_runs() {
	[ -n "$1" ] && [ -n "$(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline")" ]
}

# stop_qemu VMID quit|kill: ends it and does Proxmox VE's own clean-up of files. That regards QEMU as gone once its
# command line reads empty, which is before the kernel has closed its files: no more waiting than that here.
stop_qemu() {
	pid=$(qemu_pid "$1")
	case $2 in
	quit) qmp "$1" quit >/dev/null ;;
	kill) kill -9 "$pid" ;;
	esac
	end=$(($(uptime_ms) + 20000))
	while qemu_runs "$pid" && [ "$(uptime_ms)" -lt "$end" ]; do
		:
	done
	rm -f "/run/qemu-server/$1.pid" "/run/qemu-server/$1.qmp" "$LAB/qmp-$1.in" "$LAB/qmp-$1.out"
}

# --- The hook --------------------------------------------------------------------------------------------------------

# The environment Proxmox VE gives a hook; PVE_MIGRATED_FROM is there, and empty, on every ordinary start.
hook_env() {
	case $2 in
	*-start) migrated='PVE_MIGRATED_FROM=' ;;
	*) migrated='LC_ALL=C' ;;
	esac
	exec env -i PATH=/sbin:/bin:/usr/sbin:/usr/bin LC_ALL=C LVM_SUPPRESS_FD_WARNINGS=1 "$migrated" "$HOOK" "$@"
}

# hook VMID PHASE: the caller holds the VM's lock, gives it no input, and reads both outputs to their very end, even
# when the hook is gone already. The caller is this shell: as with Proxmox VE's task, a start is under way as long as it
# lives. Leaves STATUS, OUT, ERR, SAID (both) and MS, the program's own time from its start to its end.
hook() {
	said=$LAB/hook-$1
	mkfifo "$said.1" "$said.2"
	cat "$said.1" >"$said.out" &
	out=$!
	cat "$said.2" >"$said.err" &
	err=$!
	exec 9>"/var/lock/qemu-server/lock-$1.conf"
	flock 9
	read -r began _ </proc/uptime
	hook_env "$@" </dev/null >"$said.1" 2>"$said.2" 9>&- &
	wait $!
	STATUS=$?
	read -r ended _ </proc/uptime
	wait $out $err
	exec 9>&-
	rm "$said.1" "$said.2"
	MS=$((${ended%.*}${ended#*.}0 - ${began%.*}${began#*.}0))
	OUT=$(cat "$said.out") ERR=$(cat "$said.err")
	SAID=$OUT${OUT:+${ERR:+
}}$ERR
}

# task COMMAND...: in a process of its own that then ends, as a task of Proxmox VE's does, say of a start that failed.
task() {
	("$@")
}

# hook_ok VMID PHASE / hook_refuses VMID PHASE REGEX: with what was said when it is not so.
hook_ok() {
	hook "$@"
	if [ "$STATUS" -eq 0 ]; then
		yes_ok "$2 of VM $1 succeeds"
	else
		not_ok "$2 of VM $1 succeeds" "status $STATUS, said:
$SAID"
	fi
}

hook_refuses() {
	hook "$1" "$2"
	if [ "$STATUS" -ne 0 ]; then
		yes_ok "$2 of VM $1 is refused"
	else
		not_ok "$2 of VM $1 is refused" "status 0, said:
$SAID"
	fi
	like "and says why: $3" "$SAID" "$3"
}

# --- Cards that misbehave, and the keeper of leases ------------------------------------------------------------------

# Loads our own driver; fault NAME VALUE... sets its parameters (tests/lab/fakegpu).
load_faults() {
	insmod "/lib/modules/$(uname -r)/extra/fakegpu.ko"
	is "our driver has its cards" "$(driver 01:00.0 02:00.0)" "fakegpu fakegpu"
}

unload_faults() {
	ok "our driver can be unloaded" rmmod fakegpu
}

fault() {
	while [ $# -gt 0 ]; do
		echo "$2" >"/sys/module/fakegpu/parameters/$1"
		shift 2
	done
}

# What pve-gpu-watch.path and .service do: while there is a lease there is a watch, whatever becomes of it.
keeper_on() {
	: >"$LAB/watch.log"
	(
		while :; do
			set -- "$LEASES"/*
			if [ -e "$1" ]; then
				"$TOOL" watch >>"$LAB/watch.log" 2>&1 &
				echo $! >"$LAB/watch.pid"
				wait $!
			fi
			sleep 0.1
		done
	) </dev/null >/dev/null 2>&1 &
	keeper=$!
}

keeper_off() {
	kill -9 $keeper
	wait $keeper 2>/dev/null
	kill "$(cat "$LAB/watch.pid")" 2>/dev/null
	wait_until 20 test ! -e "/proc/$(cat "$LAB/watch.pid")"
}

keeper_said() {
	cat "$LAB/watch.log"
}

keeper_has_said() {
	grep -qE -- "$1" "$LAB/watch.log"
}

no_lease() {
	[ -z "$(leases)" ]
}
