#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
set -euo pipefail
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<-END
	Usage: models/models.sh [--list] [MODEL...]

	Checks the models of the driver's protocols, models/*.pml, all of
	them or those named: spin visits every state of each, "safe" for assertions and
	deadlocks, "live" for livelocks (under weak fairness if the head of the model
	says so). Each model is then broken in every way that it
	names (BROKEN_...), and spin must find an error each time.
	Prints one "ok - ..." or "not ok - ..." line each; exits with 0 if all are ok.

	Logs, with the way to the error for what was broken, and models.json are in
	build/models/. The litmus tests, models/litmus/*.litmus, are checked as well, by
	the kernel's model and by arm64's, by build/litmus/litmus. If LKMM=... names the folder tools/memory-model of a
	kernel source, herd7 is used instead for the kernel's, which must be installed.

	  --list    only list what would be checked
	  --help    this text
	END
}

# shellcheck disable=SC2154 # top is from common.sh
dir=$top/models
litmus=$top/models/litmus
out=$BUILD/models
list=

variants()
{
	grep -o 'BROKEN_[A-Z_]*' "$dir/$1.pml" | sed 's/^BROKEN_//' | sort -u
}

# What a run of spin has found, or what keeps it from being a proof; or nothing. What
# cannot be reached is a model that says less than it seems to; the ends of endless
# loops are.
objection()
{
	grep -m 1 -E '^pan:1:|^error:|max search depth too small|out of memory' "$1" ||
		grep -m 1 'Search not completed' "$1" ||
		{ grep '\.pml:[0-9]*, state' "$1" || :; } |
		sed -n '/"-end-"/!s/^[^:]*:\(.*\)/unreached: line \1/p' | head -n 1
}

# Build the model in this folder and run it: "safe" looks for assertions that fail
# and for processes that are stuck, "live" for cycles in which nothing is done.
# Prints what is wrong.
search()
{
	local what=$1 log=$2 flags=(-DSAFETY) options=(-m10000 -w20)
	shift 2

	if [ "$what" = live ]; then
		flags=(-DNP -DNOREACHED)
		options+=(-l)
		! grep -q '^ \* Weak fairness' model.pml || options+=(-f)
	fi
	# To compile with gcc takes longer than to run.
	if ! { spin "$@" -a model.pml &&
	       tcc -w "${flags[@]}" -DMEMLIM=1024 -o pan pan.c
	     } > "$log" 2>&1; then
		echo "does not build"
		return
	fi
	# The status says little: what was found is in the text.
	./pan "${options[@]}" >> "$log" 2>&1 || :
	[ ! -e model.pml.trail ] ||
		spin "$@" -t -p model.pml >> "$log" 2>&1 || :
	if ! grep -q 'errors: [01]$' "$log"; then
		echo "no result"
		return
	fi
	if [ "$what" = safe ]; then
		objection "$log"
	else
		objection "$log" | grep -v '^unreached' || :
	fi
}

# One model: "safe", "live", or a variant. Prints a result and adds to the JSON.
one()
{
	local model=$1 what=$2 name=$1-$2 started=$EPOCHREALTIME
	local log=$out/$1-$2.log found states took text verdict=ok flag

	mkdir -p "$out/$name"
	cd "$out/$name"
	cp "$dir/$model.pml" model.pml
	case $what in
	safe | live)
		found=$(search "$what" "$log")
		[ -z "$found" ] || verdict="not ok"
		;;
	*)
		flag=-DBROKEN_$what
		found=$(search safe "$log" "$flag")
		[[ $found = pan:1:* ]] || found=$(search live "$log" "$flag")
		[[ $found = pan:1:* ]] || verdict="not ok"
		;;
	esac
	states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$log")
	took=$(awk -v from="$started" -v to="$EPOCHREALTIME" \
		'BEGIN { printf "%.1f", to - from }')
	case $verdict-$what in
	ok-safe) text="model $model: $states states, $took s" ;;
	ok-live) text="model $model: no livelock, $states states, $took s" ;;
	ok-*) text="model $model finds $what" ;;
	*-safe | *-live) text="model $model: $found, see $log" ;;
	*) text="model $model does not find $what (${found:-no error}), see $log" ;;
	esac
	printf '{"model":"%s","what":"%s","ok":%s,"found":"%s","states":%s,"seconds":%s}\n' \
		"$model" "$what" "$([ "$verdict" = ok ] && echo true || echo false)" \
		"${found//[\"\\]/}" "${states:-null}" "$took" > "$out/$name.json"
	echo "$verdict - $text"
	rm -rf "${out:?}/$name"
}

# What a litmus test $2 gives by model $1, by herd7 or by the project's own checker.
observe()
{
	if [ "$1" = arm64 ]; then
		"$BUILD/litmus/litmus" --arm64 "$2"
	elif [ "${LKMM-}" ]; then
		(cd "$LKMM" && herd7 -conf linux-kernel.cfg "$2")
	else
		"$BUILD/litmus/litmus" "$2"
	fi
}

# Litmus test $2 by model $1, kernel or arm64, against the result that it states for itself.
one_litmus()
{
	local name want got='' log

	name=$(basename "$2" .litmus)
	[ "$1" = kernel ] || name+=", $1"
	log="$out/litmus-${name/, /-}.log"
	want=$(sed -n 's/^ \* Result: //p' "$2")
	[ "$1" = kernel ] || got=$(sed -n 's/^ \* On arm64: //p' "$2")
	want=${got:-$want}
	observe "$1" "$2" > "$log" 2>&1 || :
	got=$(sed -n 's/^Observation [^ ]* \([A-Z][a-z]*\) .*/\1/p' "$log")
	if [ -n "$got" ] && [ "$got" = "$want" ]; then
		echo "ok - litmus $name: $got"
	else
		echo "not ok - litmus $name: ${got:-no result}, not $want"
	fi
}

# All of them: the driver's, and those that try the checker.
run_litmus()
{
	local file model

	for file in "$litmus"/*.litmus "$top"/models/checker/shapes/*.litmus; do
		for model in kernel arm64; do
			one_litmus $model "$file"
		done
	done
}

case ${1:-} in
--help)
	usage
	exit 0
	;;
--list)
	list=yes
	shift
	;;
--one)
	shift
	one "$@"
	exit 0
	;;
-*)
	echo "models: unknown option $1; see --help" >&2
	exit 2
	;;
esac
if [ $# -eq 0 ]; then
	set -- "$dir"/*.pml
	set -- "${@##*/}"
	set -- "${@%.pml}"
fi
for model; do
	if [ ! -e "$dir/$model.pml" ]; then
		echo "models: there is no model \"$model\"; see --list" >&2
		exit 2
	fi
	[ -n "$(variants "$model")" ] || {
		echo "models: $model.pml names no way to break it" >&2
		exit 1
	}
done
# The unbroken ones first, for they take longest.
jobs=$(for model; do printf '%s live\n%s safe\n' "$model" "$model"; done
	for model; do variants "$model" | sed "s/^/$model /"; done)
if [ -n "$list" ]; then
	echo "$jobs"
	exit 0
fi

own_folder "$out"
"$top/check/setup.sh"
make -s -C "$top/models/checker" BUILD="$BUILD"
rm -rf "$out"
mkdir -p "$out"
{
	xargs -P "$(nproc)" -L 1 "$0" --one <<< "$jobs"
	run_litmus
} | tee "$out/results"
{
	printf '{ "version": "%s", "kernel": "%s", "results": [\n' \
		"$("$top/lib/version.sh")" "$(uname -r)"
	cat "$out"/*.json | sed '$!s/$/,/'
	echo '] }'
} > "$out/models.json.new"
rm "$out"/*.json
mv "$out/models.json.new" "$out/models.json"
! grep -q '^not ok' "$out/results" &&
	[ "$(grep -c '^ok - model' "$out/results")" = "$(wc -l <<< "$jobs")" ]
