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

# What log $1 has of the last boot: testvm starts over when emulation spoils a run.
last_boot()
{
	awk '/^testvm: starting over$/ { n = 0; next } { line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i] }' "$1"
}

# Make folder $2 like $1, which goes away: what would be the same keeps its time.
update_tree()
{
	mkdir -p "$2"
	(cd "$2" && find . -type f) | while read -r file; do
		[ -e "$1/$file" ] || rm "$2/$file"
	done
	(cd "$1" && find . -type f) | while read -r file; do
		cmp -s "$1/$file" "$2/$file" && continue
		mkdir -p "$2/${file%/*}"
		cp "$1/$file" "$2/$file"
	done
	rm -rf "$1"
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
