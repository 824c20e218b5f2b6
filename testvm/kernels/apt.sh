# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A private apt, sourced by kernel.sh: it reads the machine's configuration
# for mirrors, keys and proxies, and keeps everything it writes in the cache.

apt_dir=

# Prints the Debian entries of the machine's sources, one per line, as
#   kind <tab> uri <tab> keys
# kind is main or security; keys is a Signed-By value with its line breaks
# turned into \036, or empty.
apt_mirrors()
{
	local -a lists=() deb822=()
	local file

	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$file" ] && lists+=("$file")
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -r "$file" ] && deb822+=("$file")
	done
	{
		[ ${#lists[@]} -eq 0 ] || apt_one_line "${lists[@]}"
		[ ${#deb822[@]} -eq 0 ] || apt_deb822 "${deb822[@]}"
	} | awk -F '\t' '
		# A Debian entry is known by its suite or by its path. Others
		# that look alike are not harmful: they lack the packages.
		$4 !~ /(^| )main( |$)/ || $1 ~ /^cdrom:/ { next }
		{
			path = $1
			sub(/\/+$/, "", path)
			if ($2 ~ /-security(\/|$)/ || $2 ~ /\/updates$/ ||
			    path ~ /\/debian-security$/)
				kind = "security"
			else
				kind = "main"
			debian = $2 ~ /^bookworm(-updates|-backports|-security)?$/ ||
				 path ~ /\/debian(-security)?$/
			if (debian && !seen[kind, path]++)
				printf "%s\t%s\t%s\n", kind, path, $3
		}'
}

# One-line format: deb [options] uri suite components; prints uri, suite, keys,
# components.
apt_one_line()
{
	awk '
		$1 != "deb" { next }
		{
			keys = ""
			sub(/[ \t]#.*/, "")
			sub(/^[ \t]*deb[ \t]+/, "")
			if (match($0, /^\[[^]]*\]/)) {
				options = substr($0, 2, RLENGTH - 2)
				$0 = substr($0, RLENGTH + 1)
				n = split(options, option, /[ \t]+/)
				for (i = 1; i <= n; i++)
					if (sub(/^signed-by=/, "", option[i]))
						keys = option[i]
			}
			gsub(/,/, " ", keys)
			uri = $1
			suite = $2
			$1 = $2 = ""
			printf "%s\t%s\t%s\t%s\n", uri, suite, keys, $0
		}' "$@"
}

# Paragraph format: the same for each pair in each paragraph.
apt_deb822()
{
	awk '
		function flush_entry(   u, s, i, j, nu, ns) {
			nu = split(value["uris"], u, " ")
			ns = split(value["suites"], s, " ")
			if (value["types"] ~ /(^| )deb( |$)/ &&
			    tolower(value["enabled"]) !~ /^(no|false|0)$/)
				for (i = 1; i <= nu; i++)
					for (j = 1; j <= ns; j++)
						printf "%s\t%s\t%s\t%s\n",
						       u[i], s[j],
						       value["signed-by"],
						       value["components"]
			delete value
			field = ""
		}
		FNR == 1 { flush_entry() }
		/^#/ { next }
		/^[ \t]*$/ { flush_entry(); next }
		/^[ \t]/ {
			if (field == "signed-by")
				value[field] = value[field] "\036" $0
			else
				value[field] = value[field] " " $0
			next
		}
		{
			colon = index($0, ":")
			field = tolower(substr($0, 1, colon - 1))
			value[field] = substr($0, colon + 1)
			gsub(/^[ \t]+|[ \t]+$/, "", value[field])
		}
		END { flush_entry() }' "$@"
}

# Writes one paragraph for the private apt: uri, suites, keys.
apt_paragraph()
{
	printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$1" "$2"
	if [ -n "$3" ]; then
		printf 'Signed-By: %s\n' "$3" | tr '\036' '\n'
	fi
	printf '\n'
}

# apt_setup DIR [ARCHITECTURE]: writes the private configuration below DIR. Packages are those
# of this architecture, by default the machine's own; PACKAGE:amd64 then is one of the machine.
apt_setup()
{
	local dir=$1 architecture=${2:-amd64} kind uri keys found=no all='"amd64";'

	[ "$architecture" = amd64 ] || all="\"$architecture\"; $all"

	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" \
		"$dir/log"
	: >"$dir/status"	# what is installed here must not matter
	: >"$dir/mirrors.sources"
	while IFS=$'\t' read -r kind uri keys; do
		found=yes
		case $kind in
		# The last suite is there for its kernel sources. It is signed with
		# keys that bookworm's own keyring has.
		main) apt_paragraph "$uri" \
			'bookworm bookworm-backports trixie-backports' "$keys" ;;
		security) apt_paragraph "$uri" bookworm-security "$keys" ;;
		esac >>"$dir/mirrors.sources"
	done < <(apt_mirrors)
	[ "$found" = yes ] ||
		fail "apt's sources on this machine name no Debian mirror"

	# apt reads $APT_CONFIG, then the machine's apt.conf.d, then Dir::Etc::main:
	# what must win over the machine's settings stands in that last file. The
	# hooks are cleared since they would act on the machine.
	printf 'Dir::Etc::main "%s";\n' "$dir/last.conf" >"$dir/first.conf"
	{
		[ ! -r /etc/apt/apt.conf ] ||
			printf '#include "/etc/apt/apt.conf";\n'
		cat <<-CONF
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Pre-Invoke;
		#clear DPkg::Post-Invoke;
		#clear DPkg::Pre-Install-Pkgs;
		#clear APT::Default-Release;
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Dir::State "$dir/state";
		Dir::State::lists "$dir/state/lists";
		Dir::State::status "$dir/status";
		Dir::State::extended_states "$dir/state/extended_states";
		Dir::Cache "$dir/cache";
		Dir::Cache::archives "$dir/cache/archives";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
		Dir::Log "$dir/log";
		Dir::Etc::sourcelist "$dir/mirrors.sources";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		#clear APT::Architectures;
		APT::Architecture "$architecture";
		APT::Architectures { $all };
		CONF
	} >"$dir/last.conf"
	apt_dir=$dir
	export APT_CONFIG=$dir/first.conf
}

# Fetches the package lists. A suite that a mirror lacks is no failure here:
# the look-up that follows decides.
apt_update()
{
	note 'reading package lists'
	apt-get -q update </dev/null >"$apt_dir/log/update.log" 2>&1 || :
}

# apt_newest PACKAGE: the highest version there is, from any suite.
apt_newest()
{
	apt-cache madison "$1" 2>/dev/null |
		awk -F '|' '{ gsub(/ /, "", $2); print $2 }' | sort -V | tail -n 1
}

# apt_depends PACKAGE VERSION: its dependencies, one "name version" per line;
# the version is empty unless the dependency fixes it.
apt_depends()
{
	apt-cache show "$1=$2" 2>/dev/null | awk '
		/^Depends:/ && !done++ {
			sub(/^Depends: */, "")
			n = split($0, part, /, */)
			for (i = 1; i <= n; i++) {
				sub(/ *\|.*/, "", part[i])
				split(part[i], word, /[ ()]+/)
				print word[1], word[2] == "=" ? word[3] : ""
			}
		}'
}

# apt_try DIR PACKAGE=VERSION: downloads into DIR, if possible.
apt_try()
{
	note "downloading ${2%%=*}"
	(cd "$1" && apt-get -q download "$2") </dev/null >"$apt_dir/log/fetch.log" 2>&1
}

# apt_fetch DIR PACKAGE=VERSION...: downloads into DIR.
apt_fetch()
{
	local dir=$1 package

	shift
	for package; do
		apt_try "$dir" "$package" && continue
		tail -n 10 "$apt_dir/log/fetch.log" >&2
		fail "cannot download ${package%%=*}"
	done
}
