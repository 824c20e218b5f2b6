#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM, with a build of the driver that has the KUnit suites: one line for
# each test that ran when the driver was loaded. Then the suites are seen to fail: the
# driver is loaded again to run one of them with a seeded bug that it must notice
# ("all": with each of them; "suites": none). Loaded again, since KUnit runs no test
# with parameters twice that has failed once.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "unloads the driver and loads it again"
kunit=/sys/kernel/debug/kunit
glob=/sys/module/kunit/parameters/filter_glob
module=$(sed -n 's|^always \(.*/secmmu\.ko\)$|\1|p' /testvm/modules)
suites="spte pgtable large flush window tlb span event record wait chain delay"
all=${1-}
status=0

# Seeded bugs that a suite notices, the quickest first.
noticed()
{
	case $1 in
	pgtable) echo prune-pending ;;
	large) echo large-survives large-second-skips link-forgets collapse-old \
		large-upgrade-old ;;
	flush) echo second-skips clamp-1024 array-overflow-dropped \
		unlock-without-flush spte-dirty-dropped assist-forgotten ;;
	window) echo flush-no-wait ;;
	tlb) echo age-ignored denied-marks touch-marks ;;
	event) echo hull-reset-early hull-kept hull-upwards one-hull latest-range \
		seen-begin ;;
	record) echo mark-at-end latest-range in-flight-ignored hit-latest \
		record-hides-hull hull-hides-record later-pages-uncovered \
		widened-into-event \
		install-after-release release-keeps-in-flight ;;
	wait) echo in-flight-ignored hull-reset-early release-keeps-in-flight ;;
	chain) echo inclusive-end end-as-length empty-is-all unpaired-ignored \
		torn-registration seq-read-once first-young seen-begin \
		per-subscriber-counter in-flight-ignored spans-one-batch ;;
	esac
}

# What a suite said last, one line for each test; of those that failed, why.
report()
{
	awk -v suite="$1" '
		/^    1\.\.[0-9]+$/ { planned = substr($1, 4) }
		/^    (not )?ok [0-9]+ / {
			ran++
			bad += $1 == "not"
			sub(/ok [0-9]+ /, "ok - kunit " suite "/")
			sub(/^ */, "")
			print
			next
		}
		/^ *not ok|FAILED|Expected|==|timed out/ { print "# " $0 }
		/^not ok/ { failed = 1 }
		END {
			if (!ran || ran != planned || (failed && !bad))
				print "not ok - kunit " suite ": " ran + 0 \
				      " tests of " planned + 0
		}' "$kunit/secmmu_$1/results"
}

for suite in $suites; do
	if [ ! -e "$kunit/secmmu_$suite/results" ]; then
		echo "not ok - kunit $suite did not run"
		status=1
		continue
	fi
	report "$suite" > /tmp/report
	cat /tmp/report
	! grep -q '^not ok' /tmp/report || status=1
done

[ "$all" != suites ] || exit $status

for suite in $suites; do
	for bug in $(noticed "$suite"); do
		if ! printf 'secmmu_%s' "$suite" > $glob || ! rmmod secmmu ||
			! insmod "$module" mutant="$bug"; then
			echo "not ok - kunit $suite cannot be run with $bug"
			exit 1
		fi
		failed=$(report "$suite" |
			sed -n "s|^not ok - kunit $suite/||p" | tr '\n' ' ')
		if [ -n "$failed" ]; then
			echo "ok - kunit $suite notices $bug: $failed"
		else
			echo "not ok - kunit $suite does not notice $bug"
			status=1
		fi
		[ "$all" = all ] || break
	done
done
exit $status
