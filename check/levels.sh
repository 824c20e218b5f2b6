#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: levels.sh. Does the driver include only downwards, as driver/Makefile lists its objects, and is each
# of its files once in the map of Documentation/design.rst?
set -eu

case $* in
'') ;;
--help) sed -n '3,4s/^# //p' "$0"; exit 0 ;;
*) sed -n '3,4s/^# //p' "$0" >&2; exit 2 ;;
esac
top=$(cd "$(dirname "$0")/.." && pwd)
map=$top/Documentation/design.rst
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Judge the driver in folder $1. A line "secmmu-y += ..." of its Makefile is a level; headers
# without an object, as limits.h, are below all. Headers of subfolders are not judged.
judge()
{
	(cd "$1" && grep '^#include "[^/]*"' ./*.[ch]) | awk '
		function noun(file) { sub(/^\.\//, "", file); sub(/\.[cho]$/, "", file); return file }
		NR == FNR && /^secmmu-y / {
			levels++
			for (i = 3; i <= NF; i++)
				level[noun($i)] = levels
		}
		NR == FNR { next }
		{
			split($0, part, /[:"]/)
			seen++
			if (level[noun(part[1])] >= level[noun(part[3])])
				next
			print part[1] " includes " part[3] ", which is above it"
			wrong = 1
		}
		END { exit wrong || levels < 10 || seen < 50 }' "$1/Makefile" -
}

# The map names "record" for record.c and record.h, "limits.h" for a header alone.
in_map()
{
	missing=0
	for file in "$top"/driver/*.[ch]; do
		name=${file##*/}
		[ "$(grep -Ec "^\`\`(${name%.*}|$name)\`\` " "$map")" = 1 ] && continue
		echo "the map has to name driver/$name once"
		missing=1
	done
	return $missing
}

judge "$top/driver"
in_map
# The check itself: one include too many must show.
cp "$top"/driver/*.[ch] "$top/driver/Makefile" "$work"
echo '#include "engine.h"' >> "$work/record.c"
if judge "$work" > "$work/log"; then
	echo "levels.sh did not notice that record.c includes engine.h"
	exit 1
fi
grep -q 'record.c includes engine.h' "$work/log"
