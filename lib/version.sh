#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Prints the version of all that is here: that of the module, in driver/main.c.
set -eu

case $# in
0) ;;
*)
	echo "usage: version.sh"
	echo "Prints the version of secmmu, from MODULE_VERSION of the driver."
	[ "$*" = --help ] && exit 0
	exit 2
	;;
esac
sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' "$(dirname "$0")/../driver/main.c"
