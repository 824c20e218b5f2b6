// SPDX-License-Identifier: GPL-2.0
/*
 * On a kernel that watches itself: what it found, and whether it still watched in
 * the end. What init says with "BUG:" fails the run, and so does what the kernel says
 * of leaks and locks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define LOCKDEP		"/proc/lockdep_stats"
#define KCSAN		"/sys/kernel/debug/kcsan"

/* Seconds; kmemleak leaves younger objects alone, and frees may wait for RCU. */
#define KMEMLEAK_AGE	8

/* kmemleak cannot be told to scan once it has given up. */
static void scan(void)
{
	if (write_file(KMEMLEAK, "scan"))
		say("BUG: kmemleak does not watch");
}

static void report_leaks(void)
{
	char *report, *line, *save;

	sleep(KMEMLEAK_AGE);
	/* An object must look unreferenced twice: one scan may miss a moving pointer. */
	scan();
	scan();
	report = read_file(KMEMLEAK, NULL);
	if (!report)
		say("BUG: kmemleak does not report");
	line = report ? strtok_r(report, "\n", &save) : NULL;
	for (; line; line = strtok_r(NULL, "\n", &save))
		say(strncmp(line, "unreferenced", 12) ? "kmemleak: %s" :
		    "BUG: leak: %s", line);
	free(report);
}

/* Lockdep ends with its first report, of whatever kind, or for want of room. */
static void report_lockdep(void)
{
	char *stats = read_file(LOCKDEP, NULL);
	char *line = stats ? strstr(stats, "debug_locks:") : NULL;

	if (!line || atoi(line + strlen("debug_locks:")) != 1)
		say("BUG: lockdep does not watch");
	free(stats);
}

/* The number behind a word of KCSAN's, or -1. */
static long kcsan_number(const char *stats, const char *word)
{
	const char *at = stats ? strstr(stats, word) : NULL;

	return at ? atol(at + strlen(word)) : -1;
}

/* It has reported as it went; say how much it has looked at. */
static void report_kcsan(void)
{
	char *stats = read_file(KCSAN, NULL);
	long watched = kcsan_number(stats, "setup_watchpoints: ");

	if (kcsan_number(stats, "enabled: ") != 1 || watched <= 0)
		say("BUG: KCSAN does not watch");
	say("kcsan: %ld accesses watched, %ld races, %ld of unknown origin, "
	    "%ld accesses too many to watch", watched,
	    kcsan_number(stats, "data_races: "),
	    kcsan_number(stats, "races_unknown_origin: "),
	    kcsan_number(stats, "no_capacity: "));
	free(stats);
}

void checkup_begin(void)
{
	if (access(KMEMLEAK, F_OK))
		return;
	scan();
	if (write_file(KMEMLEAK, "clear"))
		say("BUG: kmemleak cannot be cleared");
}

void checkup_end(void)
{
	if (!access(LOCKDEP, F_OK))
		report_lockdep();
	if (!access(KCSAN, F_OK))
		report_kcsan();
	if (!access(KMEMLEAK, F_OK))
		report_leaks();
}
