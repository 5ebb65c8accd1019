# shellcheck shell=sh disable=SC2154 # words of lib.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The doctor on a host whose IOMMU is switched off: a blocker, and what to do.
# board: no-iommu

json=$("$TOOL" doctor --json 2>/dev/null </dev/null)
is "a blocker or a problem is status 3" "$?" 3
like "there is no IOMMU, and it says so" "$json" '"id": "iommu-(none|firmware-off|kernel-off)"'
like "that is a blocker" "$json" '"severity": "blocker"'
