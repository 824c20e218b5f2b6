#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2317 # try calls them
set -u
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: selftest.sh
Installs into a folder and removes it again, and compares manual pages and completion with
the programs. Prints TAP. It needs the module for 6.1, normal.
END
}

take_no_arguments "$@"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
log=$scratch/log
failed=0
suite=packaging
# make check has settings for the makes that it starts.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES

# The checkout without what was built, at $1.
copy_checkout()
{
	mkdir -p "$1"
	tar -C "$top" -cf - --exclude=./build --exclude-vcs . | tar -C "$1" -xf -
}

# The options of a program, from its --help.
options_of()
{
	"$@" --help | sed -n 's/^  .\{4\}\(--[a-z-]*\).*/\1/p' | grep -v -- --usage
}

# --- What is installed ----------------------------------------------------------------

dest=$scratch/dest
kdir=$("$top/testvm/kernels/kernel.sh" 6.1)/build
module=$BUILD/modules/6.1-normal/driver
vmm=$dest/usr/sbin/secmmu-vmm

install_all()
{
	make -C "$top" install DESTDIR="$dest" PREFIX=/usr KDIR="$kdir" MODULE="$module"
}

has_all()
{
	local name

	for name in usr/sbin/secmmu-attach usr/share/man/man4/secmmu.4 \
		usr/share/man/man7/secmmu.7 usr/share/man/man8/secmmu-vmm.8 \
		usr/share/man/man8/secmmu-attach.8 usr/include/linux/secmmu.h \
		usr/lib/udev/rules.d/60-secmmu.rules; do
		[ -s "$dest/$name" ] || { echo "no $name"; return 1; }
	done
	[ "$(find "$dest" -type f -o -type l | wc -l)" = 11 ] || { find "$dest"; return 1; }
}

is_dynamic()
{
	ldd "$vmm" | grep libc.so
}

# Modules are where modprobe finds them by name, and say their version.
has_module()
{
	local release version

	release=$(cd "$dest/lib/modules" && echo *)
	touch "$dest/lib/modules/$release/modules.order" "$dest/lib/modules/$release/modules.builtin"
	depmod -b "$dest" "$release"
	modprobe -d "$dest" -S "$release" --show-depends secmmu || return
	version=$(modinfo -F version "$dest/lib/modules/$release/updates/secmmu.ko")
	rm "$dest/lib/modules/$release"/modules.*
	[ "$version" ] && [ "$("$vmm" --version)" = "secmmu-vmm (secmmu) $version" ] &&
		[ "$("$dest/usr/sbin/secmmu-attach" --version)" = "secmmu-attach (secmmu) $version" ]
}

# Page $1 has each option of the others.
page_has_options()
{
	local page=$1 option
	shift
	for option in $(options_of "$@"); do
		grep -qE -- "Fl -${option#--}( |$)" "$page" ||
			{ echo "$page has no $option"; return 1; }
	done
}

pages_are_clean()
{
	local page

	for page in "$top"/Documentation/man/*.[0-9]; do
		mandoc -T lint -W warning "$page" || return
	done
}

# What completion offers for the words.
complete_words()
{
	PATH=$dest/usr/sbin:$PATH bash -c '. "$1"; shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_secmmu "$1"
		printf "%s\n" "${COMPREPLY[@]}"' - \
		"$dest/usr/share/bash-completion/completions/secmmu-vmm" "$@"
}

completion_works()
{
	[ "$(complete_words secmmu-vmm r)" = run ] &&
		[ "$(complete_words secmmu-vmm run --back)" = --backing ] &&
		[ "$(complete_words secmmu-attach --ver)" = "--verify
--version" ]
}

uninstall_leaves_nothing()
{
	make -C "$top" uninstall DESTDIR="$dest" PREFIX=/usr KDIR="$kdir"
	[ "$(find "$dest" -mindepth 1 | wc -l)" = 0 ] || { find "$dest"; return 1; }
}

# --- What is removed --------------------------------------------------------------------

clean_removes_all()
{
	local copy=$scratch/copy

	copy_checkout "$copy"
	make -C "$copy" clean KDIR=/none > /dev/null || return
	(cd "$copy" && find . | sort) > "$scratch/clean"
	mkdir "$copy/build" "$copy/driver/.tmp_versions"
	touch "$copy"/driver/{secmmu.ko,secmmu.o,.secmmu.o.cmd,secmmu.mod,secmmu.mod.c} \
		"$copy"/driver/{modules.order,Module.symvers} "$copy/driver/test/gate.o" \
		"$copy/bench/module/.x.o.cmd" "$copy/.Module.symvers.cmd"
	make -C "$copy" clean KDIR=/none || return
	(cd "$copy" && find . | sort) | diff "$scratch/clean" -
}

try "all is installed" install_all
try "nothing is missing, nothing is too many" has_all
try "secmmu-vmm is linked dynamically" is_dynamic
try "modprobe finds the module, and versions agree" has_module
try "secmmu-vmm(8) has all options" page_has_options "$top/Documentation/man/secmmu-vmm.8" \
	"$vmm" storm
try "secmmu-vmm(8) has the options of shrink" page_has_options \
	"$top/Documentation/man/secmmu-vmm.8" "$vmm" shrink
try "secmmu-vmm(8) has the options of top" page_has_options \
	"$top/Documentation/man/secmmu-vmm.8" "$vmm" top
try "secmmu-attach(8) has all options" page_has_options \
	"$top/Documentation/man/secmmu-attach.8" "$vmm" attach
if PACKAGES=mandoc "$top/check/setup.sh"; then
	try "manual pages are clean" pages_are_clean
else
	echo "ok - packaging, manual pages are clean # SKIP mandoc is not installed"
fi
try "completion offers commands and options" completion_works
try "make uninstall leaves nothing" uninstall_leaves_nothing
try "make clean removes what any kernel's build has left" clean_removes_all
exit $failed
