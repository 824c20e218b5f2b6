#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: run checks, and then storms, against subjects. Arguments: seconds of a storm,
# then SUBJECT/CHECK or SUBJECT/storm each. Prints lines of JSON, as secmmu-judge does.
set -u
seconds=$1
shift
checks='' storms=''
for pair; do
	case $pair in
	*/storm) storms="$storms ${pair%/storm}" ;;
	*) checks="$checks $pair" ;;
	esac
done

if [ "$checks" ]; then
	status=0
	# shellcheck disable=SC2086 # a list of words
	secmmu-judge --json $checks || status=$?
	[ $status -lt 2 ] || exit $status
fi
# The verdict of the first violation in the storm's output.
verdict_of()
{
	case $1 in
	*'no stamp has there'* | *canary* | *'another page'* | *'did not write'* | *torn* | *corrupt*)
		echo 'wrong data' ;;
	*'is lost'* | *'dirty log'*) echo 'lost write' ;;
	*'must not fail'*) echo 'wrong permission' ;;
	*) echo stale ;;
	esac
}

# What a storm with violations has to say: the first one, what process and subject have there,
# and how to do it again.
describe_violation()
{
	awk '/^violation/ { text = $0; seen++ }
		seen == 1 && /^    (process|subject) / { sub("^ +", ""); sub(" +", " "); more = more "; " $0 }
		seen == 1 { line = text }
		END { print line more }' /tmp/storm
}

uptime_s()
{
	cut -d. -f1 /proc/uptime
}

seed=${SECMMU_SEED:-1}
for subject in $storms; do
	echo "# begins $subject/storm"
	status=0 began=$(uptime_s)
	secmmu-vmm storm --subject "$subject" --seconds "$seconds" --seed "$seed" > /tmp/storm 2>&1 ||
		status=$?
	took=$(($(uptime_s) - began))
	sed 's/^/# /' /tmp/storm
	reason=$(tail -n 1 /tmp/storm)
	case $status in
	0) verdict=pass ;;
	1)
		verdict=$(verdict_of "$(grep -m 1 '^violation' /tmp/storm)")
		reason="$(describe_violation); to repeat: $SECMMU_REPEAT SUBJECT=$subject"
		reason="$reason KERNEL=$SECMMU_KERNEL CHECK=none STORM=$seconds SEED=$seed"
		;;
	3) verdict=skipped ;;
	4) verdict=hang ;;
	*)
		verdict=broken
		! grep -q 'not applicable: it has one' /tmp/storm || verdict='not applicable'
		;;
	esac
	printf '{"subject":"%s","check":"storm","verdict":"%s","reason":"%s","spoiled":0,"ms":%d,"kernel":"%s"}\n' \
		"$subject" "$verdict" "$(echo "$reason" | tr -d '\042\134')" $((took * 1000)) \
		"$SECMMU_KERNEL"
done
