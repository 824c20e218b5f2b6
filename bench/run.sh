#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run.sh GRID FILE [QUESTION ...]
#
# Runs the benchmarks that lie beside this script, all by default, and puts their
# results into FILE. GRID is full, quick or tiny. Needs the modules loaded, a POSIX
# shell, and time.
set -eu

if [ $# -lt 2 ]; then
	sed -n '4,9s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
dir=$(dirname "$0")
grid=$1
file=$2
shift 2
if [ $# -eq 0 ]; then
	# Names have no spaces.
	# shellcheck disable=SC2046
	set -- $(cat "$dir/questions")
fi

: > "$file"
for question; do
	if [ ! -x "$dir/$question" ]; then
		echo "run.sh: there is no benchmark '$question'" >&2
		exit 2
	fi
	"$dir/$question" --grid "$grid" --output "$file"
done
