#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM, with libvirt and QEMU of Debian: secmmu-vmm attach --domain, on KVM guests of
# libvirt. What it reads by guest physical address, while the guest runs, must be what QEMU
# itself says of the guest's memory as soon as that stands still.
#
#   ONLY  names of some of the guests
# shellcheck disable=SC2317 # try calls them
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "runs a libvirt daemon as root"
# shellcheck source=check/guest/nested.sh
. "${0%/*}/nested.sh"
# shellcheck source=check/guest/try.sh
. "${0%/*}/try.sh"
status=0
results_of=domains
chunk=16384	# pages that are compared at once
export LIBVIRT_DEFAULT_URI=qemu:///system

# No service manager is here, nobody confines QEMU, and it writes its own files.
start_libvirt()
{
	mkdir -p /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /run/libvirt
	ln -sfn /run /var/run
	cat > /etc/libvirt/qemu.conf <<-END
		stdio_handler = "file"
		user = "root"
		group = "root"
		dynamic_ownership = 0
		remember_owner = 0
		security_driver = "none"
		namespaces = []
		cgroup_controllers = []
	END
	cat > /etc/libvirt/libvirtd.conf <<-END
		auth_unix_rw = "none"
		auth_unix_ro = "none"
		log_outputs = "3:file:/tmp/libvirtd.log"
	END
	echo 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/bin/false' >> /etc/passwd
	echo 'libvirt-qemu:x:64055:' >> /etc/group
	dd if=/dev/urandom bs=16 count=1 2> /dev/null | hexdump -e '16/1 "%02x"' > /etc/machine-id
	chmod 666 /dev/kvm
	libvirtd -d || return
	n=0
	until virsh version; do
		n=$((n + 1))
		[ "$n" -lt 60 ] || { cat /tmp/libvirtd.log; return 1; }
		sleep 1
	done
}

# Define and start domain $1: machine $2, memory $3 MiB, memfd or none as $4, more XML of the
# domain $5 and of its processors $6, kernel $7, balloon $8; it is up when its init says so.
start_domain()
{
	backing=
	[ "$4" = none ] ||
		backing="<memoryBacking><source type='$4'/><access mode='shared'/></memoryBacking>"
	cat > "/tmp/$1.xml" <<-END
	<domain type='kvm'>
	  <name>$1</name>
	  <memory unit='MiB'>$3</memory>
	  $backing
	  <vcpu>1</vcpu>
	  <os>
	    <type arch='x86_64' machine='$2'>hvm</type>
	    <kernel>${7:-$guest_kernel}</kernel>
	    <initrd>/tmp/initramfs</initrd>
	    <cmdline>$guest_arguments</cmdline>
	  </os>
	  <features><acpi/></features>
	  <cpu mode='host-passthrough'>$6</cpu>
	  $5
	  <devices>
	    <emulator>/usr/bin/qemu-system-x86_64</emulator>
	    <controller type='usb' model='none'/>
	    <serial type='file'><source path='/tmp/$1.serial'/></serial>
	    <memballoon model='${8:-none}'/>
	  </devices>
	</domain>
	END
	virsh create "/tmp/$1.xml" || return
	until grep -q 'guest is up' "/tmp/$1.serial"; do
		virsh domstate "$1" | grep -q running || return
		sleep 1
	done
}

# The pass that attach is in, by what it tells.
pass()
{
	grep -o 'pass [0-9]*' /tmp/said | tail -n 1 | grep -o '[0-9]*'
}

# $1 more passes of attach.
wait_for_passes()
{
	last=$(($(pass) + $1))
	until [ "$(pass)" -ge "$last" ]; do
		kill -0 "$attached" || return
		sleep 0.2
	done
}

# Attach to domain $1 in the background; it is $attached then, and has found pages.
attach()
{
	rm -f /tmp/dump
	secmmu-vmm attach --domain "$@" --verify --seconds 3000 --dump /tmp/dump \
		--json /tmp/domain.json > /tmp/said 2>&1 &
	attached=$!
	until grep -q ' pages compared' /tmp/said; do
		kill -0 "$attached" || { cat /tmp/said; return 1; }
		sleep 0.2
	done
}

# Chunks of guest memory, of which $1 is the first page and $2 the one behind: all of them, or
# the first and last two of a large range.
chunks()
{
	at=$1
	while [ "$at" -lt "$2" ]; do
		pages=$(($2 - at < chunk ? $2 - at : chunk))
		[ $((at - $1)) -gt "$chunk" ] && [ $(($2 - at)) -gt $((2 * chunk)) ] &&
			[ $(($2 - $1)) -gt $((20 * chunk)) ] || echo "$at $pages"
		at=$((at + pages))
	done
}

# Does the dump have what QEMU says that domain $1 has? Of the latest layout that attach told.
same_as_pmemsave()
{
	all=0
	awk '/^slot 0:/ { n = 0 } /^slot / { range[n++] = $4 }
		END { for (i = 0; i < n; i++) print range[i] }' /tmp/said | tr '-' ' ' > /tmp/slots
	while read -r first last; do
		chunks $((first / 4096)) $(((last + 1) / 4096))
	done < /tmp/slots > /tmp/chunks
	while read -r page pages; do
		virsh -q qemu-monitor-command "$1" --hmp \
			"pmemsave $((page * 4096)) $((pages * 4096)) \"/tmp/pmem\"" || return
		# The file may end in a hole.
		dd if=/tmp/dump bs=4096 skip="$page" count="$pages" of=/tmp/part 2> /dev/null
		truncate -s $((pages * 4096)) /tmp/part
		if ! cmp /tmp/pmem /tmp/part; then
			echo "... of page $page of the guest"
			return 1
		fi
		all=$((all + pages))
	done < /tmp/chunks
	rm -f /tmp/pmem /tmp/part
	echo "$all pages are the same"
	[ "$all" -gt 1000 ]
}

# Some of it is not empty.
has_content()
{
	[ "$(du -k /tmp/dump | cut -f 1)" -gt 10000 ]
}

number()
{
	grep -o "\"$1\": [0-9]*" /tmp/domain.json | head -n 1 | grep -o '[0-9]*$'
}

ends_well()
{
	kill -INT "$attached"
	got=0
	wait "$attached" || got=$?
	cat /tmp/said
	[ "$got" = 130 ] && [ "$(number stale)" = 0 ] && [ "$(number pages)" -gt 1000 ]
}

runs_on()
{
	virsh domstate "$1" | grep running
}

# The guest runs under comparison; then it stands still, and the dump is what pmemsave says.
read_while_running()
{
	try "$1: attached while it runs" attach "$1"
	try "$1: it was not left suspended" runs_on "$1"
	try "$1: passes while it runs" wait_for_passes 2
	virsh -q suspend "$1"
	try "$1: passes while it stands still" wait_for_passes 2
	try "$1: ... then its memory is what QEMU says" same_as_pmemsave "$1"
	echo "# $1: $(tail -n 1 /tmp/log), $(wc -l < /tmp/slots) ranges"
	try "$1: that is not all zeroes" has_content
	virsh -q resume "$1"
	try "$1: no page was stale" ends_well
	echo "# $1: $(grep '^attach: ' /tmp/said)"
	# The control: the guest has run since, and nobody has read it.
	virsh -q suspend "$1"
	try "$1: what was read before is not the same any more" differs "$1"
}

differs()
{
	! same_as_pmemsave "$1"
}

wanted()
{
	[ ! "${ONLY-}" ] || case " $ONLY " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

# Domain $1, machine $2, memory $3 MiB, backing $4.
domain()
{
	wanted "$1" || return 0
	try "$1: it starts" start_domain "$1" "$2" "$3" "$4" '' ''
	read_while_running "$1"
	virsh -q destroy "$1"
}

# Memory that is plugged in is mirrored as well, by a mirror that was there before.
plugged()
{
	wanted plugged || return 0
	try "plugged: it starts" start_domain plugged pc 128 memfd \
		"<maxMemory slots='2' unit='MiB'>512</maxMemory>" \
		"<numa><cell id='0' cpus='0' memory='128' unit='MiB'/></numa>"
	try "plugged: attached while it runs" attach plugged
	cat > /tmp/dimm.xml <<-END
	<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>
	END
	try "plugged: memory is plugged in" virsh attach-device plugged /tmp/dimm.xml --live
	try "plugged: its slot is set" plugged_in
	virsh -q suspend plugged
	try "plugged: passes while it stands still" wait_for_passes 2
	try "plugged: ... then its memory is what QEMU says" same_as_pmemsave plugged
	virsh -q resume plugged
	try "plugged: no page was stale" ends_well
	virsh -q destroy plugged
}

# A balloon takes memory from the guest, which QEMU discards.
balloon()
{
	wanted balloon || return 0
	try "balloon: it starts" start_domain balloon pc 256 none '' '' "$guest_kernel_virtio" virtio
	try "balloon: attached while it runs" attach balloon
	try "balloon: it grows" grows
	try "balloon: passes while it runs" wait_for_passes 2
	virsh -q suspend balloon
	try "balloon: passes while it stands still" wait_for_passes 2
	try "balloon: ... then its memory is what QEMU says" same_as_pmemsave balloon
	virsh -q resume balloon
	try "balloon: no page was stale" ends_well
	echo "# balloon: $(grep '^attach: ' /tmp/said)"
	try "balloon: the mirror has dropped what it took" test "$(number zapped)" -ge 1000
	echo "# balloon: $(number zapped) pages dropped"
	virsh -q destroy balloon
}

# It takes 64 MiB of 256.
grows()
{
	virsh setmem balloon 192M --live || return
	until virsh dommemstat balloon | grep -q 'actual 196608$'; do
		virsh domstate balloon | grep -q running || return
		sleep 1
	done
}

plugged_in()
{
	until grep '^slot .* memdimm' /tmp/said; do
		kill -0 "$attached" || return
		sleep 0.2
	done
}

refuses()
{
	says=$1 got=0
	shift
	secmmu-vmm attach "$@" > /tmp/said 2>&1 || got=$?
	cat /tmp/said
	[ "$got" = 2 ] && grep -q "$says" /tmp/said
}

guest_initramfs
echo 1 > /proc/sys/vm/overcommit_memory
try "libvirt starts" start_libvirt
[ $status = 0 ] || exit
try "no such domain" refuses 'is there virsh .* and such a domain' --domain nobody
domain pc-memfd pc 128 memfd
domain q35-none q35 128 none
plugged
balloon
domain pc-5g-none pc 5120 none
domain q35-5g-memfd q35 5120 memfd
exit $status
