#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Carry the seeded bugs over a driver that has changed.
set -eu

usage()
{
	cat <<END
usage: refresh.sh
Applies each patch of the series, with fuzz if it takes some, and writes it anew: the
lines around its hunks, their numbers, and the functions that its header names; it tells
where these have changed. Then writes Documentation/mutants.rst. "git diff mutants" shows
what it has done. Fails if patches do not apply, and names them; they stay as they are, for
you to mend.
END
}

case "${1-}" in
--help) usage; exit 0 ;;
'') ;;
*) usage >&2; exit 2 ;;
esac
top=$(cd "$(dirname "$0")/.." && pwd)
# The test of the patches, check.sh, has its own of these.
mutants=${MUTANTS:-$top/mutants}
catalogue=$top/mutants/catalogue.pl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/a"
cp -R "${DRIVER:-$top/driver}" "$work/a/driver"

# The files that a patch changes.
files_of()
{
	sed -n 's,^+++ b/\([^[:space:]]*\).*,\1,p' "$1"
}

apply_patch()
{
	patch -d "$work/b" -p1 "$@" -s -f --no-backup-if-mismatch -r - \
		< "$mutants/patches/$name.patch" > "$work/log" 2>&1
}

rm -f "$work/failed"
cp -R "$work/a" "$work/b"
# Names have no spaces.
# shellcheck disable=SC2013
for name in $(grep -v '^#' "$mutants/series"); do
	files=$(files_of "$mutants/patches/$name.patch")
	if ! apply_patch -F0 --dry-run && ! apply_patch -F2 --dry-run; then
		sed "s/^/$name: /" "$work/log" >&2
		echo "$name" >> "$work/failed"
		continue
	fi
	apply_patch -F2
	for file in $files; do
		diff -U2 -p --label "a/$file" --label "b/$file" \
			"$work/a/$file" "$work/b/$file" || :
		cp "$work/b/$file" "$work/a/$file"
	done > "$work/diff"
	was=$(sed -n 's/^Function: //p' "$mutants/patches/$name.patch")
	now=$(perl "$catalogue" functions "$work/b" "$work/diff")
	[ "$was" = "$now" ] || [ "$was" = '?' ] ||
		echo "$name: it lands in $now, and did in $was: see that it is the same bug"
	perl "$catalogue" header "$mutants" "$name" "$now" > "$work/patch"
	{ echo; cat "$work/diff"; } >> "$work/patch"
	if ! cmp -s "$work/patch" "$mutants/patches/$name.patch"; then
		echo "$name: written anew"
		cp "$work/patch" "$mutants/patches/$name.patch"
	fi
done
if [ "$mutants" = "$top/mutants" ]; then
	perl "$catalogue" rst "$mutants" > "$work/rst"
	cmp -s "$work/rst" "$top/Documentation/mutants.rst" ||
		cp "$work/rst" "$top/Documentation/mutants.rst"
fi
[ -e "$work/failed" ] || exit 0
echo "mutants: these patches need a hand: $(tr '\n' ' ' < "$work/failed")" >&2
exit 1
