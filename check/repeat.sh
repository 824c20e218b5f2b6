#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does a deterministic test VM repeat itself? A storm and programs of the fuzzer run twice,
# once while the host has much else to do. What every processor ran must be the same, to the
# last block of code.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<END
usage: repeat.sh DIR
Needs the programs and the test build for 6.1 made. Prints "ok" and "not ok" lines; DIR gets
digests and consoles.
END
}

case ${1-} in
--help) usage; exit 0 ;;
'' | -*) usage >&2; exit 2 ;;
esac
mkdir -p "$1"
out=$(cd "$1" && pwd)
kernel=6.1
lib=/usr/lib/secmmu
status=0
busy=()

make_root "$out/root"
cp "$BUILD/fuzz/bin/secmmu-fuzz" "$out/root/usr/bin/"

begin_load()
{
	for _ in 1 2; do
		nice -n 5 sh -c 'while :; do :; done' &
		busy+=($!)
	done
}

end_load()
{
	kill "${busy[@]}"
	wait "${busy[@]}" 2> /dev/null || :
	busy=()
}
trap '[ ${#busy[@]} = 0 ] || end_load' EXIT

# run NAME COMMAND...: one run.
run()
{
	local name=$1

	shift
	"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --deterministic --memory 2048 \
		--root "$out/root" --load brd --append "brd.rd_nr=1 brd.rd_size=65536" \
		--module "$BUILD/modules/$kernel-test/driver/secmmu.ko" \
		--record "$out/$name" --log "$out/$name.console" -- "$@" \
		> "$out/$name.said" 2>&1
}

same()
{
	local idle=$out/$1.idle other=$out/$1.busy

	"$top/replay/digests.pl" "$idle/digest" "$other/digest" &&
		cmp "$idle.console" "$other.console" && cmp "$idle.said" "$other.said" &&
		grep -q '^over ' "$idle/digest"
}

# One block of the third million is another one.
difference_is_seen()
{
	local digest=$out/$1.idle/digest

	sed '3s/.$/x/' "$digest" > "$out/other"
	"$top/replay/digests.pl" "$digest" "$out/other" > "$out/parts" || :
	grep -q ' part between blocks 2000000 and 3000000$' "$out/parts"
}

# twice NAME COMMAND...
twice()
{
	local name=$1 failed=0

	shift
	run "$name.idle" "$@" || failed=$?
	begin_load
	run "$name.busy" "$@" || failed=$?
	end_load
	if [ $failed = 0 ] && same "$name"; then
		echo "ok - repeat, $name: $(sed -n 's/^over //p' "$out/$name.idle/digest")"
	else
		tail -n 20 "$out/$name".*.said
		echo "not ok - repeat, $name: status $failed"
		status=1
	fi
}

twice storm_and_fuzz sh -c "secmmu-vmm run --seconds 1 --seed 9 --refill --tags --domains --keys &&
	$lib/fuzz.sh none --seed 1 --programs 8 run"
if difference_is_seen storm_and_fuzz; then
	echo "ok - repeat, digests that differ are told from equal ones"
else
	echo "not ok - repeat, digests that differ pass for equal ones"
	status=1
fi
exit $status
