# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# The hook is killed outright at fifty moments of claim and return: watch has the card back within 5 s each time.
# board: faulty
# limit: 240

load_faults
mkvm 100 'hostpci0: 0000:01:00'
keeper_on
/repo/build/storm kill 2011 50 100 0000:01:00.0 >"$LAB/storm" 2>&1
status=$?
tail -n 1 "$LAB/storm" | sed 's/^/# /'
is "fifty kills: the card is back in time each time" "$status" 0
[ $status -eq 0 ] || sed 's/^/#   /' "$LAB/storm" "$LAB/watch.log"
wait_until 10 no_lease
keeper_off
unload_faults
