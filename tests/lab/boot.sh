# shellcheck shell=sh disable=SC2034,SC2154 # variables shared with the programs that source this
# SPDX-License-Identifier: GPL-2.0-or-later
# What the lab's programs share: prepare a kernel, describe a board, run one machine under a deadline, read its logs.
#
# Sourced with $here = tests/lab. The machine speaks on two lines: the kernel on ttyS0 (console.log), our scripts on
# ttyS1 (talk.log), so that no kernel message ever cuts a line of ours in two.

top=$(cd "$here/../.." && pwd)
lab_build=${LAB_BUILD:-$top/build/lab}
lab_hook=${LAB_HOOK:-$top/build/gpu-hook}
lab_tool=${LAB_TOOL:-$top/build/pve-gpu}
lab_pid=''

# What the machine says with its last write to the debug port, as QEMU's exit status: (value << 1) | 1.
LAB_GOOD=11

lab_die() {
	echo "lab: $*" >&2
	exit 1
}

# On a Proxmox node this finds the node's own QEMU.
lab_qemu() {
	command -v qemu-system-x86_64 || command -v kvm ||
		lab_die "no qemu-system-x86_64 on this machine: run tests/deps demo."
}

# lab_open PROGRAM...: everything a run needs, for one run at a time in this tree.
lab_open() {
	for program in "$@"; do
		[ -x "$program" ] || lab_die "there is no $program: run make first."
	done
	mkdir -p "$lab_build/logs"
	exec 8>"$lab_build/logs/lock"
	flock -n 8 || lab_die "another run of the lab uses $lab_build."
	lab_qemu_bin=$(lab_qemu) || exit 1
	lab_kernel=$("$here/kernel") || lab_die "there is no kernel to boot."
	lab_initrd=$("$here/initrd" "$lab_kernel") || lab_die "there is no initramfs to boot."
}

# --- Words of the board descriptions ---------------------------------------------------------------------------------

board_dev() {
	board_args="$board_args -device $1"
}

# board_port SLOT [GT/s]: a root port. At 5 GT/s QEMU's links come back after a bus reset; at its default of 16 they do not.
board_port() {
	board_dev "pcie-root-port,id=rp$1,slot=$1,chassis=$1,bus=pcie.0,addr=$(printf %x $((15 + $1))),x-speed=${2:-5}"
}

# board_function PORT FUNCTION DEVICE[,OPTION...]: every function carries the multifunction bit, as on real cards;
# else a rescan would give each function a group of its own.
board_function() {
	board_dev "$3,bus=rp$1,addr=0.$2,multifunction=on"
}

board_audio() {
	board_function "$1" "$2" "ich9-intel-hda,id=hda$1"
	board_args="$board_args -audiodev none,id=audio$1"
	board_dev "hda-output,bus=hda$1.0,audiodev=audio$1"
}

# --- One machine -----------------------------------------------------------------------------------------------------

lab_board() {
	board_args='' board_cmdline='intel_iommu=on' board_memory=2G
	[ -r "$here/boards/$1" ] || lab_die "there is no board $1."
	# shellcheck source=/dev/null
	. "$here/boards/$1"
}

lab_reap() {
	[ -n "$lab_pid" ] || return 0
	kill "$lab_pid" 2>/dev/null || :
	wait "$lab_pid" 2>/dev/null || :
	lab_pid=''
}

# QEMU wants a comma in a path doubled.
fsdev_path() {
	printf '%s' "$1" | sed 's/,/,,/g'
}

# A busy machine may not give us a processor for a while: the kernel must not take that for broken hardware (without
# no_timer_check one boot in thirty panicked here) or for a hang of its own. The rest saves emulated work.
lab_patience='no_timer_check nosoftlockup rcupdate.rcu_cpu_stall_suppress=1 mitigations=off no5lvl'

# lab_start LOGDIR SECONDS CMDLINE: in the background; `timeout` ends the machine even when we are killed outright.
# One vCPU: with two, emulation without KVM now and then sees a code patch half done and dies. LAB_CPUS is for measuring,
# as is LAB_CLOCK=instructions: the machine's time is then what its processor has executed, a nanosecond each, plus what it slept.
lab_start() {
	rm -rf "$1"
	mkdir -p "$1"
	: >"$1/talk.log"
	share='security_model=none,readonly=on,multidevs=remap'
	icount=''
	[ "${LAB_CLOCK-}" != instructions ] || icount='-icount shift=0'
	# shellcheck disable=SC2086 # lists of words without blanks in them
	timeout -k 5 "$2" "$lab_qemu_bin" -name pve-gpu-lab -accel tcg -cpu max -machine q35 -m "$board_memory" -smp "${LAB_CPUS:-1}" $icount \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$lab_kernel/boot" -initrd "$lab_initrd" \
		-append "console=ttyS0 loglevel=4 panic=-1 $lab_patience $board_cmdline $3" \
		-serial "file:$1/console.log" -serial "file:$1/talk.log" \
		-device isa-debug-exit,iobase=0xf4,iosize=4 \
		-device intel-iommu,intremap=on,caching-mode=on,device-iotlb=on \
		-fsdev "local,id=root,path=/,$share" -device virtio-9p-pci,bus=pcie.0,addr=2,fsdev=root,mount_tag=root \
		-fsdev "local,id=repo,path=$(fsdev_path "$top"),$share" -device virtio-9p-pci,bus=pcie.0,addr=3,fsdev=repo,mount_tag=repo \
		-fsdev "local,id=modules,path=$(fsdev_path "$lab_kernel/lib/modules"),$share" \
		-device virtio-9p-pci,bus=pcie.0,addr=4,fsdev=modules,mount_tag=modules \
		$board_args </dev/null >"$1/qemu.log" 2>&1 &
	lab_pid=$!
	trap 'lab_reap' EXIT
	trap 'lab_reap; exit 130' INT
	trap 'lab_reap; exit 143' TERM HUP
}

# lab_boot BOARD LOGDIR SECONDS CMDLINE [FILTER...]: one whole run, its talk shown live through FILTER; the status is
# QEMU's. 124 and 137 mean that the deadline struck.
lab_boot() {
	lab_board "$1"
	lab_logs=$2
	lab_start "$2" "$3" "$4"
	shift 4
	[ $# -gt 0 ] || set -- cat
	# In the background, because only `wait` lets a signal to us be heard at once.
	tail -n +1 -s 0.2 -f --pid="$lab_pid" "$lab_logs/talk.log" | "$@" &
	wait $! || :
	lab_status=0
	wait "$lab_pid" || lab_status=$?
	lab_pid=''
	return "$lab_status"
}

# Did the machine die before a script of ours said its first line?
lab_stillborn() {
	! grep -q '^# ' "$lab_logs/talk.log"
}

# Programs under test other than the built ones, as words for the machine.
lab_programs() {
	echo "${LAB_HOOK:+lab.hook=$LAB_HOOK }${LAB_TOOL:+lab.tool=$LAB_TOOL}"
}

lab_say_why() {
	case $1 in
	124 | 137) echo "the machine was ended by its deadline" ;;
	"$LAB_GOOD") echo "the machine ended in good order" ;;
	*) echo "the machine died (QEMU's exit status $1)" ;;
	esac
}

# Lines of the kernel that mean trouble, less those that a scenario announced with expect_kernel.
lab_kernel_trouble() {
	sed -n 's/^# expects of the kernel: //p' "$lab_logs/talk.log" >"$lab_logs/announced"
	grep -aE 'Kernel panic|BUG:|Oops|general protection fault|blocked for more than|WARNING: CPU|UBSAN|KASAN' \
		"$lab_logs/console.log" 2>/dev/null | tr -d '\r' | grep -vEf "$lab_logs/announced"
}

# lab_last_words LINES: of each log, for whoever has to find out why a machine died.
lab_last_words() {
	for log in qemu console talk; do
		[ -s "$lab_logs/$log.log" ] || continue
		echo "#   end of $lab_logs/$log.log:"
		tail -n "$1" "$lab_logs/$log.log" | tr -d '\r' | sed 's/^/#     /'
	done
}
