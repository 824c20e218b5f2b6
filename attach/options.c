// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include "attach.h"
#include "options.h"
#include "option.h"
#include "runs.h"

#define MAX_PID		(1 << 22)
#define DEFAULT_SECONDS	5

enum option_key {
	OPTION_PID = 0x100,
	OPTION_VERIFY,
	OPTION_SECONDS,
	OPTION_STOP,
	OPTION_ALL,
	OPTION_RANGE,
	OPTION_JSON,
};

/* "START-END" as in /proc/PID/maps; outwards to whole pages. */
static void parse_range(struct argp_state *state, const char *text,
			struct attach_options *options)
{
	char *middle, *end;

	errno = 0;
	options->start = strtoull(text, &middle, 16);
	options->end = strtoull(middle + (*middle == '-'), &end, 16);
	if (errno || *text == '-' || middle == text || *middle != '-' ||
	    end == middle + 1 || *end || options->end <= options->start ||
	    options->end > -PAGE_BYTES)
		argp_error(state, "--range takes two hexadecimal addresses, START-END, not \"%s\"",
			   text);
	options->start &= -PAGE_BYTES;
	options->end = (options->end + PAGE_BYTES - 1) & -PAGE_BYTES;
}

static void check_attach(struct argp_state *state,
			 const struct attach_options *options)
{
	if (!options->pid)
		argp_error(state, "a process is missing: --pid N");
	if (!options->verify && (options->stop || options->seconds))
		argp_error(state, "--stop and --seconds go with --verify");
}

static error_t parse_attach(int key, char *text, struct argp_state *state)
{
	struct attach_options *options = state->input;

	switch (key) {
	case OPTION_PID:
		options->pid = (pid_t)option_number(state, "pid", text, 1,
						    MAX_PID);
		return 0;
	case OPTION_VERIFY:
		options->verify = true;
		return 0;
	case OPTION_STOP:
		options->stop = true;
		return 0;
	case OPTION_ALL:
		options->all = true;
		return 0;
	case OPTION_SECONDS:
		options->seconds = (uint32_t)option_number(state, "seconds",
							   text, 1,
							   OPTION_MAX_SECONDS);
		return 0;
	case OPTION_RANGE:
		parse_range(state, text, options);
		return 0;
	case OPTION_JSON:
		options->json = text;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", text);
		return 0;
	case ARGP_KEY_END:
		check_attach(state, options);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option attach_table[] = {
	{ "pid", OPTION_PID, "N", 0, "the process", 0 },
	{ "verify", OPTION_VERIFY, NULL, 0,
	  "compare every page with what the kernel says of the process, again and "
	  "again", 0 },
	{ "seconds", OPTION_SECONDS, "S", 0,
	  "compare for so long, and twice at least (default 5)", 0 },
	{ "stop", OPTION_STOP, NULL, 0,
	  "stop the process, as a debugger does, while a pass compares: every "
	  "byte must be equal then. In between it runs", 0 },
	{ "all", OPTION_ALL, NULL, 0,
	  "also read pages that the process has never touched, which gives them "
	  "to it, and those in swap space", 0 },
	{ "range", OPTION_RANGE, "START-END", 0,
	  "only these addresses, in hexadecimal", 0 },
	{ "json", OPTION_JSON, "FILE", 0, "write the numbers to FILE", 0 },
	{ 0 },
};

static const struct argp attach_argp = {
	.options = attach_table,
	.parser = parse_attach,
	.args_doc = "--pid N",
	.doc = "Mirror the memory of a running process, read it through the "
	       "mirror, and tell what is where. That takes CAP_SYS_PTRACE; the "
	       "process is not stopped, unless you ask for it.\v"
	       "Read are the pages that the process has in memory (by "
	       "/proc/N/pagemap): to read a page it has not would make the "
	       "kernel give it one. A comparison also looks, without that "
	       "effect, at those that it has given up since the pass before. "
	       "Areas where nobody may read, and device memory, are refused, and "
	       "count as such.\n\n"
	       "With --verify, a page that differs is looked at again many "
	       "times; Documentation/attach.rst tells when it counts as "
	       "changing, and when as stale.\n\n"
	       "Exits with 0 if nothing was stale, with 1 if a page was, with "
	       "2 if it could not look, with 3 if it saw too little: no page was "
	       "there, or the process ended or executed another program. Ctrl-C "
	       "ends it after the current pass, with 130.",
};

/**
 * attach_main - the command "attach"
 * @argc: number of arguments
 * @argv: the arguments
 *
 * Return: the program's exit status.
 */
int attach_main(int argc, char **argv)
{
	struct attach_options options = {
		.end = -PAGE_BYTES,
	};

	if (argp_parse(&attach_argp, argc, argv, 0, NULL, &options))
		return 2;
	if (!options.seconds)
		options.seconds = DEFAULT_SECONDS;
	return attach_run(&options);
}
