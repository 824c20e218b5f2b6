# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion for secmmu-vmm and secmmu-attach: the commands, and the options that the
# --help of each has.

_secmmu()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=("$1") words

	if [ "${1##*/}" = secmmu-vmm ]; then
		case $COMP_CWORD,${COMP_WORDS[1]} in
		1,*) before=secmmu-vmm ;;
		*,storm | *,run | *,shrink | *,attach | *,top | *,demo) command+=("${COMP_WORDS[1]}") ;;
		esac
	fi
	case $before in
	secmmu-vmm) words='storm run shrink attach top demo --help --version' ;;
	--pid | -p) words=$(cd /proc && echo [1-9]*) ;;
	--backing) words='anon memfd' ;;
	demo) words='lam-switch --help' ;;
	--domain) words=$(virsh -q list --name 2> /dev/null) ;;
	--json | --dump)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	*)
		words=$("${command[@]}" --help 2> /dev/null |
			sed -n 's/^  .\{4\}\(--[a-z-]*\).*/\1/p')
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _secmmu secmmu-vmm secmmu-attach
