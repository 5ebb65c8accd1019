# shellcheck shell=sh disable=SC2086,SC2016,SC2154 # words of lib.sh; lists of addresses
# SPDX-License-Identifier: GPL-2.0-or-later
# Measure claim and return of 1, 2, 4 and 8 cards, the hook beside a bare shell loop.
# limit: 600

bash /repo/tests/lab/guest/measure "${ROUNDS:-5}" || not_ok "the measurement runs to its end" "status $?"
