# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# shellcheck disable=SC2317 # try calls them
# Real tasks: a copy of this commit is built, and each boots a test VM.

count()
{
	sql "SELECT count(*) FROM results WHERE task LIKE '$1-%' AND verdict = '$2'"
}

# Schedules 1 to 60 and 61 to 120, without a bug, and with one that they show.
explores()
{
	SCHEDULES=60 TEST=F1_keys run 0 explore 1-2 && [ "$(count explore pass)" = 2 ] &&
		MUTANT=keys-unlocked SCHEDULES=300 TEST=F1_keys run 1 explore 1 &&
		[ "$(count explore fail)" = 1 ]
}

fuzzes()
{
	KERNEL=6.1 CAMPAIGN_SECONDS=5 run 0 fuzz 7-8 && [ "$(count fuzz pass)" = 2 ]
}

soaks()
{
	CYCLES=5 RELOADS=1 CAMPAIGN_SECONDS=5 run 0 soak 3 && [ "$(count soak pass)" = 1 ]
}

mutates()
{
	MUTANT=ignore-invalidate run 0 mutants 1 && [ "$(count mutants pass)" = 1 ]
}

if "$top/testvm/emulator/qemu.sh" > /dev/null 2>&1; then
	try "schedules are played, and one shows a seeded bug" explores
else
	echo "ok - campaign, schedules are played # SKIP no QEMU 10, see testvm/emulator/qemu.sh"
fi
try "the driver is fuzzed" fuzzes
try "the driver is soaked" soaks
try "a seeded bug is killed" mutates
