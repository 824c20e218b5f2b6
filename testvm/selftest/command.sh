# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# What happens to the command: its status, its words, its files.

test_status_zero()
{
	expect 0 vm sh -c 'echo out; echo err >&2; uname -r' >"$temp/out" &&
		[ "$(sed -n 1,2p "$temp/out")" = "$(printf 'out\nerr')" ] &&
		[ ! -s "$temp/err" ]
}

test_status_other()
{
	expect 3 vm sh -c 'exit 3'
}

test_status_signal()
{
	# shellcheck disable=SC2016
	expect 139 vm sh -c 'kill -SEGV $$'
}

test_command_not_found()
{
	expect 127 vm no-such-program >"$temp/out" &&
		grep -q no-such-program "$temp/out"
}

test_arguments_are_exact()
{
	# shellcheck disable=SC2016
	SECMMU_SELFTEST='a  b' expect 0 vm --append secmmu.selftest=1 -- sh -c \
		'printf "[%s]" "$SECMMU_SELFTEST" "$@"; printf "\r\n\001\377"' \
		x 'two  words' '' "quote's" '--log' >"$temp/out" &&
	printf '[a  b][two  words][][quote'\''s][--log]\r\n\001\377' |
		cmp - "$temp/out"
}

test_root_and_files_back()
{
	local folder=$temp/back

	mkdir -p "$temp/tree/opt/deep"
	head -c 1000000 /dev/urandom >"$temp/tree/opt/deep/data"
	ln -s deep/data "$temp/tree/opt/link"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nmkdir -p $OUT/a/b && cp /opt/link $OUT/a/b/copy &&
		ln -s /etc/passwd $OUT/link && chmod 700 $OUT/a/b/copy\n' \
		>"$temp/tree/opt/run"
	chmod 755 "$temp/tree/opt/run"
	expect 0 vm --root "$temp/tree" --out "$folder" /opt/run &&
		cmp "$temp/tree/opt/deep/data" "$folder/a/b/copy" &&
		[ -x "$folder/a/b/copy" ] && [ ! -L "$folder/link" ]
}

test_leftover_processes()
{
	expect 0 vm sh -c '(trap "" TERM HUP; sleep 1000) & setsid sleep 1000 & :'
}

test_two_at_a_time()
{
	local first second

	"$testvm" -q --kernel "$kernel" --accel tcg --cpus 1 sh -c 'exit 5' \
		2>/dev/null &
	first=$!
	"$testvm" -q --kernel "$kernel" --accel tcg --cpus 1 sh -c 'exit 6' \
		2>/dev/null &
	second=$!
	expect 5 wait "$first" && expect 6 wait "$second"
}
