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
	*'no stamp has there'* | *canary* | *'another page'* | *'did not write'* | *torn*)
		echo 'wrong data' ;;
	*'is lost'*) echo 'lost write' ;;
	*'must not fail'*) echo 'wrong permission' ;;
	*) echo stale ;;
	esac
}

for subject in $storms; do
	echo "# begins $subject/storm"
	status=0
	secmmu-vmm run --subject "$subject" --seconds "$seconds" \
		--seed "${SECMMU_SEED:-1}" > /tmp/storm 2>&1 || status=$?
	sed 's/^/# /' /tmp/storm
	reason=$(tail -n 1 /tmp/storm)
	case $status in
	0) verdict=pass ;;
	1)
		reason=$(grep -m 1 '^violation' /tmp/storm)
		verdict=$(verdict_of "$reason")
		reason="$reason; $(grep '^storm: to repeat' /tmp/storm)"
		;;
	3) verdict=skipped ;;
	4) verdict=hang ;;
	*)
		verdict=broken
		! grep -q 'not applicable: it has one' /tmp/storm || verdict='not applicable'
		;;
	esac
	printf '{"subject":"%s","check":"storm","verdict":"%s","reason":"%s","spoiled":0,"ms":0,"kernel":"%s"}\n' \
		"$subject" "$verdict" "$(echo "$reason" | tr -d '\042\134')" "$SECMMU_KERNEL"
done
