# shellcheck shell=sh disable=SC2154 # $store comes from who sources this
# SPDX-License-Identifier: GPL-2.0-or-later
# Download Debian packages for the lab without installing them and without a trace in the machine's own apt.
#
# Sourced with $store = where things are kept.

apt_plain="-o APT::Sandbox::User=$(id -un) -o Debug::NoLocking=true"
apt_opts=$apt_plain

fetch_die() {
	echo "lab: $*" >&2
	exit 1
}

# use_own_lists [SUITE]: lists of our own, when the machine's are missing or out of date, or it does not follow the suite.
use_own_lists() {
	own=$store/apt
	mkdir -p "$own/lists/partial" "$own/cache/archives/partial"
	apt_opts="$apt_plain -o Dir::State::Lists=$own/lists -o Dir::Cache=$own/cache"
	if [ -n "$1" ]; then
		# shellcheck disable=SC2016 # apt expands these
		uri=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' |
			awk '$2 == "Debian" { print $1; exit }')
		[ -n "$uri" ] || fetch_die "no Debian mirror is configured on this machine, so $1 cannot be reached."
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $1 main" >"$own/sources.list"
		apt_opts="$apt_opts -o Dir::Etc::SourceList=$own/sources.list -o Dir::Etc::SourceParts=/dev/null"
	fi
	# shellcheck disable=SC2086 # a list of options
	apt-get $apt_opts -qq update >&2 || fetch_die "apt-get update failed: is the Debian mirror reachable?"
}

# first_dependency PACKAGE REGEX: the first package it depends on whose name matches; nothing when apt knows no such.
first_dependency() {
	# shellcheck disable=SC2086
	apt-cache $apt_opts depends "$1" 2>/dev/null |
		awk -v re="$2" '$1 == "Depends:" && $2 ~ re { print $2; exit }'
}

# download PACKAGE: into $store/deb, alone there. May fail: a machine's lists can name files that its mirror has dropped.
download() {
	rm -rf "$store/deb"
	mkdir -p "$store/deb"
	# shellcheck disable=SC2086
	(cd "$store/deb" && apt-get $apt_opts -qq download "$1" >&2)
}

# with_lists SUITE FUNCTION: try with the machine's lists, then with fresh ones; with a suite's own when one is named.
with_lists() {
	apt_opts=$apt_plain
	if [ -z "$1" ]; then
		"$2" && return
	fi
	use_own_lists "$1"
	"$2"
}
