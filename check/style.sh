#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2317 # says_nothing calls them
# What the kernel's checkers and others say of the sources, apart from checkpatch and sparse.
set -eu
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<END
usage: style.sh
Prints TAP: kernel-doc of 7.3 with -Wall, codespell, docutils, sphinx, shellcheck, the
compiler with W=1, and the semantic patches of 7.3 in report mode. Installs what is missing.
END
}

take_no_arguments "$@"
cd "$top"
status=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A title, and a command that says nothing if all is well. (try() wants the status only.)
says_nothing()
{
	local title=$1
	shift
	if "$@" > "$scratch/said" 2>&1 && [ ! -s "$scratch/said" ]; then
		echo "ok - style, $title"
	else
		sed 's/^/# /' "$scratch/said" | head -n 40
		echo "not ok - style, $title"
		status=1
	fi
}

kernel_doc()
{
	python3 "$source/tools/docs/kernel-doc" -none -Wall driver/*.[ch] driver/test/*.[ch] \
		driver/compat/*.h uapi/linux/*.h
}

# Names and abbreviations of this project are no mistakes; manual pages have macros.
spelling()
{
	git ls-files | grep -vE '^(COPYING|Documentation/man/.*|mutants/.*\.patch)$' |
		xargs codespell -q 3 -L damon,inflight,whats,froms
}

# Headings of the same name are fine.
rst()
{
	python3 -c 'import sys
from docutils.core import publish_file
for name in sys.argv[1:]:
    publish_file(source_path=name, destination_path="/dev/null",
                 settings_overrides={"report_level": 2, "halt_level": 5})' Documentation/*.rst
}

# One book of all documents, so that each is in some table.
book()
{
	mkdir "$scratch/book"
	cp Documentation/*.rst "$scratch/book/"
	printf '%s\n' Documents ========= '' '.. toctree::' '   :glob:' '' '   *' > "$scratch/book/index.rst"
	: > "$scratch/book/conf.py"
	sphinx-build -q -W --keep-going -b dummy "$scratch/book" "$scratch/book/out"
}

# Functions that try() calls seem unused to it.
shell_scripts()
{
	find . \( -path ./build -o -path ./.git \) -prune -o -name '*.sh' -print | sort |
		xargs shellcheck -x -f gcc -e SC2317
}

# A test build, and the suites, in a folder of that name, with options for make.
compiler()
{
	local build module=$scratch/$1
	shift

	build=$(testvm/kernels/kernel.sh newest)/build
	mkdir "$module"
	cp -R driver uapi "$module/"
	make -s -j"$(nproc)" -C "$build" M="$module/driver" CONFIG_SECMMU=m CONFIG_SECMMU_TEST=y \
		CONFIG_SECMMU_KUNIT_TEST=y W=1 "$@" modules
}

# The headers, configured for gcc, have address spaces that clang has not.
clang()
{
	local not='-Wno-unknown-warning-option -Wno-duplicate-decl-specifier -Wno-microsoft-anon-tag'

	compiler clang CC="$top/check/clang.sh" KCFLAGS="-Werror $not" 2>&1 |
		grep -vE '^warning: the compiler differs|^  (The kernel was built by|You are using):'
	return "${PIPESTATUS[0]}"
}

semantic_patches()
{
	local patch

	find "$source/scripts/coccinelle" -name '*.cocci' | sort | while read -r patch; do
		grep -q '^virtual report' "$patch" || continue
		timeout 120 spatch -D report --very-quiet --no-show-diff --no-includes \
			--cocci-file "$patch" --dir driver 2> /dev/null || :
	done
}

PACKAGES='codespell python3-docutils python3-sphinx shellcheck coccinelle libpython3.11 clang-19' check/setup.sh
source=$(testvm/kernels/kernel.sh --source 7.3)
says_nothing "kernel-doc" kernel_doc
if git rev-parse HEAD > /dev/null 2>&1; then
	says_nothing "spelling" spelling
else
	echo 'ok - style, spelling # SKIP this is no checkout of git'
fi
says_nothing "documents are well-formed" rst
says_nothing "sphinx has no warning" book
says_nothing "shellcheck" shell_scripts
says_nothing "W=1, gcc" compiler gcc KCFLAGS=-Werror
says_nothing "W=1, clang" clang
says_nothing "semantic patches of the kernel" semantic_patches
exit "$status"
