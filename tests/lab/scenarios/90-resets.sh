# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# Real resets by every method there is, on cards that have them, have them not, or fail in one of them.
# board: resets
# limit: 900

# try ARGUMENT...: pve-gpu reset; leaves STATUS, SAID and MS.
try() {
	began=$(uptime_ms)
	SAID=$("$TOOL" reset "$@" 2>&1)
	STATUS=$?
	MS=$(($(uptime_ms) - began))
}

# resets METHOD ARGUMENT...: it works, and by this method.
resets() {
	method=$1
	shift
	try "$@"
	like "reset $*: by $method" "$STATUS $SAID" "^0 .* was reset by $method;"
}

# fails REGEX ARGUMENT...: it does not, and says why.
fails() {
	why=$1
	shift
	try "$@"
	like "reset $*: fails, and says why: $why" "$STATUS $SAID" "^1 .*$why"
}

cards='01:00.0 02:00.0 03:00.0 04:00.0 04:00.1 05:00.0 06:00.0 07:00.0'
home=$(driver $cards)

# --- What each card offers, and the methods one by one
resets flr 01:00
resets pm 02:00
resets bus 03:00
resets hot 04:00
resets pm 01:00 --method pm
resets vfio 01:00 --method vfio
resets hot 01:00 --method hot
resets d3 02:00 --method d3
resets subordinate 03:00 --method subordinate
resets subordinate 04:00 --method subordinate
resets rescan 04:00 --method rescan
fails 'does not offer' 03:00 --method flr
fails 'does not offer' 04:00 --method bus

# --- Failures: the card is alive, back where it was, and another method still works
fails 'subordinate: .*Inappropriate ioctl|not offer' 05:00 --method subordinate
resets flr 05:00
fails 'refuses to go to D3hot|not offer' 06:00 --method d3
resets flr 06:00
is "all cards are on their drivers" "$(driver $cards)" "$home"
is "the order of methods is as it was" "$(cat $PCI/0000:01:00.0/reset_method)" "flr pm bus"

# --- Idle means idle
mkvm 190 'hostpci0: 0000:01:00'
hook_ok 190 pre-start
try 01:00
like "a card that a VM holds is refused" "$STATUS $SAID" '^4 .*held by VM 190'
hook_ok 190 post-stop

# --- A virtual function
echo 0 >$PCI/0000:07:00.0/sriov_drivers_autoprobe
echo 2 >$PCI/0000:07:00.0/sriov_numvfs
resets flr 07:00.1
try 07:00
like "the physical function is refused meanwhile" "$STATUS $SAID" '^4 .*virtual functions'
echo 0 >$PCI/0000:07:00.0/sriov_numvfs
echo 1 >$PCI/0000:07:00.0/sriov_drivers_autoprobe

# --- Rounds
rounds=$ROUNDS
for card in 01:00 02:00 03:00; do
	ok "selftest $card, $rounds rounds" "$TOOL" selftest $card --rounds $rounds
done
is "all cards are on their drivers" "$(driver $cards)" "$home"

# --- A slot without power
config() {
	dd if="$1" bs=1 skip=$(($2)) count=1 2>/dev/null | od -An -tu1 | tr -d ' '
}

# express PORT: where its PCI Express capability lies.
express() {
	at=$(config "$1" 0x34)
	while [ "$at" -ne 0 ] && [ "$(config "$1" "$at")" -ne 16 ]; do
		at=$(config "$1" $((at + 1)))
	done
	echo "$at"
}

# power on|off: bit 10 of Slot Control.
power() {
	at=$(($(express "$port") + 0x19))
	byte=$(($(config "$port" $at) & ~4))
	[ "$1" = on ] || byte=$((byte | 4))
	printf "\\$(printf %03o $byte)" | dd of="$port" bs=1 seek=$at conv=notrunc 2>/dev/null
}

port=$PCI/$(basename "$(dirname "$(readlink $PCI/0000:03:00.0)")")/config
mkvm 191 'hostpci0: 0000:03:00.0'
power off
like "list says that it is dead" "$("$TOOL" list 2>&1)" 'dead: 0000:03:00.0 does not answer'
hook_refuses 191 pre-start '03:00.0 is dead: it does not answer'
is "and nothing was touched" "$(driver 03:00.0) $(leases)" "bochs-drm "
fails 'is dead, and no reset brings it back' 03:00
below "within the deadline" "$MS" 140000
is "no driver takes it, the others have theirs" "$(driver $cards)" \
	"$(echo "$home" | sed 's/bochs-drm/none/')"
power on
resets rescan 03:00 --method rescan
resets bus 03:00
resets flr 01:00
is "alive again, on its driver" "$(driver $cards)" "$home"
task hook_ok 191 pre-start
hook_ok 191 post-stop
