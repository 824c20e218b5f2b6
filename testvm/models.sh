#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
set -euo pipefail
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<-END
	Usage: testvm/models.sh [--list] [MODEL...]

	Checks the models of the driver's protocols, Documentation/models/*.pml, all of
	them or those named: spin visits every state of each. Each model is then broken
	in every way that it names (BROKEN_...), and spin must find each of these.
	Prints one "ok - ..." or "not ok - ..." line each; exits with 0 if all are ok.

	Logs, with the way to the error for what was broken, and models.json are in
	build/models/. Where herd7 is installed, Documentation/litmus/*.litmus are
	checked as well; LKMM=... names the folder tools/memory-model of a kernel source.

	  --list    only list models and their variants
	  --help    this text
	END
}

dir=$top/Documentation/models
litmus=$top/Documentation/litmus
out=$BUILD/models
list=

variants()
{
	grep -o 'BROKEN_[A-Z_]*' "$dir/$1.pml" | sed 's/^BROKEN_//' | sort -u
}

# The first of the things that make a run of the unbroken model no proof, or nothing.
# What cannot be reached is a model that says less than it seems to; the ends of
# endless loops are.
objection()
{
	local log=$1

	grep -m 1 -E '^pan:1:|^error:|max search depth too small|out of memory' "$log" ||
		grep -m 1 'Search not completed' "$log" ||
		{ grep '\.pml:[0-9]*, state' "$log" || :; } |
		sed -n '/"-end-"/!s/^[^:]*:\(.*\)/unreached: line \1/p' | head -n 1
}

# One model and variant, or "-" for none: prints a result, adds to the JSON.
one()
{
	local model=$1 variant=$2 name=$1 started=$EPOCHREALTIME
	local flags=() optimize=-O1 work log found states took verdict=ok text

	if [ "$variant" != - ]; then
		name=$model-$variant
		flags=("-DBROKEN_$variant")
		optimize=-O0	# these end early
	fi
	work=$out/$name log=$out/$name.log
	mkdir -p "$work"
	cd "$work"
	cp "$dir/$model.pml" .
	if ! { spin "${flags[@]}" -a "$model.pml" &&
	       gcc -w $optimize -DSAFETY -DMEMLIM=1024 -o pan pan.c; } > "$log" 2>&1; then
		echo "not ok - model $name: does not build, see $log"
		return
	fi
	# The status says little: what was found is in the text.
	./pan -m1000000 >> "$log" 2>&1 || :
	states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$log")
	found=$(objection "$log")
	took=$(awk -v from="$started" -v to="$EPOCHREALTIME" \
		'BEGIN { printf "%.1f", to - from }')
	if [ "$variant" = - ]; then
		text="model $name: ${states:-no} states, $took s"
		if [ -n "$found" ] || ! grep -q 'errors: 0$' "$log"; then
			verdict="not ok"
			text="model $name: ${found:-no result}, see $log"
		fi
	else
		text="model $model finds $variant"
		case $found in
		*"assertion violated"* | *"invalid end state"*) ;;
		*)
			verdict="not ok"
			text="model $model does not find $variant, see $log"
			;;
		esac
	fi
	[ ! -e "$model.pml.trail" ] ||
		spin "${flags[@]}" -t -p "$model.pml" >> "$log" 2>&1 || :
	printf '{"model":"%s","variant":"%s","ok":%s,"found":"%s","states":%s,"seconds":%s}\n' \
		"$model" "${variant#-}" "$([ "$verdict" = ok ] && echo true || echo false)" \
		"$(tr -d '"\\' <<< "$found")" "${states:-null}" "$took" > "$work.json"
	echo "$verdict - $text"
	cd "$out"
	rm -rf "$work"
}

# The litmus tests, against the result each states for itself.
run_litmus()
{
	local file name want got

	if ! command -v herd7 > /dev/null; then
		echo "note: litmus tests not run: no herd7"
		return
	fi
	if [ ! -e "${LKMM:-}/linux-kernel.cfg" ]; then
		echo "note: litmus tests not run: LKMM does not name a tools/memory-model"
		return
	fi
	for file in "$litmus"/*.litmus; do
		name=$(basename "$file" .litmus)
		want=$(sed -n 's/^ \* Result: //p' "$file")
		(cd "$LKMM" && herd7 -conf linux-kernel.cfg "$file") \
			> "$out/litmus-$name.log" 2>&1 || :
		got=$(sed -n 's/^Observation [^ ]* \([A-Z][a-z]*\) .*/\1/p' \
			"$out/litmus-$name.log")
		if [ -n "$got" ] && [ "$got" = "$want" ]; then
			echo "ok - litmus $name: $got"
		else
			echo "not ok - litmus $name: ${got:-no result}, not $want"
		fi
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
[ $# -gt 0 ] || set -- $(cd "$dir" && ls -- *.pml | sed 's/\.pml$//')
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
jobs=$(for model; do echo "$model -"; done
	for model; do variants "$model" | sed "s/^/$model /"; done)
if [ -n "$list" ]; then
	sed 's/ -$//' <<< "$jobs"
	exit 0
fi

"$top/testvm/setup.sh"
rm -rf "$out"
mkdir -p "$out"
{
	xargs -P "$(nproc)" -L 1 "$0" --one <<< "$jobs"
	run_litmus
} | tee "$out/results"
{
	echo '['
	cat "$out"/*.json | sed '$!s/$/,/'
	echo ']'
} > "$out/models.json.new"
rm "$out"/*.json
mv "$out/models.json.new" "$out/models.json"
! grep -q '^not ok' "$out/results" &&
	[ "$(grep -c '^ok - model' "$out/results")" = "$(wc -l <<< "$jobs")" ]
