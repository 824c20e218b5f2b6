#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One task of a campaign: what a queue starts.
set -u

usage()
{
	cat <<END
usage: task.sh LIST N
Runs the task of line N of LIST, a file of campaign.sh, and leaves result.json in the task's
own folder, whole or not at all. A task that has a result is not run again. Exit status 0:
it has a result now; 75: another process runs it; 123: the emulation froze, run it again; 130
and others above: it was interrupted, without a result.
END
}

case $#,${1-} in
1,--help) usage; exit 0 ;;
2,-*) usage >&2; exit 2 ;;
2,*) ;;
*) usage >&2; exit 2 ;;
esac

# As often the emulation may freeze.
most=5
src=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$src")
read -r task seed words < <(sed -n "$2p" "$1")
if [ ! "${words-}" ]; then
	echo "task: $1 has no task in line $2" >&2
	exit 2
fi
run=$root/results/$task/$seed
host=${SLURMD_NODENAME:-$(hostname)}
child='' signal=

# The process group of the task, with its VM.
# shellcheck disable=SC2317 # a trap calls it
end_task()
{
	signal=$1
	[ ! "$child" ] || kill -TERM -- "-$child" 2> /dev/null
}

# What exit status $1 of a task means; nothing: it has come to no result.
verdict_of()
{
	case $1 in
	0) echo pass ;;
	2 | 3 | 126 | 127) echo error ;;
	123) [ "$tries" -lt $most ] || echo frozen ;;
	129 | 130 | 137 | 143) ;;
	*) echo fail ;;
	esac
}

write_result()
{
	perl -MJSON::PP -e '
		my %result;
		@result{qw(task seed command verdict status tries host began seconds said)} = @ARGV;
		$result{$_} += 0 for qw(seed status tries began seconds);
		print JSON::PP->new->canonical->encode(\%result), "\n"' \
		"$task" "$seed" "$words" "$verdict" "$status" "$tries" "$host" "$began" $((EPOCHSECONDS - began)) \
		"$(grep -a . "$run/log" | tail -n 1 | cut -c -300)" > "$run/result.new" &&
		mv "$run/result.new" "$run/result.json"
}

mkdir -p "$run"
exec 8> "$run/lock"
# The tasks of a node that died have a lock until the file server notices.
if ! flock -w "${CAMPAIGN_PATIENCE:-100}" 8; then
	echo "task: another process runs $task $seed" >&2
	exit 75
fi
[ ! -e "$run/result.json" ] || exit 0
tries=$(($(cat "$run/tries" 2> /dev/null || echo 0) + 1))
echo $tries > "$run/tries"
began=$EPOCHSECONDS
cd "$src" || exit 2
for name in INT TERM HUP; do
	# shellcheck disable=SC2064 # the name of now
	trap "end_task $name" $name
done
read -ra command <<< "$words"
set -m
BUILD=$src/build "${command[@]}" --out "$run/out" < /dev/null > "$run/log" 2>&1 &
child=$!
set +m
status=0
wait $child || status=$?
# A signal ends the waiting, not the task.
while kill -0 $child 2> /dev/null; do
	wait $child
	status=$?
done
if [ "$signal" ]; then
	echo "task: $task $seed was interrupted" >&2
	exit 143
fi
verdict=$(verdict_of $status)
if [ "$verdict" ]; then
	write_result || exit 2
	echo "$verdict - $task $seed, $((EPOCHSECONDS - began)) s on $host"
	exit 0
fi
echo "again - $task $seed, status $status on $host"
# Slurm ends this script, then.
[ "$status" != 123 ] || [ ! "${SLURM_JOB_ID-}" ] || scontrol requeue "$SLURM_JOB_ID"
exit $status
