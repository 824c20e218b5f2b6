# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# Debian's programs in the guest.

# What the machine's own apt and dpkg have.
apt_state()
{
	find /etc/apt /var/lib/apt /var/cache/apt /var/lib/dpkg -type f -printf '%p %s %T@\n' 2>&1 |
		sort
}

# Steps of a check beside this one may install packages as root (setup.sh): not now.
test_debian_program()
{
	(
		if [ "$(id -u)" = 0 ]; then
			exec 8>/run/lock/secmmu-setup
			flock 8
		fi
		run_debian_program
	)
}

run_debian_program()
{
	apt_state >"$temp/before"
	expect 0 vm --debian 'hello, sed' sh -c 'hello; /bin/sed --version' >"$temp/out" &&
		grep -q '^Hello, world!$' "$temp/out" &&
		grep -q '(GNU sed) 4\.' "$temp/out" &&
		apt_state | diff "$temp/before" -
}

# The first one takes a network, or a cache that has it.
test_debian_unknown()
{
	expect 126 vm --debian hello --debian no-such-package-of-debian true || return
	! grep -q 'cannot read the package lists' "$temp/err" || return 2
	says "Debian 12 has no package 'no-such-package-of-debian'"
}
