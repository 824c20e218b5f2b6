# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What scripts of make targets share; to be sourced.

top=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${BUILD:-$top/build}
export BUILD
# Where programs for guests of ARCH are; what runs here is in $BUILD.
programs=$BUILD
[ "${ARCH:-x86_64}" = x86_64 ] || programs=$BUILD/$ARCH
# Make, Kbuild and lists of names here take a blank for an end.
case $top in
*[[:space:]]*)
	echo "the path of this checkout has blanks in it: $top; move it" >&2
	exit 2
	;;
esac

say()
{
	printf '== %s\n' "$*"
}

# --- What is asked for: refused before anything is built or fetched ------------------

refuse()
{
	echo "$(basename "$0" .sh): $*" >&2
	exit 2
}

# The arguments are none, or --help; usage() says what there is.
take_no_arguments()
{
	case $* in
	'') ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
}

# Names and values, in turn.
need_numbers()
{
	while [ $# -gt 0 ]; do
		case $2 in
		'' | *[!0-9]* | ??????????????????*) refuse "$1 is a number, not \"$2\"" ;;
		esac
		shift 2
	done
}

# The name of a variable, a word of it, and all words that there are.
need_word()
{
	case " $3 " in
	*" $2 "*) ;;
	*) refuse "$1: there is no \"$2\"; there are: $3" ;;
	esac
}

need_kernel()
{
	need_word KERNEL "$1" "$("$top/testvm/kernels/kernel.sh" --arch "${ARCH:-x86_64}" --names)"
}

# A seeded bug, or none.
need_mutant()
{
	[ "$1" = none ] || grep -qxF -e "$1" "$top/mutants/series" ||
		refuse "MUTANT: there is no \"$1\"; mutants/series has all seeded bugs"
}

# Have a folder of results for this run alone, until it and all that it started have ended.
# The VM of a run that was interrupted takes a moment.
own_folder()
{
	mkdir -p "$(dirname "$1")"
	exec 8> "$1.lock"
	flock -w 5 8 || refuse "another run uses $1"
}

# --- Results --------------------------------------------------------------------------

# One result of a self-test: a title, and the command that decides, whose output goes to
# $log. The name of the test, $suite, comes first; failed is 1 once something was wrong.
# shellcheck disable=SC2154,SC2034 # of the test that calls it
try()
{
	try_title="$suite, $1"
	shift
	if "$@" > "$log" 2>&1; then
		echo "ok - $try_title"
	else
		sed 's/^/# /' "$log" | tail -n 60
		echo "not ok - $try_title"
		failed=1
	fi
}

# --- Building -------------------------------------------------------------------------

# Set up the machine, then build the programs, which another run may do as well. Quiet
# unless it fails, which is no verdict: status 2.
build_tools()
{
	"$top/check/setup.sh" || exit 2
	mkdir -p "$BUILD"
	for part in "$@"; do
		say "building $part"
		if ! flock "$BUILD/build.lock" make -j"$(nproc)" -C "$top/$part" > "$BUILD/$part.log" 2>&1; then
			tail -n 40 "$BUILD/$part.log" >&2
			echo "$part does not build; see $BUILD/$part.log" >&2
			exit 2
		fi
	done
}

# Is there the QEMU whose runs repeat themselves?
can_repeat()
{
	"$top/testvm/emulator/qemu.sh" > /dev/null 2>&1
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

# The scripts that run in a test VM, into folder $1.
copy_guest_scripts()
{
	mkdir -p "$1"
	cp "$top"/check/guest/*.sh "$1/"
	cp "$top/fuzz/guest.sh" "$1/fuzz.sh"
	cp "$top/mutants/guest.sh" "$1/mutants.sh"
	chmod +x "$1"/*.sh
}

# What goes into a test VM besides busybox and the modules, into folder $1; with another
# argument the selftests too, and this module.
make_root()
{
	rm -rf "$1"
	mkdir -p "$1/usr/bin"
	cp "$programs/vmm/secmmu-vmm" "$programs/vmm/secmmu-observed" "$1/usr/bin/"
	copy_guest_scripts "$1/usr/lib/secmmu"
	cp -R "$top/vmm/storm/scripts" "$1/usr/lib/secmmu/"
	[ "${2-}" ] || return 0
	make -s -C "$top/selftests" install DESTDIR="$1/usr/lib/secmmu/selftests"
	cp "$2" "$1/usr/lib/secmmu/"
}

# Kernel $1, and the driver built for it in flavour $2, for ARCH; sets module.
prepare_kernel()
{
	say "kernel $1"
	"$top/testvm/kernels/kernel.sh" --arch "${ARCH:-x86_64}" "$1" > /dev/null || exit 2
	say "building the driver for $1 ($2)"
	# shellcheck disable=SC2034 # for whoever calls
	module=$("$top/testvm/kernels/module.sh" --arch "${ARCH:-x86_64}" "$1" "$2") || exit 2
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
