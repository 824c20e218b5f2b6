# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2164 # names of kernel.sh, which has set -e
#
# Kernels built from Debian's newest kernel source, sourced by kernel.sh: tinyconfig,
# plus base.config, plus NAME.config, as far as they are of the architecture (built_config() in
# x86_64.sh and arm64.sh).
#
# A folder in the cache holds, besides what kernel.sh says,
#   recipe    what tells whether the configuration is still the wanted one
#   source    package and version of the source
# A kernel with a patch is built in a tree in the cache that stays, so that the next one takes
# less than a minute or two.
#   checked   its age tells when a newer source was last looked for

# How much room the unpacked source and its objects take, in MiB.
build_space=3000

# What the recipe of kernel $1 is now.
built_recipe()
{
	{
		built_config "$1"
		[ -z "$patch_file" ] || cat "$patch_file"
	} | sha256sum
}

# In a source tree: make with these arguments.
make_kernel()
{
	make ARCH="$kernel_arch" CROSS_COMPILE="$cross" LOCALVERSION="-$name" "$@"
}

# Is there a kernel of the wanted configuration, from whatever source?
built_ready()
{
	[ -e "$final/release" ] && [ -e "$final/recipe" ] &&
		[ "$(built_recipe "$name")" = "$(cat "$final/recipe")" ]
}

# ... and no need to look for a newer source today?
built_fresh()
{
	built_ready && [ -n "$(find "$final/checked" -mmin -1440 2>/dev/null)" ]
}

# The newest linux-source-N.N as "package version", or nothing.
newest_source()
{
	local package

	package=$(apt-cache search --names-only '^linux-source-[0-9]+\.[0-9]+$' |
		awk '{ print $1 }' | sort -V | tail -n 1)
	[ -z "$package" ] || printf '%s %s\n' "$package" "$(apt_newest "$package")"
}

# Looks for a newer source; is the kernel there already, built from that?
built_current()
{
	choose_source
	if built_from "$source_name"; then
		touch "$final/checked"
		return
	fi
	return 1
}

# Sets source_name to the package and version to build from, which is then fetched
# unless it has been built already. Without a network it is what there is.
choose_source()
{
	local folder=$cache/source/newest package version

	source_deb=$folder/source.deb
	apt_setup "$cache/apt" "$deb_arch"
	apt_update
	read -r package version < <(newest_source) || :
	source_name="${package:-} ${version:-}"
	if built_from "$source_name" || fetched "$folder"; then
		return
	fi
	need_space 400
	rm -rf "$folder.new"
	mkdir -p "$folder.new"
	if [ -n "${version:-}" ] && apt_try "$folder.new" "$package=$version"; then
		mv "$folder.new"/*.deb "$folder.new/source.deb"
		printf '%s\n' "$source_name" >"$folder.new/name"
		rm -rf "$folder"
		mv "$folder.new" "$folder"
		return
	fi
	rm -rf "$folder.new"
	if [ -e "$folder/name" ]; then
		source_name=$(cat "$folder/name")
	elif built_ready; then
		source_name=$(cat "$final/source")
	else
		tail -n 5 "$apt_dir/log/update.log" >&2
		fail "no linux-source package to be had from the Debian mirrors of this machine (does the network work?)"
	fi
	note "no newer source to be had now, taking $source_name"
}

# Is the kernel there, built from source $1?
built_from()
{
	built_ready && [ "$(cat "$final/source")" = "$1" ]
}

# Is $source_name what folder $1 holds?
fetched()
{
	[ -e "$1/source.deb" ] && [ "$(cat "$1/name")" = "$source_name" ]
}

# Unpacks into $1 what a kernel without such devices is built from; the
# makefiles and configuration menus of the rest must be there all the same.
unpack_source()
{
	local tarball=./usr/src/${source_name%% *}.tar.xz

	note "unpacking ${source_name%% *}"
	mkdir "$1"
	dpkg --fsys-tarfile "$source_deb" | tar -xO -f - "$tarball" |
		tar -xJ -f - -C "$1" --strip-components 1 \
			--exclude '*/drivers/gpu/*.[ch]' \
			--exclude '*/drivers/media/*.[ch]' \
			--exclude '*/drivers/net/*/*.[ch]' \
			--exclude '*/sound/*.[ch]' \
			--exclude '*/Documentation/*/*' \
			--exclude '*/tools/testing/*'
	[ -e "$1/scripts/kconfig/merge_config.sh" ] ||
		fail "$source_deb does not hold the kernel's source"
}

# Prints the lines of the fragments that did not make it into .config.
lost_settings()
{
	awk '
		FNR == NR { have[$0] = 1; next }
		/^CONFIG_/ && !($0 in have) { print "\t" $0 }
		/^# CONFIG_.* is not set$/ {
			# A symbol that is not even offered is not set either.
			symbol = $2 "="
			for (line in have)
				if (index(line, symbol) == 1)
					print "\t" $0
		}' .config "$@"
}

# In a source tree: writes .config.
configure()
{
	local wanted=.config.wanted lost

	built_config "$name" >$wanted
	{
		make_kernel tinyconfig &&
		scripts/kconfig/merge_config.sh -m .config $wanted &&
		make_kernel olddefconfig
	} >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		fail "cannot configure the kernel, the whole log is $log"
	}
	lost=$(lost_settings $wanted)
	[ -z "$lost" ] || fail "lost from the configuration of $name:
$lost"
}

# Copies make's output to the log; says now and then how far it is.
show_build()
{
	local line steps=0 start=$SECONDS next=$((SECONDS + 20))

	while IFS= read -r line; do
		printf '%s\n' "$line"
		steps=$((steps + 1))
		if [ $SECONDS -ge $next ]; then
			note "compiling: $steps steps in $((SECONDS - start)) s"
			next=$((SECONDS + 20))
		fi
	done >"$log"
}

# In a source tree: leaves in $1 what modules are built with.
keep_build()
{
	rm -rf scripts/kconfig scripts/dtc
	find scripts include -name '*.o' -delete
	find scripts include -name '*.cmd' -delete
	mkdir "$1"
	# shellcheck disable=SC2086 # names or none
	cp -a --parents -t "$1" Makefile Kbuild .config Module.symvers scripts include \
		arch/$kernel_arch/Makefile* arch/$kernel_arch/include $built_programs
}

# In a source tree: builds it.
compile_kernel()
{
	note 'compiling (takes six to twelve minutes on two cores)'
	make_kernel -j"$(nproc)" KBUILD_BUILD_USER=testvm KBUILD_BUILD_HOST=testvm 2>&1 |
		show_build
	if [ "${PIPESTATUS[0]}" != 0 ]; then
		grep -n -A 10 -i 'error' "$log" | tail -n 40 >&2
		fail "the kernel does not build, the whole log is $log"
	fi
}

# In a source tree that is built: fills $work, but for build/.
install_kernel()
{
	PATH=$PATH:/usr/sbin:/sbin make_kernel -s INSTALL_MOD_PATH="$work/tree" \
		modules_install >>"$log" 2>&1 ||
		fail "the kernel's modules cannot be installed, see $log"
	cp include/config/kernel.release "$work/release"
	cp "$built_image" "$work/vmlinuz"
	cp System.map "$work/System.map"
	cp .config "$work/config"
	mv "$work/tree/lib/modules/$(cat "$work/release")" "$work/modules"
	rm -rf "$work/modules/build" "$work/modules/source" "$work/tree"
	built_recipe "$name" >"$work/recipe"
	printf '%s\n' "$source_name" >"$work/source"
	touch "$work/checked"
}

# Fills $work.
build_kernel()
{
	local tree=$work/unpacked log=$final.log

	need_space $build_space
	unpack_source "$tree"
	cd "$tree"
	configure
	compile_kernel
	install_kernel
	keep_build "$work/build"
	cd "$work"
	rm -rf "$tree"
}

# Makes $tree the configured source that $source_name and the configuration ask for. Its file
# ready says so as long as no patch is in it.
prepare_tree()
{
	local wanted

	wanted="$source_name $(patch_file='' built_recipe "$name")"
	if [ "$(cat "$tree/ready" 2>/dev/null)" = "$wanted" ]; then
		cd "$tree"
		return
	fi
	rm -rf "$tree"
	need_space $build_space
	unpack_source "$tree"
	cd "$tree"
	configure
	printf '%s\n' "$wanted" >ready
}

# Fills $work with the kernel with $patch_file, as far as a VM needs it.
build_patched()
{
	local tree=$cache/source/$name$suffix.tree log=$final.log

	prepare_tree
	patch --dry-run -p1 -s -f -F0 <"$patch_file" >"$log" 2>&1 || {
		cat "$log" >&2
		fail "$patch_file does not apply to $source_name"
	}
	mv ready was-ready
	patch -p1 -s -f -F0 --no-backup-if-mismatch <"$patch_file"
	compile_kernel
	install_kernel
	patch -p1 -s -f -F0 -R --no-backup-if-mismatch <"$patch_file"
	mv was-ready ready
	cd "$work"
}
