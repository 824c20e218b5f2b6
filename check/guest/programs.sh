#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM, with the programs of Debian that check.sh names: secmmu-vmm attach, beside
# programs that were not made for it. Each is compared with its mirror, and so are the
# processes that it forks; each must have given up memory meanwhile. With "control" the driver
# ignores invalidations, and attach must notice beside the first of them.
#
#   SECONDS_EACH  how long each is compared (30)
#   ONLY          names of some of them
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "merges pages and starts programs that take memory apart"
# shellcheck source=check/guest/nested.sh
. "${0%/*}/nested.sh"
seconds=${SECONDS_EACH:-30}
status=0
ksm=/sys/kernel/mm/ksm
json=/tmp/programs

# The sum of number $1 over all processes.
sum()
{
	cat $json.* 2> /dev/null | grep -o "\"$1\": [0-9]*" | awk '{ n += $2 } END { print n + 0 }'
}

# Compare process $2, called $1, and all that it forks; $3 is the exit status wanted, $4 how
# many pages the mirrors must have dropped.
compare()
{
	got=0
	rm -f $json.*
	secmmu-vmm attach --follow --verify --brief --seconds "$seconds" --json $json "$2" \
		> /tmp/said 2>&1 || got=$?
	zapped=$(sum zapped)
	if [ $got = "$3" ] && [ "$zapped" -ge "$4" ] && kill -0 "$2"; then
		echo "ok - programs, $1: $(tail -n 1 /tmp/said); $(sum pages) pages, $(sum changing) changing, $zapped dropped"
	else
		tail -n 40 /tmp/said
		kill -0 "$2" || { echo "it has ended:"; tail -n 20 /tmp/program; }
		echo "not ok - programs, $1: status $got, $zapped dropped"
		status=1
	fi
}

wanted()
{
	[ ! "${ONLY-}" ] || case " $ONLY " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

# Start a program; its number is $pid then.
start()
{
	"$@" > /tmp/program 2>&1 < /dev/null &
	pid=$!
}

# ... until it has forked $1 others.
wait_for_children()
{
	until [ "$(grep -l "^PPid:.$pid\$" /proc/[0-9]*/status 2> /dev/null | wc -l)" -ge "$1" ] ||
		! kill -0 "$pid"; do
		sleep 0.2
	done
}

# ... and end it, with all that it has forked.
end()
{
	kill "$pid"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kill -0 "$pid" 2> /dev/null || break
		sleep 0.5
	done
	kill -9 "$pid" 2> /dev/null
	wait "$pid" 2> /dev/null
	killall -9 stress-ng 2> /dev/null
}

# Stressor $1 with the options behind it; it lasts longer than the comparison.
stress()
{
	name=$1
	shift
	wanted "$name" || return 0
	start stress-ng --temp-path /tmp --timeout $((seconds + 600)) "$@"
	# The parent does nothing but wait for its two workers.
	wait_for_children 2
	compare "stress-ng, $name" "$pid" 0 10
	end
}

stressors()
{
	stress vm --vm 2 --vm-bytes 32m
	stress mmap --mmap 2 --mmap-bytes 16m
	stress madvise --madvise 2
	stress mremap --mremap 2 --mremap-bytes 8m
	stress fork --fork 2
	stress userfaultfd --userfaultfd 2 --userfaultfd-bytes 8m
	echo 10000 > $ksm/pages_to_scan
	echo 10 > $ksm/sleep_millisecs
	echo 1 > $ksm/run
	stress ksm --vm 2 --vm-bytes 16m --vm-madvise mergeable --vm-method zero-one
	echo 0 > $ksm/run
}

python()
{
	wanted python || return 0
	cat > /tmp/churn.py <<-END
	import os
	while True:
	    kept = [bytes([i & 255]) * 70000 for i in range(300)]
	    words = {str(i): [i] * 10 for i in range(20000)}
	    del kept[::2]
	    if os.fork() == 0:
	        kept.append(bytearray(1 << 22))
	        os._exit(0)
	    os.wait()
	END
	start python3 /tmp/churn.py
	sleep 2
	compare python "$pid" 0 10
	end
}

# Saving forks: parent and child share pages, and copy those that are written.
redis()
{
	wanted redis || return 0
	start redis-server --port 0 --unixsocket /tmp/redis.sock --dir /tmp --save '' \
		--maxmemory 48mb --maxmemory-policy allkeys-lru
	server=$pid
	until redis-cli -s /tmp/redis.sock ping 2> /dev/null | grep -q PONG ||
		! kill -0 "$server"; do
		sleep 0.5
	done
	redis-benchmark -s /tmp/redis.sock -t set,lpush,get -d 2000 -r 20000 -c 4 -l -q \
		> /tmp/benchmark 2>&1 &
	client=$!
	while redis-cli -s /tmp/redis.sock bgsave > /dev/null 2>&1; do
		sleep 3
	done &
	saver=$!
	compare redis "$server" 0 10
	kill $client $saver
	pid=$server
	end
}

sqlite()
{
	wanted sqlite || return 0
	mkfifo /tmp/sql
	sqlite3 /tmp/base.db < /tmp/sql > /tmp/program 2>&1 &
	pid=$!
	{
		echo 'PRAGMA mmap_size = 67108864; CREATE TABLE t (n INTEGER PRIMARY KEY, v BLOB);'
		while kill -0 $pid 2> /dev/null; do
			cat <<-END
			WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 4000)
				INSERT OR REPLACE INTO t SELECT n, randomblob(2000) FROM c;
			SELECT count(DISTINCT substr(v, 1, 3)) FROM t;
			DELETE FROM t;
			VACUUM;
			END
		done
	} > /tmp/sql &
	feeder=$!
	sleep 2
	compare sqlite $pid 0 10
	kill $pid $feeder
	wait $pid $feeder 2> /dev/null
}

# QEMU's memory is the guest's, and the guest discards nothing: its memory is merged by
# KSM, and taken back.
qemu()
{
	wanted qemu || return 0
	guest_initramfs
	echo 1 > $ksm/run
	start qemu-system-x86_64 -accel kvm -m 96 -smp 1 -display none -vga none -nodefaults \
		-serial stdio -no-reboot -kernel $guest_kernel -initrd /tmp/initramfs \
		-append "$guest_arguments"
	until grep -q 'guest is up' /tmp/program || ! kill -0 "$pid"; do
		sleep 1
	done
	compare "a KVM guest of QEMU" "$pid" 0 10
	echo 2 > $ksm/run
	end
	echo 0 > $ksm/run
}

if [ "${1-}" = control ]; then
	echo ignore-invalidate > /sys/module/secmmu/parameters/mutant || exit 1
	seconds=5
	start stress-ng --temp-path /tmp --timeout 600 --mmap 1 --mmap-bytes 16m
	wait_for_children 1
	compare "control, stress-ng, mmap" "$pid" 1 0
	end
	exit $status
fi

stressors
python
redis
sqlite
qemu
exit $status
