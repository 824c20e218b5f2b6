#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Copy the driver with all seeded bugs in it, for test builds.
set -eu

usage()
{
	cat <<END
usage: apply.sh DIR
Puts the sources of the driver into DIR/driver, with the patches of the series applied,
and the interface into DIR/uapi. What would be the same stays as it is, with its time.
A patch that applies only with fuzz is refused.
END
}

case "${1-}" in
--help) usage; exit 0 ;;
'' | -*) usage >&2; exit 2 ;;
esac
top=$(cd "$(dirname "$0")/.." && pwd)
# The test of the patches, check.sh, has its own of these.
mutants=${MUTANTS:-$top/mutants}
dir=$1
new=$dir/new

mkdir -p "$dir"
exec 8>"$dir/lock"
flock 8

sources()
{
	find driver uapi -name '*.mod.c' -prune -o -type f \
		\( -name '*.[ch]' -o -name '*.def' -o -name Makefile \) -print | sort
}

cd "$top"
state=$(sources | xargs sha256sum && cat "$mutants"/series "$mutants"/patches/*.patch "$0" \
	"$top/mutants/catalogue.pl" | sha256sum)
if [ -e "$dir/state" ] && [ "$state" = "$(cat "$dir/state")" ]; then
	exit 0
fi
rm -rf "$dir/state" "$new"
mkdir -p "$new"
sources | xargs cp --parents -t "$new"
perl "$top/mutants/catalogue.pl" def "$mutants" > "$dir/def"
mv "$dir/def" "$new/driver/test/mutants.def"
grep -v '^#' "$mutants/series" | while read -r name; do
	[ "$name" ] || continue
	if ! patch -d "$new" -p1 -F0 -s -f --no-backup-if-mismatch -r - \
		< "$mutants/patches/$name.patch" > "$dir/log" 2>&1; then
		cat "$dir/log" >&2
		echo "mutants: $name.patch does not apply to the driver any more:" \
			"make mutants-refresh" >&2
		exit 1
	fi
done
for part in driver uapi; do
	mkdir -p "$dir/$part"
	(cd "$dir" && find "$part" -type f) | while read -r file; do
		[ -e "$new/$file" ] || rm "$dir/$file"
	done
done
(cd "$new" && find driver uapi -type f) | while read -r file; do
	cmp -s "$new/$file" "$dir/$file" && continue
	mkdir -p "$dir/${file%/*}"
	cp "$new/$file" "$dir/$file"
done
rm -rf "$new"
echo "$state" > "$dir/state"
