# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What scripts of make targets share; to be sourced.

top=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${BUILD:-$top/build}
export BUILD

say()
{
	printf '== %s\n' "$*"
}

# Set up the machine, then build the programs. Quiet unless it fails.
build_tools()
{
	"$top/check/setup.sh"
	mkdir -p "$BUILD"
	for part in "$@"; do
		say "building $part"
		if ! make -j"$(nproc)" -C "$top/$part" > "$BUILD/$part.log" 2>&1; then
			tail -n 40 "$BUILD/$part.log" >&2
			echo "$part does not build; see $BUILD/$part.log" >&2
			return 1
		fi
	done
}

# What goes into a test VM besides busybox and the modules.
make_root()
{
	root=$1
	rm -rf "$root"
	mkdir -p "$root/usr/bin" "$root/usr/lib/secmmu"
	cp "$BUILD/vmm/secmmu-vmm" "$BUILD/vmm/secmmu-subject" "$root/usr/bin/"
	cp "$top"/check/guest/*.sh "$root/usr/lib/secmmu/"
	cp "$top/fuzz/guest.sh" "$root/usr/lib/secmmu/fuzz.sh"
	cp "$top/mutants/guest.sh" "$root/usr/lib/secmmu/mutants.sh"
	chmod +x "$root"/usr/lib/secmmu/*.sh
}

# Prints how many times longer kernel $1 takes, which looks at everything it does: for
# SECMMU_TEST_SLOW, in the guest and for limits here.
slow_kernel()
{
	case $1 in
	debug) echo "${SECMMU_TEST_SLOW:-5}" ;;
	kcsan) echo "${SECMMU_TEST_SLOW:-10}" ;;
	*) echo "${SECMMU_TEST_SLOW:-1}" ;;
	esac
}
