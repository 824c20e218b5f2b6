#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Shows that a normal build has nothing of what tests need: the driver builds without
# driver/test/ and mutants/, and with every use of driver/hooks.h cut out its machine code
# is that of the normal build. At most 45 lines use it.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${BUILD:-$top/build}
kernel=${1:-6.1}
bare=$BUILD/bare

usage()
{
	echo "usage: bare.sh [KERNEL]"
	echo "Compares the driver with a copy that has no hooks for tests, built for KERNEL."
}

case $kernel in
--help) usage; exit 0 ;;
-*) usage >&2; exit 2 ;;
esac

# Statements that are a hook become empty; lines stay, as warnings name them.
cut_hooks()
{
	perl -0pi -e '
		s{^\t+secmmu_(?:gate\w*|refresh|refresh_set|test_exit)\([^;]*\);}
		 {join "", ";", $& =~ /\n/g}gmex;
		s{^\tif \(secmmu_refresh_is_sync\(mirror\)\)$}{}gm;
		s{secmmu_test_call\(file, cmd, user\)}{-ENOTTY};
		s{SECMMU_TEST_FEATURES}{0};
		s{secmmu_patience\(\)}{SECMMU_PATIENCE}g;
		s{^#include "hooks\.h"$}{}m;
		s{^\tstruct secmmu_looked looked;$}{}m' "$@"
}

find_hooks()
{
	grep -hE 'secmmu_(gate|oracle|refresh|test_|patience\()|CONFIG_SECMMU_TEST' "$1"/*.[ch] |
		grep -v '^ \*'
}

# The lines of the driver outside driver/hooks.h that name a hook.
count_lines()
{
	for file in "$bare"/src/driver/*.[ch]; do
		diff "$file" "$top/driver/${file##*/}" || :
	done | grep -c '^>'
}

build_copy()
{
	BUILD=$bare "$top/testvm/kernels/module.sh" --from "$bare/src" "$kernel" normal \
		> /dev/null 2> "$bare/log" || { cat "$bare/log" >&2; return 1; }
}

# The code of all objects of a build.
print_code()
{
	(
		cd "$1"
		for object in *.o; do
			case $object in
			secmmu.o | secmmu.mod.o) continue ;;
			esac
			echo "== $object"
			objdump -dr --no-show-raw-insn "$object" | sed 1,3d
		done
	)
}

# Have two builds the same code? $bare/diff says where they differ.
same_code()
{
	print_code "$1" > "$bare/first"
	print_code "$2" > "$bare/second"
	diff "$bare/first" "$bare/second" > "$bare/diff"
}

say()
{
	echo "$1 - bare, $2"
	[ "$1" = ok ] || failed=1
}

failed=0
rm -rf "$bare/src"
mkdir -p "$bare/src"
cp -R "$top/driver" "$top/uapi" "$bare/src/"
rm -r "$bare/src/driver/test" "$bare/src/driver/hooks.h" "$bare/src/uapi/linux/secmmu_test.h"
cut_hooks "$bare"/src/driver/*.[ch]
if find_hooks "$bare/src/driver"; then
	say 'not ok' 'no hook is left in the copy'
else
	say ok 'no hook is left in the copy'
fi
count=$(count_lines)
if [ "$count" -gt 0 ] && [ "$count" -le 45 ]; then
	say ok "$count lines of the driver are hooks, at most 45"
else
	say 'not ok' "$count lines of the driver are hooks, at most 45"
fi
if find_hooks "$top/driver" > /dev/null; then
	say ok 'a hook that is left is noticed'
else
	say 'not ok' 'a hook that is left is noticed'
fi
"$top/testvm/kernels/module.sh" "$kernel" normal > /dev/null
if ! build_copy; then
	say 'not ok' "the driver builds without driver/test/, for $kernel"
	exit 1
fi
say ok "the driver builds without driver/test/, for $kernel"
if same_code "$BUILD/modules/$kernel-normal/driver" "$bare/modules/$kernel-normal/driver"; then
	say ok 'the machine code is that of the normal build'
else
	head -n 40 "$bare/diff"
	say 'not ok' 'the machine code is that of the normal build'
fi

# The comparison itself: one instruction too many must show.
sed -i 's/^\(\t\)trace_secmmu_event_begin(/\1asm volatile("nop");&/' "$bare/src/driver/chain.c"
build_copy
if same_code "$BUILD/modules/$kernel-normal/driver" "$bare/modules/$kernel-normal/driver"; then
	say 'not ok' 'an instruction too many is noticed'
else
	say ok 'an instruction too many is noticed'
fi
exit $failed
