#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Check the seeded bugs: that their patches fit the driver and say where they land.
set -euo pipefail

usage()
{
	cat <<END
usage: check.sh [--only-patches]
Checks that each patch of the series applies to the driver without fuzz and lands in the
functions that its header names; that headers are whole, series and files agree, the
properties are those of Documentation/testing.rst, and Documentation/mutants.rst is what
the headers say; and that the driver itself has no seeded bug. Then sees itself fail with
patches that are wrong. --only-patches leaves that out. Prints "ok" and "not ok" lines.
END
}

only=
case "${1-}" in
'') ;;
--help) usage; exit 0 ;;
--only-patches) only=1 ;;
*) usage >&2; exit 2 ;;
esac
top=$(cd "$(dirname "$0")/.." && pwd)
# The test of this script has its own of these.
mutants=${MUTANTS:-$top/mutants}
catalogue=$top/mutants/catalogue.pl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

say()
{
	if [ "$2" = 0 ]; then
		echo "ok - patches, $1"
	else
		echo "not ok - patches, $1"
		failed=1
	fi
}

# Each patch, in order, on what the ones before it have left.
lands()
{
	local name functions found bad=0

	cp -R "$top/driver" "$work/driver"
	while IFS=$'\t' read -r name _ _ _ _ functions; do
		if ! patch -d "$work" -p1 -F0 -s -f --no-backup-if-mismatch -r - \
			< "$mutants/patches/$name.patch" > "$work/log" 2>&1; then
			sed 's/^/# /' "$work/log"
			echo "# $name does not apply: make mutants-refresh"
			bad=1
			continue
		fi
		found=$(perl "$catalogue" functions "$work" "$mutants/patches/$name.patch")
		if [ "$found" != "$functions" ]; then
			echo "# $name lands in $found, not in $functions"
			bad=1
		fi
	done < "$work/list"
	return $bad
}

# Numbers of the list at the end of testing.rst, "1." below "A. Notifier chain".
properties()
{
	awk '
		/^Properties$/ { on = 1 }
		on && /^[A-Z]\. / { letter = substr($1, 1, 1) }
		on && letter && /^[0-9]+\. / { print letter ($1 + 0) }
		' "$top/Documentation/testing.rst"
}

known()
{
	local name property bad=0

	properties > "$work/properties"
	while IFS=$'\t' read -r name property _; do
		grep -qx "$property" "$work/properties" && continue
		echo "# $name: testing.rst has no property $property"
		bad=1
	done < "$work/list"
	return $bad
}

clean()
{
	! grep -n 'secmmu_mutant' "$top"/driver/*.[ch] "$top"/driver/compat/*.h
}

check_patches()
{
	local status=0

	perl "$catalogue" list "$mutants" > "$work/list" 2> "$work/log" || status=1
	sed 's/^/# /' "$work/log"
	say "headers and series" $status
	status=0
	lands || status=1
	say "each lands where it says" $status
	status=0
	known || status=1
	say "properties" $status
}

# With wrong patches, of which a line must tell.
try()
{
	local name=$1 line=$2 status=0

	MUTANTS=$work/mutants "$0" --only-patches > "$work/said" 2>&1 || status=$?
	if [ $status = 1 ] && grep -qE -- "$line" "$work/said"; then
		say "$name is noticed" 0
	else
		cat "$work/said"
		say "$name is noticed" 1
	fi
	copy
}

copy()
{
	rm -rf "$work/mutants"
	mkdir -p "$work/mutants/patches"
	cp "$mutants"/patches/*.patch "$work/mutants/patches/"
	cp "$mutants/series" "$work/mutants/"
}

check_patches
[ ! "$only" ] || exit $failed
status=0
clean || status=1
say "the driver has no seeded bug" $status
status=0
perl "$catalogue" rst "$mutants" | diff - "$top/Documentation/mutants.rst" || status=1
say "Documentation/mutants.rst" $status

copy
sed -i 's/^Function: .*/Function: main/' "$work/mutants/patches/torn-registration.patch"
try "a wrong function" 'torn-registration lands in walk_round, not in main'
sed -i '/^Killer:/d' "$work/mutants/patches/hit-latest.patch"
try "a header that lacks a line" 'hit-latest.patch: the header must have'
sed -i 's/^Property: .*/Property: A99/' "$work/mutants/patches/hit-latest.patch"
try "an unknown property" 'testing.rst has no property A99'
sed -i '0,/^ \t.*/s//&changed/' "$work/mutants/patches/hit-latest.patch"
try "a patch that does not fit" 'hit-latest does not apply: make mutants-refresh'
rm "$work/mutants/patches/hit-latest.patch"
try "a missing patch" 'there is no hit-latest.patch'
sed -i '/^hit-latest$/d' "$work/mutants/series"
try "a patch out of the series" 'hit-latest.patch is not in the series'
exit $failed
