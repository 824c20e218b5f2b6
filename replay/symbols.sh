# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of replay.sh
# Symbols of a recorded run, sourced by replay.sh, which sets run (the record), work (a folder
# for files) and kernel (its name or image). All programs come out of the recorded initramfs,
# so they are those that ran.

# Where the names of the kernel's functions and variables stand. Debian's System.map has none;
# a kernel tells them itself, and it lies at the same place in each VM.
find_map()
{
	local image=$cache/kernels/$kernel/vmlinuz kept

	[ -e "$image" ] || image=$kernel
	if [ "$(head -n 1000 "${image%/*}/System.map" 2> /dev/null | wc -l)" = 1000 ]; then
		echo "${image%/*}/System.map"
		return
	fi
	kept=$BUILD/replay/$(cksum < "$image" | tr ' ' .).kallsyms
	if [ ! -s "$kept" ]; then
		say 'asking the kernel for its symbols' >&2
		mkdir -p "$BUILD/replay"
		# shellcheck disable=SC2016 # the guest's
		"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --cpus 1 --out "$work/symbols" \
			-- sh -c 'grep -v "\[" /proc/kallsyms > $OUT/kallsyms' >&2
		mv "$work/symbols/kallsyms" "$kept"
	fi
	echo "$kept"
}

# The driver and the programs of the run, below $work/tree.
unpack_programs()
{
	mkdir -p "$work/tree"
	(cd "$work/tree" && cpio -idm --quiet 'testvm/*/secmmu.ko' 'usr/lib/secmmu/secmmu.ko' \
		'usr/bin/secmmu-*') < "$run/initramfs"
	driver=$(find "$work/tree/testvm" -name secmmu.ko 2> /dev/null | head -n 1)
	driver=${driver:-$work/tree/usr/lib/secmmu/secmmu.ko}
	[ -e "$driver" ] || driver=
	# The others are helpers.
	for program in explore fuzz vmm bench; do
		program=$work/tree/usr/bin/secmmu-$program
		[ ! -e "$program" ] || return 0
	done
	program=
}

# Where the parts of the driver lay, as "PART ADDRESS..."; a run loads it at one place.
driver_sections()
{
	sed -n 's/\r$//; s/.*testvm-init: sections of secmmu: //p' "$run/console" | head -n 1
}

# addresses_of PLACE: of a function of the driver or the kernel, or FILE:LINE of the driver,
# which may be compiled to several pieces; hexadecimal.
addresses_of()
{
	local text

	text=$(driver_sections | sed -n 's/.*\.text 0x\([0-9a-f]*\).*/\1/p')
	if [ "$driver" ] && [ "$text" ]; then
		offsets_of "$1" | while read -r offset; do
			printf '%x\n' $((0x$text + 0x$offset))
		done | grep . && return
	fi
	awk -v name="$1" '$3 == name && $2 ~ /[tTwW]/ { print $1; exit }' "$(find_map)"
}

# The same, in the driver's code.
offsets_of()
{
	case $1 in
	*:*) objdump --dwarf=decodedline "$driver" 2> /dev/null | awk -v file="${1%:*}" -v line="${1#*:}" '
		# A piece may have several entries, one behind the other.
		$1 == file && $2 == line && $3 ~ /^0x/ && !inside { print substr($3, 3) }
		NF >= 3 { inside = $1 == file && $2 == line }' ;;
	*) readelf -sW "$driver" | awk -v name="$1" -v text="$(text_index)" \
		'$4 == "FUNC" && $8 == name && $7 == text { print $2; exit }' ;;
	esac
}

text_index()
{
	readelf -SW "$driver" | sed -n 's/^ *\[ *\([0-9]*\)\] \.text .*/\1/p'
}

# An object file with the kernel's functions and data, and nothing else: there are no types
# or lines for Debian's kernels, nor does kernel.sh keep any of those that it builds.
make_kernel_symbols()
{
	awk '
		function section(name, kind, pattern,   i) {
			printf ".section .%s,\"%s\",@nobits\n.L%s:\n.skip 0x8000000\n", name,
				kind, name
			for (i = 1; i <= n; i++)
				if (type[i] ~ pattern)
					printf ".set \"%s\", .L%s + 0x%s\n.type \"%s\", %s\n",
						symbol[i], name, offset[i], symbol[i],
						kind == "ax" ? "@function" : "@object"
		}
		# From ffffffff80000000 on, where the kernel lies; not offsets of CPUs.
		$1 ~ /^ffffffff[89ab]/ && !seen[$3]++ {
			offset[++n] = sprintf("%x%s", index("89ab", substr($1, 9, 1)) - 1,
					      substr($1, 10))
			type[n] = $2
			symbol[n] = $3
		}
		END {
			section("kernel", "ax", "^[tTwW]$")
			section("variables", "aw", "^[dDbBrR]$")
		}' "$(find_map)" > "$work/kernel.s"
	gcc -c -o "$work/kernel.o" "$work/kernel.s"
}

# The folder whose build of the driver this is. It names its sources as they lie there; a
# later build has others.
find_sources()
{
	local copy

	for copy in "$BUILD"/modules/*/driver/secmmu.ko; do
		if cmp -s "$copy" "$driver"; then
			echo "${copy%/driver/*}"
			return
		fi
	done
	say 'the driver was built anew since: gdb has no sources of it' >&2
}

# gdb's commands that load all of them.
symbol_commands()
{
	local part address sources more='' text=''

	make_kernel_symbols
	[ ! "$program" ] || echo "file $program"
	echo "add-symbol-file $work/kernel.o -s .kernel 0xffffffff80000000" \
		"-s .variables 0xffffffff80000000"
	[ "$driver" ] || return 0
	sources=$(find_sources)
	[ ! "$sources" ] || echo "directory $sources"
	# shellcheck disable=SC2046 # pairs of words
	set -- $(driver_sections)
	while [ $# -gt 1 ]; do
		part=$1 address=$2
		shift 2
		if [ "$part" = .text ]; then
			text=$address
		else
			more+=" -s $part $address"
		fi
	done
	[ ! "$text" ] || echo "add-symbol-file $driver $text$more"
}
