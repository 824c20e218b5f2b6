# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The cache, and what a script that fills it says; to be sourced.

note()
{
	printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
}

fail()
{
	note "$*"
	exit 1
}

cache=${SECMMU_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/secmmu}
case $cache in
*[[:space:]]* | [!/]* | '')	# make cannot cope with blanks in paths
	fail "the cache folder must be an absolute path without blanks, not '$cache'"
	;;
esac

# cache_lock FOLDER TOOL...: begin to work on a folder in the cache, with these programs.
# One at a time for each private apt, which has one state folder.
lock=$cache/kernel.lock
cache_lock()
{
	local folder=$1 tool

	shift
	for tool in apt-get dpkg flock "$@"; do
		command -v "$tool" >/dev/null || fail "$tool is missing, run setup.sh"
	done
	if ! mkdir -p "${folder%/*}" 2>/dev/null || [ ! -w "${folder%/*}" ]; then
		fail "cannot write to the cache folder $cache"
	fi
	exec 9>"$lock"
	if ! flock -n 9; then
		note 'waiting for another run to finish'
		flock 9
	fi
}

# cache_fill FOLDER COMMAND...: make it anew, whole or not at all; the command fills $work.
cache_fill()
{
	local folder=$1

	shift
	# Leftovers of a run that was killed; the lock says nobody uses them.
	rm -rf "$folder".tmp.*
	work=$(mktemp -d "$folder.tmp.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	chmod 755 "$work"
	"$@"
	rm -rf "$folder"
	mv "$work" "$folder"
	trap - EXIT
}
