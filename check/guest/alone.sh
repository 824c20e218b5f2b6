#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: each operation of the storm alone, with each backing that it takes. Arguments:
# seconds for each operation, which its backings share, then names, all if there are none. "ok" if
# nothing was wrong and the operation has reached its path in the kernel. What this machine cannot
# do is skipped. Memory is small: in the end a vCPU of KVM reads all of it, and one that is
# emulated takes its time. An operation that moves all memory is slow, too: 20 events are enough. A
# storm that proved too little by then may take six times as long, or SECMMU_TEST_SLOW times that.
#
#   SUBJECT  what is tested (secmmu)
#   SEED     of all (1)
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "does all that a storm can do to memory, and to the machine"
seconds=$1
shift
subject=${SUBJECT:-secmmu}
disk=/tmp/disk
status=0
said=/tmp/storm

# One storm; its options come behind its name.
alone()
{
	title=$1 got=0
	shift
	secmmu-vmm storm --subject "$subject" --seed "${SEED:-1}" --seconds "$each" \
		--limit $((6 * each * ${SECMMU_TEST_SLOW:-1})) --writes 1000 --events 20 \
		--memory 16M --mix "$@" > $said 2>&1 || got=$?
	if [ $got = 0 ]; then
		echo "ok - alone, $title: $(grep -c '^\[' $said) s, $(grep '^discards ' $said)"
	elif [ $got = 2 ] && grep -q 'nothing is left to do' $said; then
		echo "ok - alone, $title # SKIP $(sed -n 's/.*nothing is left to do; //p' $said)"
	else
		tail -n 60 $said
		echo "not ok - alone, $title: status $got, $(tail -n 1 $said)"
		status=1
	fi
}

# Of a list of operations, lines "NAME BACKING..." of all, or of those that are named.
table()
{
	awk -v wanted="$*" '
		function tell() { if (name != "" && (wanted == "" || index(" " wanted " ", " " name " ")))
			print name backings }
		/^[^ ]/ { tell(); name = $1; backings = "" }
		/^    (anon|memfd) / { backings = backings " " $1 }
		END { tell() }'
}

# A file system with a disk, for what is written back to one.
mkdir $disk
mke2fs /dev/ram0 > /dev/null && mount -t ext4 /dev/ram0 $disk || exit 2
secmmu-vmm storm --list > /tmp/list || exit 2
table "$@" < /tmp/list > /tmp/table
if [ ! -s /tmp/table ]; then
	echo "alone: no operation has such a name: $*" >&2
	exit 2
fi
while read -r name backings <&3; do
	# shellcheck disable=SC2086 # a list of backings
	set -- $backings
	each=$(((seconds + $# - 1) / $#))
	for backing; do
		case $name in
		writeback) alone "$name, file" "$name" --backing memfd --file $disk/memory ;;
		# What is merged before can be broken.
		ksm-break) alone "$name, $backing" ksm-break,ksm-merge --backing "$backing" ;;
		*) alone "$name, $backing" "$name" --backing "$backing" ;;
		esac
	done
done 3< /tmp/table
exit $status
