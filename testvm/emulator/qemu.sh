#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes the emulator ready in the cache: QEMU 10, from the backports to Debian 12. The
# machine's own QEMU stays as it is. Debian 12's has mistakes that 10 has not, and cannot
# repeat a run with several processors. Prints the path of the program; progress goes to
# stderr. The folder in the cache holds
#   version              Debian's
#   qemu-system-x86_64   a script that starts the program
#   bin/ share/          the program and its firmware
# The libraries are those of the machine: 7.2's package has them all.

set -eu

note()
{
	printf 'qemu: %s\n' "$*" >&2
}

fail()
{
	note "$*"
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=testvm/kernels/cache.sh
. "$here/../kernels/cache.sh"
# shellcheck source=testvm/kernels/apt.sh
. "$here/../kernels/apt.sh"

# The major version that testvm and its plugin know, as backported.
wanted='1:10\..*~bpo12'

usage()
{
	cat <<-END
	usage: qemu.sh
	Makes QEMU 10 ready in the cache, and prints the path of the program. The cache is
	SECMMU_CACHE, by default ~/.cache/secmmu. Fails where Debian's backports cannot be
	reached; testvm then uses the machine's own QEMU, and says so.
	END
}

# The newest version of package $1 that is backported to Debian 12.
backported()
{
	apt-cache madison "$1" 2>/dev/null |
		awk -F '|' -v wanted="$2" '
			{ gsub(/ /, "", $2) }
			$2 ~ wanted { print $2 }' | sort -V | tail -n 1
}

# The program looks for its modules where the machine's own QEMU has some of another build,
# and ends when it finds them. It needs none: let it look where nothing is.
forget_modules()
{
	perl -0777 -pi -e '
		my $at = "/usr/lib/x86_64-linux-gnu/qemu";
		my $nowhere = "/nowhere" . "\0" x (length($at) - length("/nowhere"));
		s{\Q$at\E\0}{$nowhere\0} or die "the path of the modules is not there\n"' "$1"
}

write_script()
{
	cat <<-'END'
	#!/bin/sh
	# Made by qemu.sh: QEMU with its own firmware, and without modules.
	here=$(dirname "$(readlink -f "$0")")
	export QEMU_MODULE_DIR="$here/lib"
	exec "$here/bin/qemu-system-x86_64" -L "$here/share/qemu" -L "$here/share/seabios" "$@"
	END
}

# Fills $work.
fill()
{
	local package version

	apt_setup "$cache/apt"
	apt_update
	mkdir "$work/deb" "$work/tree"
	for package in qemu-system-x86 qemu-system-data seabios; do
		version=$(backported "$package" "$([ $package = seabios ] || echo "$wanted")")
		[ -n "$version" ] || fail "the Debian mirrors of this machine have no QEMU 10 for Debian 12"
		apt_fetch "$work/deb" "$package=$version"
		[ $package != qemu-system-x86 ] || printf '%s\n' "$version" >"$work/version"
	done
	for package in "$work"/deb/*.deb; do
		dpkg -x "$package" "$work/tree"
	done
	mkdir "$work/bin" "$work/share"
	mv "$work/tree/usr/bin/qemu-system-x86_64" "$work/bin/"
	mv "$work/tree/usr/share/qemu" "$work/tree/usr/share/seabios" "$work/share/"
	rm -rf "$work/deb" "$work/tree"
	forget_modules "$work/bin/qemu-system-x86_64"
	write_script >"$work/qemu-system-x86_64"
	chmod 755 "$work/qemu-system-x86_64"
	# The first names a library that is missing, the second a module that is not.
	"$work/qemu-system-x86_64" --version >&2 &&
		"$work/qemu-system-x86_64" -device help >"$work/devices" ||
		fail 'the program does not run here'
	rm "$work/devices"
}

case ${1:-} in
--help)
	usage
	exit 0
	;;
esac
[ $# -eq 0 ] || { usage >&2; exit 2; }

final=$cache/qemu
ready()
{
	[ -e "$final/version" ]
}

ready || cache_lock "$final" perl
if ! ready; then
	cache_fill "$final" fill
	note "QEMU $(cat "$final/version") is ready"
fi
printf '%s\n' "$final/qemu-system-x86_64"
