/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line, from a table: an option has a name, says what it is for, and where
 * its value goes. Whatever is wrong is answered with one sentence, a hint at --help and
 * die_status.
 */
#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

#define OPTION_MAX_SECONDS	86400

/**
 * struct option_entry - an option
 * @name: without dashes; NULL ends the table
 * @letter: short for it, or 0
 * @argument: what --help calls its argument; NULL if it has none
 * @help: the sentence of --help
 * @offset: where its value goes, in the structure given to options_parse()
 * @size: of the value: 4 or 8 bytes of a number
 * @least: the smallest number
 * @most: the largest; 0 if it is no number but a text or, without @argument, a bool
 * @parse: understands the argument instead; NULL if none is needed
 * @flags: as of argp
 */
struct option_entry {
	const char *name;
	char letter;
	const char *argument;
	const char *help;
	size_t offset;
	size_t size;
	uint64_t least;
	uint64_t most;
	void (*parse)(struct argp_state *state, char *text, void *values);
	int flags;
};

/* How a table says where the value goes; the type is that of the structure. */
#define OPTION_VALUE(type, member) .offset = offsetof(type, member)
#define OPTION_NUMBER(type, member, from, to) \
	OPTION_VALUE(type, member), .size = sizeof(((type *)NULL)->member), \
	.least = (from), .most = (to)

/**
 * struct command_line - what a program takes
 * @table: its options
 * @arguments: what --help calls its other arguments, or NULL
 * @help: what --help says
 * @argument: takes an argument that is no option; NULL if there are none
 * @check: called in the end, or NULL
 * @flags: as of argp_parse()
 */
struct command_line {
	const struct option_entry *table;
	const char *arguments;
	const char *help;
	void (*argument)(struct argp_state *state, char *text, void *values);
	void (*check)(struct argp_state *state, void *values);
	unsigned int flags;
};

void options_parse(const struct command_line *line, int argc, char **argv, void *values);

#endif /* LIB_OPTIONS_H */
