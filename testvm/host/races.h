/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data races, as a kernel with KCSAN reports them: a line of "=", the title, the stacks
 * of both who raced, a line of "=". The kernel's own races are many, and no affair of
 * ours; one is the driver's if the driver is in either stack, unless that is the stack of
 * an interrupt or exception in which the driver was only what it interrupted, or another
 * module stands between it and what raced: the driver calls none, so the kernel has called
 * that one for reasons of its own (as it calls KVM's notifiers when the driver faults).
 */
#ifndef TESTVM_RACES_H
#define TESTVM_RACES_H

#include <stdbool.h>

/* Kinds of the kernel's own races that are told apart. */
#define RACE_KINDS	64
#define RACE_TITLE	200

/**
 * struct races - the reports of a log, read line by line; zero at the start
 * @open: inside a report
 * @ours: the driver is in it
 * @beneath: inside a stack, below the entry of an interrupt or exception, or below
 *	another module
 * @title: its title, also after its end
 * @others: the kernel's own, so far
 * @nr_kinds: kinds of those, by their titles, as far as there is room
 * @kinds: ... and how many there were of each
 */
struct races {
	bool open;
	bool ours;
	bool beneath;
	char title[RACE_TITLE];
	unsigned int others;
	unsigned int nr_kinds;
	struct {
		char title[RACE_TITLE];
		unsigned int count;
	} kinds[RACE_KINDS];
};

enum race {
	RACE_NONE,	/* not a report's title or end: a line as any other */
	RACE_LINE,	/* it is; nothing to complain of, so far */
	RACE_OFFENDS,	/* with this line a report has ended that is the driver's */
};

/**
 * races_line() - read one line
 * @races: what came before
 * @line: the line
 *
 * A report that breaks off counts as the driver's: who knows whose it was.
 */
enum race races_line(struct races *races, const char *line);

/**
 * races_end() - the log has ended
 * @races: what came before
 *
 * Return: whether it ended within a report.
 */
bool races_end(struct races *races);

/**
 * races_tell_others() - list the kernel's own, if there were any
 * @races: all
 * @prefix: put before each line
 */
void races_tell_others(const struct races *races, const char *prefix);

#endif
