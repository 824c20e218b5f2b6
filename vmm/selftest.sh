#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On the host, without a VM: stamps and reads are judged as they must be, the table of operations
# can be read, and --mix takes what it says.
# Prints "ok" and "not ok" lines.
set -u
case ${1-} in
'') ;;
--help) echo "usage: selftest.sh"; exit 0 ;;
*) echo "usage: selftest.sh" >&2; exit 2 ;;
esac
vmm=${BUILD:-${0%/*}/../build}/vmm/secmmu-vmm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
said=$work/said script=$work/script
status=0

tell()
{
	[ "$1" = 0 ] || { cat "$said"; status=1; }
	if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi
}

# $1 is refused with status 2, in words that have $2.
refuse()
{
	local got=0

	"$vmm" storm --list --mix "$1" > "$said" 2>&1 || got=$?
	[ $got = 2 ] && grep -q -- "$2" "$said"
	tell $? "--mix '$1' is refused"
}

"${vmm%/*}/stamp_test"
tell $? "stamps are judged"
"${vmm%/*}/judge_test"
tell $? "so is all that readers and operations see"
"$vmm" storm --list > "$said" 2>&1
tell $? "the table is printed"
names=$(sed -n 's/ (weight [0-9]*): .*//p' "$said")
[ "$(wc -l <<< "$names")" -ge 43 ]
tell $? "it has $(wc -l <<< "$names") operations"
[ "$(sort -u <<< "$names")" = "$(sort <<< "$names")" ]
tell $? "each has a name of its own"
[ "$(grep -c '^    path   .' "$said")" = "$(wc -l <<< "$names")" ]
tell $? "each has a path"
[ "$(grep -c 'content is' "$said")" -ge "$(wc -l <<< "$names")" ]
tell $? "each has a rule"
undocumented=$(for name in $names; do
	grep -q "^$name  *" "${0%/*}/../Documentation/storm.rst" || echo "$name"
done)
echo "$undocumented" > "$said"
[ -z "$undocumented" ]
tell $? "each is documented"
"$vmm" storm --list --mix "$(tr '\n' ',' <<< "$names" | sed 's/,$//')" > "$said" 2>&1
tell $? "--mix takes all names"
"$vmm" run --list --mix all,free=0,unmap=100 > "$said" 2>&1
tell $? "--mix takes weights"
# A script of the lines $2 ... is refused with status 2, and $1.
refuse_script()
{
	local got=0 wrong=$1

	shift
	printf '%s\n' "$@" > "$script"
	"$vmm" storm --no-mirror --seconds 1 "$script" > "$said" 2>&1 || got=$?
	[ $got = 2 ] && grep -q -- "$wrong" "$said"
	tell $? "a script is refused: $wrong"
}

refuse_script 'script.*:1: a script begins with' 'unmap 1 2'
refuse_script 'script.*:3: there is no such operation' 'discarder 0' '# a comment' 'fly 1 2'
refuse_script 'script.*:2: an operation takes' 'discarder 0' 'unmap 1'
refuse_script 'script.*:2: an operation takes' 'discarder 0' 'unmap 1 0'
refuse_script 'script.*:2: an operation takes' 'discarder 0' 'unmap 1 2 3'
refuse_script 'script.*:1: there are discarders 0 to 3' 'discarder 4'
refuse_script 'there is nothing to do' 'discarder 0' '' '# nothing'
refuse_script 'not within a slot' 'discarder 1' 'barrier' 'unmap 4294967295 1'
refuse_script 'more than it can take' 'discarder 0' 'move-pages 0 65'
refuse_script 'more than it can take' 'discarder 0' 'mremap-move-huge 0 513'
refuse_script 'more than it can take' 'discarder 0' 'soft-dirty 0 2'
refuse_script 'not at the end' 'discarder 0' 'truncate 0 64'
for wrong in '' "$script" "$script $script --output x" "$script --output x --tries 0"; do
	# shellcheck disable=SC2086 # words
	"$vmm" shrink $wrong > "$said" 2>&1
	[ $? = 2 ]
	tell $? "shrink ${wrong//$work/} is refused"
done
"$vmm" storm --mix all "$script" > "$said" 2>&1
[ $? = 2 ] && grep -q 'either a script or --mix' "$said"
tell $? "a script and a mix are refused"
"$vmm" storm --memory 8G --subject kvm > "$said" 2>&1
[ $? = 2 ] && grep -q 'kvm has no addresses from 3 GiB on' "$said"
tell $? "8 GiB are refused where a subject has no such addresses"
# A kernel that dies of "unmap 7" with "fork 9" behind it.
cat > "$work/testvm" << 'END'
#!/bin/sh
while [ "$1" != --root ]; do shift; done
for file in "$2"/candidates/*; do
	echo "@ begin ${file##*/}"
	! tr '\n' ' ' < "$file" | grep -q 'unmap 7 1.*fork 9 1' || exit 125
done
echo "@ done"
END
chmod +x "$work/testvm"
{
	echo "discarder 0"
	printf 'unmap %d 1\n' 1 2 3 4 5 6 7 8 9 10
	echo "discarder 1"
	printf 'fork %d 1\n' 1 2 3 4 5 6 7 8 9 10
} > "$script"
SHRINK_TESTVM=$work/testvm "${0%/*}/storm/shrink.pl" "$script" --output "$work/few" > "$said" 2>&1
[ "$(tr '\n' ' ' < "$work/few")" = "discarder 0 unmap 7 1 discarder 1 fork 9 1 " ]
tell $? "a script of which the kernel dies is cut, boot by boot"
sed -i '/fork 9/d' "$script"
SHRINK_TESTVM=$work/testvm "${0%/*}/storm/shrink.pl" "$script" --output "$work/few" > "$said" 2>&1
[ $? = 1 ]
tell $? "one of which it does not die is not"
# A report becomes a page.
cat > "$work/storm.json" << 'END'
{"verdict":"PASS","subject":"none","seconds":2,"first_violation_us":null,
"read_latency_ns":{"p50":1024,"p99":4096,"p999":8192},
"operations":[{"name":"fork","done":3,"refused":0,"proofs":2,"left_out":""},
{"name":"mbind","done":0,"refused":0,"proofs":0,"left_out":"one <node>"}],
"timeline":[{"ms":1000,"guest_writes":100,"engine_reads":50,"operations":3,"events":7,"zapped":1,
"retries":0,"violations":0,"heap":1000},{"ms":2000,"guest_writes":300,"engine_reads":150,
"operations":9,"events":17,"zapped":1,"retries":0,"violations":1,"heap":1000}]}
END
page=${0%/*}/storm/page.pl
"$page" "$work/storm.json" > "$said" 2>&1 && grep -q 'left out: one &lt;node&gt;' "$said" &&
	[ "$(grep -c 'class="curve"' "$said")" = 8 ] &&
	grep -q 'points="450.0,[0-9.]* 810.0,10.0"' "$said" &&
	perl -I"${0%/*}/../lib" -MHtml=is_well_formed -0777 -ne 'exit !is_well_formed($_)' "$said"
tell $? "a report becomes a page"
echo '{}' > "$work/storm.json"
! "$page" "$work/storm.json" > "$said" 2>&1 && grep -q 'not of a storm' "$said"
tell $? "what is no report is refused"
refuse fly 'no operation "fly"'
refuse free=many 'a weight is a number from 0 to 10000'
refuse free=10001 'a weight is a number from 0 to 10000'
refuse free=-1 'a weight is a number from 0 to 10000'
refuse free= 'a weight is a number from 0 to 10000'
refuse free=0 'no operation is left'
refuse '' 'no operation ""'
refuse free, 'no operation ""'
refuse all=2 'no operation "all"'
exit $status
