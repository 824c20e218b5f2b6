#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: setup.sh. Installs what building and booting needs on a Debian 12 machine, and
# makes a newer QEMU ready in the cache. Says nothing and needs no network when everything is
# there already. In the environment: PACKAGES are installed too; some targets need more than
# others. ARCH=arm64: also what it takes to build and boot for that.

set -eu

case $* in
'') ;;
--help) sed -n '4,8s/^# //p' "$0"; exit 0 ;;
*) echo 'usage: setup.sh; see --help' >&2; exit 2 ;;
esac

packages='gcc make libc6-dev perl patch pkg-config bc flex bison libelf-dev libssl-dev
	dwarves kmod xz-utils zstd cpio sparse busybox-static gnuplot-nox spin tcc
	libvirt-dev libvirt-daemon libvirt-daemon-driver-qemu qemu-system-x86'
packages="$packages ${PACKAGES-}"
[ "${ARCH-}" != arm64 ] || packages="$packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross"

fail()
{
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

# Prints those of the packages that are not installed, on one line.
missing_packages()
{
	# shellcheck disable=SC2086
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages 2>/dev/null |
	awk -v wanted="$packages" '
		$1 == "installed" { have[$2] = 1 }
		END {
			n = split(wanted, want)
			for (i = 1; i <= n; i++)
				if (!(want[i] in have))
					line = line (line == "" ? "" : " ") want[i]
			print line
		}'
}

# Runs one apt-get step, its chatter kept in the log unless it fails.
apt_step()
{
	printf 'setup: apt-get %s\n' "$1" >&2
	DEBIAN_FRONTEND=noninteractive apt-get -y -q "$@" \
		</dev/null >>"$log" 2>&1 && return
	tail -n 20 "$log" >&2
	fail "apt-get $1 failed, the whole log is $log"
}

install_packages()
{
	if [ "$(id -u)" -ne 0 ]; then
		# shellcheck disable=SC2086
		fail "packages are missing, run as root: apt-get update && apt-get install --no-install-recommends" $1
	fi
	# Steps of a check that want more packages take turns; apt-get update would not wait.
	exec 8>/run/lock/secmmu-setup
	flock 8
	log=$(mktemp "${TMPDIR:-/tmp}/secmmu-setup.XXXXXX")
	apt_step update
	# shellcheck disable=SC2086
	apt_step install --no-install-recommends $1
	rm -f "$log"
	exec 8>&-
}

# libvirt's driver looks this account up when root opens it; the daemon's
# package creates it, and that package is not needed here.
create_account()
{
	if getent passwd libvirt-qemu >/dev/null; then
		return
	fi
	if [ "$(id -u)" -ne 0 ]; then
		return	# only root's connections look it up
	fi
	getent group kvm >/dev/null || groupadd --system kvm
	getent group libvirt-qemu >/dev/null || groupadd --system libvirt-qemu
	useradd --system --no-create-home --home-dir /var/lib/libvirt \
		--shell /usr/sbin/nologin --gid kvm --groups libvirt-qemu \
		--comment 'Libvirt Qemu' libvirt-qemu
}

for tool in dpkg-query apt-get dpkg; do
	command -v "$tool" >/dev/null ||
		fail "this needs a Debian machine, $tool was not found"
done
[ "$(dpkg --print-architecture)" = amd64 ] || fail 'only amd64 is supported'

missing=$(missing_packages)
if [ -n "$missing" ]; then
	install_packages "$missing"
	missing=$(missing_packages)
	[ -z "$missing" ] || fail "still missing after installing: $missing"
fi
create_account
# Not a failure: the machine's own QEMU can do most of what is done here.
"$(dirname "$0")/../testvm/emulator/qemu.sh" >/dev/null ||
	printf 'setup: going on with the QEMU of this machine\n' >&2
if [ "${ARCH-}" = arm64 ] &&
   ! "$(dirname "$0")/../testvm/emulator/qemu.sh" --arch arm64 >/dev/null &&
   ! command -v qemu-system-aarch64 >/dev/null; then
	fail 'there is no QEMU that emulates arm64'
fi
