#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make check-arm64: the driver, its selftests and storms in a VM for arm64, which QEMU
# emulates.
set -euo pipefail
export ARCH=arm64
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<END
usage: arm64.sh [--quick | --storm SECONDS] [--out DIR]
Boots a kernel for arm64 and runs there the driver's selftests, storms, and the mistakes of
a guest, which must be reported. Prints "ok" and "not ok" lines; logs go to DIR,
build/arm64/check by default.

--quick runs a few selftests and one short storm; --storm only one storm of so many seconds,
with two vCPUs and two engines.

In the environment: KERNEL, 6.1 by default, 6.12, 7.3, newest or debug; FLAVOUR, normal by
default, or test, which runs the tests of test builds, and sees a seeded bug noticed; TESTS,
names of selftests instead of all; APPEND, words for the kernel's command line, such as
kvm-arm.mode=nvhe.
END
}

what='' seconds=20 cpus=4 few='' out=$programs/check
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--quick) what=quick seconds=3 cpus=2 few=1 TESTS="invalidate slots" ;;
	--storm | --out)
		[ $# -gt 1 ] || { usage >&2; exit 2; }
		case $1 in
		--out) out=$(realpath -m "$2") ;;
		*) what=storm seconds=$2 ;;
		esac
		shift
		;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
kernel=${KERNEL:-6.1}
flavour=${FLAVOUR:-normal}
need_kernel "$kernel"
need_word FLAVOUR "$flavour" "normal test"
need_numbers --storm "$seconds"
words=$(cd "$top/selftests" && basename -a -s .c ./*.c gated/*.c | tr '\n' ' ')
for word in ${TESTS-}; do
	need_word TESTS "${word%%,*}" "$words"
done
own_folder "$out"

# What there is to run, besides selftests, and these. Those that look for leaks or sweep a long
# range take too long; only the debug kernel lets things fail by itself.
choose()
{
	local from=$programs/selftests without=,-T,G3_kernel_each_fails_once,-T,G3_kernel_nothing_left

	[ "$kernel" != debug ] || without=
	tests=${TESTS-}
	[ ! "$what" ] || return 0
	if [ "$flavour" = test ]; then
		what=control
		tests=${tests:-$(sed "s/^failnth\$/&$without/" "$from/tests-of-test-build")}
	else
		what=all
		tests=${tests:-$(sed '/^leaks$/d; s/^flush$/&,-T,B1_long_range/' "$from/tests")}
	fi
}

# The selftests in $tests, for run_tests.sh, and those of control.sh.
give_tests()
{
	local from=$programs/selftests to=$out/root/usr/lib/secmmu/selftests word

	mkdir -p "$to"
	cp "$from"/*.sh "$from/settings" "$from"/tests* "$to/"
	for word in $tests invalidate; do
		cp -lf "$from/${word%%,*}" "$to/"
	done
}

build_tools testvm vmm
if [ ! "$what" ] || [ "${TESTS-}" ]; then
	PROGRAMS=${few:+$TESTS} build_tools selftests
fi
prepare_kernel "$kernel" "$flavour"
choose
rm -rf "$out"
make_root "$out/root"
[ ! "$tests" ] || give_tests

# Emulation of another architecture is slow, and no limit is about that.
SECMMU_TEST_SLOW=${SECMMU_TEST_SLOW:-$((6 * $(slow_kernel "$kernel")))}
export SECMMU_TEST_SLOW
say "booting"
# shellcheck disable=SC2086 # a list of names
"$BUILD/testvm/testvm" --quiet --arch arm64 --kernel "$kernel" --cpus "$cpus" --memory 3072 \
	--timeout "${LIMIT:-3000}" --root "$out/root" --load brd \
	--append "brd.rd_nr=1 brd.rd_size=65536 ${APPEND-}" --module "$module" --out "$out/out" \
	--log "$out/console" -- /usr/lib/secmmu/arm64.sh "$what" "$seconds" $tests
