#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes the emulator ready in the cache: QEMU 10, from the backports to Debian 12. The
# machine's own QEMU stays as it is. Debian 12's has mistakes that 10 has not, and cannot
# repeat a run with several processors. Prints the path of the program; progress goes to
# stderr. The folder in the cache holds
#   version            Debian's
#   qemu-system-ARCH   a script that starts the program
#   bin/ share/        the program and its firmware
# The libraries are those of the machine: 7.2's package for x86-64 has them all.

set -eu

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
	usage: qemu.sh [--arch ARCH]
	Makes QEMU 10 ready in the cache, the one that emulates ARCH, x86_64 (the default) or
	arm64, and prints the path of the program. The cache is SECMMU_CACHE, by default
	~/.cache/secmmu. Fails where Debian's backports cannot be reached; testvm then uses
	the machine's own QEMU, and says so.
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
	cat <<-END
	#!/bin/sh
	# Made by qemu.sh: QEMU with its own firmware, and without modules.
	here=\$(dirname "\$(readlink -f "\$0")")
	export QEMU_MODULE_DIR="\$here/lib"
	exec "\$here/bin/$program" -L "\$here/share/qemu" -L "\$here/share/seabios" "\$@"
	END
}

# Fills $work.
fill()
{
	local package version

	apt_setup "$cache/apt"
	apt_update
	mkdir "$work/deb" "$work/tree"
	for package in $packages; do
		version=$(backported "$package" "$([ "$package" = seabios ] || echo "$wanted")")
		[ -n "$version" ] || fail "the Debian mirrors of this machine have no QEMU 10 for Debian 12"
		apt_fetch "$work/deb" "$package=$version"
		[ -e "$work/version" ] || printf '%s\n' "$version" >"$work/version"
	done
	for package in "$work"/deb/*.deb; do
		dpkg -x "$package" "$work/tree"
	done
	mkdir "$work/bin" "$work/share"
	mv "$work/tree/usr/bin/$program" "$work/bin/"
	for package in $firmware; do
		mv "$work/tree/usr/share/$package" "$work/share/"
	done
	rm -rf "$work/deb" "$work/tree"
	forget_modules "$work/bin/$program"
	write_script >"$work/$program"
	chmod 755 "$work/$program"
	# The first names a library that is missing, the second a module that is not.
	# shellcheck disable=SC2015,SC2086 # fail does not return; words of options
	"$work/$program" --version >&2 &&
		"$work/$program" $board -device help >"$work/devices" ||
		fail 'the program does not run here'
	rm "$work/devices"
}

wrong_usage()
{
	usage >&2
	exit 2
}

case ${1:-} in
--help)
	usage
	exit 0
	;;
esac
arch=x86_64
if [ $# -eq 2 ] && [ "$1" = --arch ]; then
	arch=$2
elif [ $# -ne 0 ]; then
	wrong_usage
fi
# The first of the packages has the program. The board for arm64 starts a kernel by itself.
case $arch in
x86_64)
	program=qemu-system-x86_64 packages='qemu-system-x86 qemu-system-data seabios'
	firmware='qemu seabios' board='' final=$cache/qemu
	;;
arm64)
	program=qemu-system-aarch64 packages='qemu-system-arm' firmware=
	board='-machine virt' final=$cache/qemu-arm64
	;;
*) wrong_usage ;;
esac
ready()
{
	[ -e "$final/version" ]
}

ready || cache_lock "$final" perl
if ! ready; then
	cache_fill "$final" fill
	note "QEMU $(cat "$final/version") is ready"
fi
printf '%s\n' "$final/$program"
