#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM, with a test build of the driver: tell it to ignore
# invalidations, and see storm, selftests and attach fail; then let the guest make
# mistakes; then show the bug that the demonstration is of. Succeeds if all is noticed.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "switches on a seeded bug of the driver"
mutant=/sys/module/secmmu/parameters/mutant
status=0

echo ignore-invalidate > $mutant || exit 1

secmmu-vmm run --seconds 10 --seed 1 "$@" > /tmp/storm
head -n 12 /tmp/storm
if tail -n 1 /tmp/storm | grep -q '^storm: FAIL, [1-9][0-9]* violations$'; then
	echo "ok - the storm noticed: $(tail -n 1 /tmp/storm)"
else
	cat /tmp/storm
	echo "not ok - the storm did not notice that invalidations are ignored"
	status=1
fi

# $1: a mistake; $2: what a storm says of it; its options.
storm_notices()
{
	mistake=$1 said=$2
	shift 2
	if secmmu-vmm storm --violations 1 --seed 2 "$@" > /tmp/storm ||
		! grep -q "^violation 1: .* $said" /tmp/storm; then
		cat /tmp/storm
		echo "not ok - the storm did not notice $mistake"
		status=1
	else
		echo "ok - the storm noticed $mistake: $(grep '^storm: the first' /tmp/storm)"
	fi
}

# A write that arrives when its slot has gone is in the page that it was for: no stamp tells.
storm_notices "late writes" "an access succeeded that must not" --subject procmem-unlocked \
	--mix slot-delete --engines 4 --discarders 4 --hot 16 --aim --seconds 300 --limit 300
storm_notices "reads that fail" "an access failed that must not fail" --subject procmem-deaf \
	--mix dontneed --seconds 5 --limit 5

/usr/lib/secmmu/selftests/run_tests.sh invalidate > /tmp/tests
if grep -q '^not ok .*B4_discard' /tmp/tests &&
	grep -q '^not ok .*unmap' /tmp/tests; then
	echo "ok - the selftests noticed: $(tail -n 1 /tmp/tests)"
else
	cat /tmp/tests
	echo "not ok - the selftests did not notice that invalidations are ignored"
	status=1
fi

/usr/lib/secmmu/attach.sh control || status=1
/usr/lib/secmmu/mistakes.sh || status=1

echo none > $mutant

/usr/lib/secmmu/attach.sh gated || status=1
if secmmu-vmm demo lam-switch > /tmp/demo; then
	echo "ok - $(tail -n 1 /tmp/demo)"
else
	cat /tmp/demo
	echo "not ok - demo lam-switch"
	status=1
fi
exit $status
