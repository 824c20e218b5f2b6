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
usage: arm64.sh [--quick]
Boots a kernel for arm64 and runs there the driver's selftests, storms, and the mistakes of
a guest, which must be reported. --quick runs a few selftests and one storm. Results are
"ok" and "not ok" lines; logs are in build/arm64/check/.

In the environment: KERNEL, 6.1 by default, 6.12 or 7.3; FLAVOUR, normal by default, or
test, which runs the tests of test builds; TESTS, names of selftests instead of all.
END
}

quick=
case $* in
'') ;;
--quick) quick=1 ;;
--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac
kernel=${KERNEL:-6.1}
flavour=${FLAVOUR:-normal}
need_word KERNEL "$kernel" "$("$top/testvm/kernels/kernel.sh" --arch arm64 --names)"
need_word FLAVOUR "$flavour" "normal test"
out=$programs/check
own_folder "$out"
build_tools testvm vmm selftests
"$top/testvm/kernels/kernel.sh" --arch arm64 "$kernel" > /dev/null
say "building the driver for $kernel ($flavour)"
module=$("$top/testvm/kernels/module.sh" --arch arm64 "$kernel" "$flavour")

rm -rf "$out"
tests=$programs/selftests
lib=$out/root/usr/lib/secmmu
mkdir -p "$out/root/usr/bin" "$lib/selftests"
cp "$programs/vmm/secmmu-vmm" "$programs/vmm/secmmu-observed" "$out/root/usr/bin/"
copy_guest_scripts "$lib"
list=tests
[ "$flavour" = normal ] || list="tests-of-test-build"
if [ ! "${TESTS-}" ]; then
	TESTS=$(sed '/^leaks$/d; s/^flush$/&,-T,B1_long_range/
		s/^failnth$/&,-T,G3_kernel_each_fails_once,-T,G3_kernel_nothing_left/' "$tests/$list")
	[ ! "$quick" ] || TESTS="invalidate slots domains keys"
fi
cp "$tests"/*.sh "$tests"/settings "$tests"/tests* "$lib/selftests/"
for word in $TESTS; do
	need_word TESTS "${word%%,*}" "$(cat "$tests"/tests* | tr '\n' ' ')"
	cp -lf "$tests/${word%%,*}" "$lib/selftests/"
done

say "booting"
"$BUILD/testvm/testvm" --arch arm64 --kernel "$kernel" --memory 3072 \
	--timeout "${LIMIT:-3000}" --root "$out/root" --load brd \
	--append "brd.rd_nr=1 brd.rd_size=65536" --module "$module" --out "$out/out" \
	--log "$out/console" -- /usr/lib/secmmu/arm64.sh "${quick:-0}" "$TESTS"
