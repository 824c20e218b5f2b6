#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The patches for kernels, in judge/sensitivity/ and found/, apply to the sources they are for.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<END
usage: patches.sh
Sees that each patch in judge/sensitivity/patches/ applies to the source of the kernel that its
header names, and those in found/patches/, one on top of the other, to that of 7.3; without
fuzz. Then each must be refused once one of its lines is another. Builds nothing. Prints "ok"
and "not ok" lines; the exit status is 1 if a patch does not apply.
END
}

case "${1-}" in
'') ;;
--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# Applies patch $2 to what it changes in folder $1, a copy of a source; files that the copy does
# not have yet come from source $3. Behind that, an option of patch.
apply_patch()
{
	local file

	sed -n 's|^--- a/||p' "$2" | while read -r file; do
		[ ! -e "$1/$file" ] || continue
		mkdir -p "$1/${file%/*}"
		cp "$3/$file" "$1/$file"
	done
	patch -d "$1" -p1 -s -f -F0 --no-backup-if-mismatch -r - ${4:+"$4"} \
		< "$2" > "$work/said" 2>&1
}

# The patch $1 with another word in the first line that its first hunk expects to find.
spoil()
{
	awk '/^@@/ { hunk = 1 }
		hunk && !done && /^[- ].*[a-z]/ { $0 = $0 " spoilt"; done = 1 }
		{ print }' "$1"
}

# Patch $2 onto folder $1, whose files come from source $3 of kernel $4, and a spoilt one before.
check_patch()
{
	local name=${2#"$top/"}

	if spoil "$2" > "$work/spoilt" && apply_patch "$1" "$work/spoilt" "$3" --dry-run; then
		echo "not ok - $name applies to $4 even if a line of it is another"
		failed=1
	fi
	if apply_patch "$1" "$2" "$3"; then
		echo "ok - $name applies to $4"
	else
		sed 's/^/# /' "$work/said"
		echo "not ok - $name does not apply to $4"
		failed=1
	fi
}

for patch in "$top"/judge/sensitivity/patches/*.patch; do
	# Without a change it is a description.
	grep -q '^--- ' "$patch" || continue
	kernel=$(sed -n '/^--- /q; s/^Kernel: *//p' "$patch")
	# That is built from this source; kernel.sh sees when it is not any more.
	kernel=${kernel/newest/7.3}
	source=$("$top/testvm/kernels/kernel.sh" --source "$kernel")
	rm -rf "$work/tree"
	check_patch "$work/tree" "$patch" "$source" "$kernel"
done
source=$("$top/testvm/kernels/kernel.sh" --source 7.3)
rm -rf "$work/tree"
for patch in "$top"/found/patches/*.patch; do
	check_patch "$work/tree" "$patch" "$source" 7.3
done
exit "$failed"
