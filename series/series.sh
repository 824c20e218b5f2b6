#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make series: the driver as patches against a kernel tree.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: series.sh [--tap]
Makes a series of patches against 7.3 in build/series/patches: the interface, the driver in
five parts, KUnit suites, selftests, documentation, without what older kernels need and
without the instruments of test builds. Then checks it: each patch must apply and build, and
checkpatch must say nothing. --tap prints "ok" and "not ok" lines.
END
}

tap=
case $* in
'') ;;
--tap) tap=1 ;;
--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac
out=$BUILD/series
tree=$out/tree
own_folder "$out"
driver=drivers/misc/secmmu
tests=tools/testing/selftests/secmmu
docs=Documentation/misc-devices/secmmu
status=0

in_tree()
{
	git -C "$tree" -c user.name="$author" -c user.email="$address" "$@"
}

# --- The tree ----------------------------------------------------------------------------

# What the series changes of the kernel's files, as a first commit.
make_base()
{
	local file source=$1

	rm -rf "$tree" "$out/patches"
	mkdir -p "$tree"
	for file in MAINTAINERS drivers/misc/Kconfig drivers/misc/Makefile \
		Documentation/misc-devices/index.rst tools/testing/selftests/Makefile \
		Documentation/userspace-api/ioctl/ioctl-number.rst; do
		mkdir -p "$(dirname "$tree/$file")"
		cp "$source/$file" "$tree/$file"
	done
	git init -q "$tree"
	in_tree add -A
	in_tree commit -q -m "Linux $(cat "$source/version")"
}

# Insert the lines of stdin into file $1 of the tree, before the first line that matches $2.
insert_before()
{
	cat > "$out/lines"
	perl -e 'my ($name, $form, $lines) = @ARGV;
		open my $file, "<", $name or die "$name: $!\n";
		my @all = <$file>;
		my ($at) = grep { $all[$_] =~ /$form/ } 0 .. $#all;
		defined $at or die "$name has no line like $form\n";
		open my $more, "<", $lines or die "$lines: $!\n";
		splice @all, $at, 0, <$more>;
		open $file, ">", $name or die "$name: $!\n";
		print $file @all' "$tree/$1" "$2" "$out/lines"
}

# One more line of the entry in MAINTAINERS, which are in order.
maintain()
{
	perl -0pi -e 'BEGIN { our $path = shift }
		s{^(SECMMU SECONDARY MMU\n(?:[A-EG-Z]:.*\n)*)((?:F:.*\n)*)}
		 {$1 . join "", sort split(/^/, $2), "F:\t$path\n"}em' "$1" "$tree/MAINTAINERS"
}

# Commit what is there as patch $1 of messages.
commit()
{
	in_tree add -A
	awk -v name="$1" '/^== / { here = $2 == name; sub(/^== [^ ]+ /, "") } here' \
		"$top/series/messages" | fmt -w 74 | in_tree commit -q -s -F -
}

# --- The patches ----------------------------------------------------------------------------

add_uapi()
{
	mkdir -p "$tree/include/uapi/linux"
	cp "$top/uapi/linux/secmmu.h" "$tree/include/uapi/linux/"
	insert_before Documentation/userspace-api/ioctl/ioctl-number.rst '^0xB6 ' \
		<<< '0xB5  00-2F  uapi/linux/secmmu.h                                        secondary MMU in software'
	{ cat "$top/series/MAINTAINERS"; echo; } | insert_before MAINTAINERS '^SECO '
	maintain include/uapi/linux/secmmu.h
	commit uapi
}

# File $1 of the driver, and the headers that it includes.
add_file()
{
	local header name=$1

	[ ! -e "$tree/$driver/$name" ] || return 0
	if [ ! -e "$top/driver/$name" ]; then
		[ -e "$top/driver/compat/$name" ] || return 0
		"$top/series/convert.pl" "$top/driver/compat/$name" > "$tree/$driver/$name"
		return
	fi
	"$top/series/convert.pl" "$top/driver/$name" > "$tree/$driver/$name"
	sed -n 's/^#include "\(.*\)"/\1/p' "$tree/$driver/$name" | while read -r header; do
		add_file "$header"
	done
}

# Patch $1: objects of the driver.
add_objects()
{
	local name=$1 object
	shift
	mkdir -p "$tree/$driver"
	if [ ! -e "$tree/$driver/Makefile" ]; then
		sed '/^config SECMMU_TEST/,$d' "$top/driver/Kconfig" |
			sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' > "$tree/$driver/Kconfig"
		# shellcheck disable=SC2016 # make's
		printf '%s\n' '# SPDX-License-Identifier: GPL-2.0' 'obj-$(CONFIG_SECMMU) += secmmu.o' '' \
			'ccflags-y += -I$(src)' '' > "$tree/$driver/Makefile"
		# shellcheck disable=SC2016 # make's
		echo 'obj-$(CONFIG_SECMMU)		+= secmmu/' >> "$tree/drivers/misc/Makefile"
		echo 'source "drivers/misc/secmmu/Kconfig"' |
			insert_before drivers/misc/Kconfig '^endmenu'
		maintain "$driver/"
	fi
	for object; do
		add_file "$object.c"
		add_file "$object.h"
		echo "secmmu-y += $object.o" >> "$tree/$driver/Makefile"
	done
	commit "$name"
}

add_kunit()
{
	local file

	mkdir -p "$tree/$driver/tests"
	{ echo; sed -n '/^config SECMMU_KUNIT_TEST/,$p' "$top/driver/Kconfig"; } >> "$tree/$driver/Kconfig"
	cp "$top/driver/.kunitconfig" "$tree/$driver/"
	echo >> "$tree/$driver/Makefile"
	for file in "$top"/driver/test/*_kunit.[ch]; do
		# Of an instrument of test builds.
		[[ $file != */delay_kunit.c ]] || continue
		cp "$file" "$tree/$driver/tests/"
		# shellcheck disable=SC2016 # make's
		[[ $file = *.h ]] ||
			echo "secmmu-\$(CONFIG_SECMMU_KUNIT_TEST) += tests/$(basename "$file" .c).o" \
			>> "$tree/$driver/Makefile"
	done
	commit kunit
}

# Tests that need no instrument of test builds, and no other process to help them.
plain_tests()
{
	local file

	for file in "$top"/selftests/*.c; do
		grep -qE '^#include "secmmu_(gates|actor|player|outsider|fail)\.h"' "$file" ||
			basename "$file" .c
	done | grep -vx unload
}

add_selftests()
{
	local name

	mkdir -p "$tree/$tests/lib"
	for name in $(plain_tests); do
		cp "$top/selftests/$name.c" "$tree/$tests/"
	done
	cp "$top"/selftests/lib/secmmu_{test,sys,group}.[ch] "$top/selftests/lib/secmmu_harness.h" \
		"$top"/lib/client.[ch] "$top/lib/inside.h" "$tree/$tests/lib/"
	cp "$top/selftests/config" "$top/selftests/settings" "$tree/$tests/"
	{ sed '/^TEST_GEN_PROGS/,$d' "$top/series/selftests.mk"
		plain_tests | sed 's/^/TEST_GEN_PROGS += /'
		sed '1,/^TEST_GEN_PROGS/d' "$top/series/selftests.mk"; } > "$tree/$tests/Makefile"
	plain_tests > "$tree/$tests/.gitignore"
	sed -i '1i # SPDX-License-Identifier: GPL-2.0-only' "$tree/$tests/.gitignore"
	echo 'TARGETS += secmmu' | insert_before tools/testing/selftests/Makefile '^TARGETS \+= sgx'
	maintain "$tests/"
	commit selftests
}

add_docs()
{
	mkdir -p "$tree/$docs"
	cp "$top"/Documentation/{design,locking}.rst "$tree/$docs/"
	cat > "$tree/$docs/index.rst" <<-'END'
		.. SPDX-License-Identifier: GPL-2.0

		==================
		The secmmu driver
		==================

		.. toctree::

		   design
		   locking

		.. kernel-doc:: include/uapi/linux/secmmu.h
	END
	echo '   secmmu/index' | insert_before Documentation/misc-devices/index.rst '^   spear-pcie'
	maintain "$docs/"
	commit docs
}

# --- The checks -----------------------------------------------------------------------------

say_result()
{
	echo "$1 - series, $2"
	[ "$1" = ok ] || status=1
}

# The objects of the driver at the commit that is checked out.
build_objects()
{
	local objects

	[ -e "$1/$driver/Makefile" ] || return 0
	objects=$(sed -n 's/^secmmu-.* += //p' "$1/$driver/Makefile")
	# shellcheck disable=SC2086 # a list of names
	make -C "$kernel/build" M="$1/$driver" CONFIG_SECMMU=m CONFIG_SECMMU_KUNIT_TEST=y W=1 \
		KCFLAGS="-Werror -I$1/include/uapi" $objects
}

# What checkpatch says of patch $1, but that new files want an entry in MAINTAINERS: it has
# their folders. Tests are user space, and their harness has macros of its own kind: several
# statements that need braces, and declarations of functions.
style()
{
	local not=FILE_PATH_CHANGES

	if [[ $1 = */*-selftests-* ]]; then
		not+=,SPACING,BRACES,VOLATILE,PREFER_DEFINED_ATTRIBUTE_MACRO,COMPLEX_MACRO,ENOSYS
		not+=,MACRO_WITH_FLOW_CONTROL,SINGLE_STATEMENT_DO_WHILE_MACRO,CONSTANT_COMPARISON
		not+=,MULTISTATEMENT_MACRO_USE_DO_WHILE,QUOTED_WHITESPACE_BEFORE_NEWLINE
	fi
	perl "$source/scripts/checkpatch.pl" --no-tree --terse --no-summary --show-types \
		--ignore "$not" "$1"
}

# Apply each patch to a fresh copy of the base, and build there.
check_patches()
{
	local patch name work=$out/work

	git clone -q "$tree" "$work.new" && git -C "$work.new" checkout -q "$base"
	rm -rf "$work"
	mv "$work.new" "$work"
	for patch in "$out"/patches/0*.patch; do
		name=$(basename "$patch" .patch)
		case $name in
		0000-*) continue ;;
		esac
		if git -C "$work" apply --whitespace=error "$patch" > "$out/$name.log" 2>&1 &&
			build_objects "$work" >> "$out/$name.log" 2>&1; then
			say_result ok "$name applies, and builds"
		else
			tail -n 20 "$out/$name.log"
			say_result 'not ok' "$name applies, and builds"
		fi
		if style "$patch" > "$out/$name.checkpatch" 2>&1; then
			say_result ok "$name is clean"
		else
			head -n 40 "$out/$name.checkpatch"
			say_result 'not ok' "$name is clean"
		fi
	done
}

# The selftests in a kernel tree: built and installed by lib.mk, as the others there.
check_selftests()
{
	local kernel_tree=$out/kernel list=$out/installed/kselftest-list.txt

	rm -rf "$kernel_tree" "$out/installed"
	mkdir -p "$kernel_tree/usr/include/linux"
	cp -R "$source/tools" "$source/scripts" "$kernel_tree/"
	cp -R "$tree/tools" "$kernel_tree/"
	cp "$top/uapi/linux/secmmu.h" "$kernel_tree/usr/include/linux/"
	if make -C "$kernel_tree/tools/testing/selftests" TARGETS=secmmu \
		INSTALL_PATH="$out/installed" install > "$out/selftests.log" 2>&1 &&
		[ "$(grep -c '^secmmu:' "$list")" = "$(plain_tests | wc -l)" ]; then
		say_result ok "selftests are built and installed by lib.mk"
	else
		tail -n 20 "$out/selftests.log"
		say_result 'not ok' "selftests are built and installed by lib.mk"
	fi
}

PACKAGES=rsync "$top/check/setup.sh"
source=$("$top/testvm/kernels/kernel.sh" --source 7.3)
kernel=$(cd "$("$top/testvm/kernels/kernel.sh" newest)" && pwd)
author=$(sed -n 's/^M:\t\(.*\) <.*/\1/p' "$top/series/MAINTAINERS")
address=$(sed -n 's/^M:\t.*<\(.*\)>/\1/p' "$top/series/MAINTAINERS")
say "making the series"
make_base "$source"
base=$(git -C "$tree" rev-parse HEAD)
add_uapi
add_objects events record shard log span chain walk
add_objects tables pgtable flush key tlb domain
add_objects faults slot age mirror host fault install direct
add_objects engines dirty space job engine worker
add_objects device debugfs call ioctl ioctl_engine main
add_kunit
add_selftests
add_docs
in_tree format-patch -q --cover-letter -o "$out/patches" "$base"
sed -i 's/\*\*\* SUBJECT HERE \*\*\*/A secondary MMU in software/; s/\*\*\* BLURB HERE \*\*\*/See the last patch for the design./' \
	"$out"/patches/0000-*
say "$(find "$out/patches" -name '0*.patch' ! -name '0000-*' | wc -l) patches in $out/patches"
check_patches
check_selftests
[ "$tap" ] || [ "$status" != 0 ] || echo "series: all of them apply and build, and are clean"
exit "$status"
