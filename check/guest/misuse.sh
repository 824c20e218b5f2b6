#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM, without the driver: bad input to secmmu-vmm gives status 2 and exactly
# one sentence.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "replaces /etc/passwd and removes /dev/kvm"
status=0
# What argp adds, on one line or two.
hint="^Try \`\|^information\.$"

refuse()
{
	what=$1 got=0
	shift
	"$@" > /tmp/said 2>&1 || got=$?
	if [ $got != 2 ]; then
		cat /tmp/said
		echo "not ok - $what: status $got, not 2"
		status=1
	elif [ "$(grep -vc "$hint" /tmp/said)" != 1 ]; then
		cat /tmp/said
		echo "not ok - $what: not one sentence"
		status=1
	else
		echo "ok - $what: $(head -n 1 /tmp/said)"
	fi
}

refuse "no driver" secmmu-vmm run --seconds 1
refuse "no driver, batching" secmmu-bench batching --tiny
refuse "no driver, attach" secmmu-vmm attach --pid 1
refuse "no process" secmmu-vmm attach --verify
refuse "bad process" secmmu-vmm attach --pid 0
refuse "bad range" secmmu-vmm attach --pid 1 --range 2000-1000
refuse "stop what" secmmu-vmm attach --pid 1 --stop
refuse "no command" secmmu-vmm
refuse "unknown command" secmmu-vmm fly
refuse "unknown option" secmmu-vmm run --fast
refuse "bad number" secmmu-vmm run --seconds many
refuse "bad size" secmmu-vmm run --memory 3
refuse "bad backing" secmmu-vmm run --backing paper
refuse "bad mix" secmmu-vmm storm --mix fly
refuse "nothing to do" secmmu-vmm storm --no-mirror --mix punch-hole
refuse "no script" secmmu-vmm storm --no-mirror /nowhere/script
refuse "unwritable file" secmmu-vmm run --no-mirror --seconds 1 \
	--json /nowhere/summary.json
mkdir -p /etc
echo 'nobody:x:65534:65534::/:/bin/sh' > /etc/passwd
chmod 0 /dev/kvm
refuse "no permission" su -s /bin/sh nobody -c 'secmmu-vmm run --no-mirror'
rm /dev/kvm
refuse "no /dev/kvm" secmmu-vmm run --no-mirror --seconds 1
exit $status
