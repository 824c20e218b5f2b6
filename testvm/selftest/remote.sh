# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# A VM that the libvirt of another host runs. Here the "host" is a libvirtd on the loopback device
# whose folders nobody else sees: no file here has the same path there.

there()
{
	virsh --quiet --connect "$uri" "$@"
}

# Sets $host, its process, and $uri.
start_host()
{
	local port=$((20000 + RANDOM % 20000))

	uri=qemu+tcp://127.0.0.1:$port/system
	mkdir -p /etc/libvirt /run/libvirt /var/lib/libvirt /var/cache/libvirt
	# shellcheck disable=SC2016 # for the shell there
	unshare --mount --propagation private sh -c '
		for folder in /etc/libvirt /run/libvirt /var/lib/libvirt /var/cache/libvirt; do
			mount -t tmpfs tmpfs $folder
		done
		mkdir /var/lib/libvirt/images
		printf "%s\n" "listen_tls = 0" "listen_tcp = 1" "listen_addr = \"127.0.0.1\"" \
			"tcp_port = \"$0\"" "auth_tcp = \"none\"" "auth_unix_rw = \"none\"" \
			"log_outputs = \"3:stderr\"" > /etc/libvirt/libvirtd.conf
		printf "%s\n" "stdio_handler = \"file\"" "user = \"root\"" "group = \"root\"" \
			"dynamic_ownership = 0" "remember_owner = 0" "security_driver = \"none\"" \
			"namespaces = []" "cgroup_controllers = []" > /etc/libvirt/qemu.conf
		exec libvirtd --listen --pid-file /run/libvirt/pid' $port 2>"$temp/libvirtd" &
	host=$!
	for _ in $(seq 300); do
		there pool-create-as default dir --target /var/lib/libvirt/images \
			>"$temp/pool" 2>&1 && return
		kill -0 "$host" || break
		sleep 0.2
	done
	cat "$temp/pool" "$temp/libvirtd"
	return 1
}

# Nothing of a VM is left there.
host_is_empty()
{
	[ -z "$(there list --all --name)$(there vol-list default)" ] && return
	there list --all
	there vol-list default
	return 1
}

# Processes that have the folders of host $1, which may be gone, are its VMs.
kill_all_there()
{
	local process

	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/ns/mnt" 2>/dev/null)" != "$1" ] || kill -KILL "${process#/proc/}"
	done
}

end_host()
{
	local status=$?

	kill_all_there "$(readlink "/proc/$host/ns/mnt")"
	wait "$host" 2>/dev/null
	return $status
}

# Can there be a host?
can_host()
{
	[ "$(id -u)" = 0 ] && PACKAGES="libvirt-daemon libvirt-clients" "$here/../check/setup.sh"
}

# A VM there, whose output goes to a file.
vm_there()
{
	vm --connect "$uri" --timeout 300 "$@" >"$temp/out"
}

# The guest's output, status and files come back; the files are longer than a pipe or a stream's
# packet holds.
runs_elsewhere()
{
	# shellcheck disable=SC2016 # the guest's
	expect 7 vm_there --out "$temp/there" sh -c \
		'echo begun; seq 300000 | tee $OUT/numbers | tail -n 100000; echo ended; exit 7' &&
		{ echo begun; seq 200001 300000; echo ended; } | cmp - "$temp/out" &&
		seq 300000 | cmp - "$temp/there/numbers" &&
		grep -q 'Linux version' "$temp/log" && host_is_empty
}

# A kernel's complaint there counts as it does here.
complains_elsewhere()
{
	expect 125 vm_there sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at here" >/dev/kmsg' &&
		host_is_empty
}

# A VM that would run for long; $pid is testvm's.
start_elsewhere()
{
	"$testvm" --quiet --kernel "$kernel" --accel tcg --cpus 1 --timeout 600 --log "$temp/log" \
		--connect "$uri" sh -c 'echo begun; sleep 1000' >"$temp/out" 2>"$temp/err" &
	pid=$!
	until grep -q begun "$temp/out"; do
		kill -0 "$pid" || { cat "$temp/err"; return 1; }
		sleep 0.1
	done
}

# An interrupted testvm ends the VM and takes its files away; one that is killed cannot do the
# latter.
ends_with_testvm()
{
	start_elsewhere && kill -INT "$pid" && expect 130 wait "$pid" && host_is_empty || return
	start_elsewhere && kill -KILL "$pid" || return
	for _ in $(seq 100); do
		[ "$(there list --all --name)" ] || return 0
		sleep 0.1
	done
	echo '# the VM still runs'
	return 1
}

# A host that has gone is noticed; the run is none.
host_dies()
{
	start_elsewhere && kill -KILL "$host" && expect 126 wait "$pid"
}

test_connect_elsewhere()
{
	can_host || return 2
	start_host && runs_elsewhere && complains_elsewhere && ends_with_testvm
	end_host
}

test_connect_lost()
{
	local status=0 folders

	can_host || return 2
	start_host || return
	folders=$(readlink "/proc/$host/ns/mnt")
	host_dies || status=1
	# Its VM outlives it.
	kill_all_there "$folders"
	return $status
}

test_connect_refused()
{
	expect 126 vm --connect qemu+tcp://127.0.0.1:1/system true && says '--connect' &&
		expect 126 vm --connect test:///default true && says 'storage pool "default"'
}
