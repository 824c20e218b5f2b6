// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include "attach.h"
#include "follow.h"
#include "options.h"
#include "runs.h"

#define MAX_PID		(1 << 22)
#define DEFAULT_SECONDS	5

/* "START-END" as in /proc/PID/maps; outwards to whole pages. */
static void parse_range(struct argp_state *state, char *text, void *values)
{
	struct attach_options *options = values;
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

/* As strace does without -p, but for a number. */
static void choose_pid(struct argp_state *state, char *text, void *values)
{
	struct attach_options *options = values;
	char *end;
	long pid = strtol(text, &end, 10);

	if (options->pid)
		argp_error(state, "one process, not \"%s\" as well", text);
	if (end == text || *end || pid < 1 || pid > MAX_PID)
		argp_error(state, "\"%s\" is no number of a process", text);
	options->pid = (pid_t)pid;
}

static void check_options(struct argp_state *state, void *values)
{
	const struct attach_options *options = values;

	if (!options->pid == !options->domain)
		argp_error(state, options->pid ? "a process or a domain, not both" :
			   "which process? Its number, or --domain NAME");
	if (!options->domain && (options->connect || options->dump))
		argp_error(state, "--connect and --dump go with --domain");
	if (options->domain && options->follow)
		argp_error(state, "--follow does not go with --domain");
	if (!options->verify && (options->stop || options->seconds || options->follow ||
				 options->brief))
		argp_error(state, "--stop, --seconds, --follow and --brief go with --verify");
}

#define VALUE(member)		OPTION_VALUE(struct attach_options, member)
#define NUMBER(member, to)	OPTION_NUMBER(struct attach_options, member, 1, to)

static const struct option_entry table[] = {
	{ "pid", 'p', "N", "the process, also without --pid", NUMBER(pid, MAX_PID) },
	{ "verify", 0, NULL,
	  "compare every page with what the kernel says of the process, again and again",
	  VALUE(verify) },
	{ "seconds", 0, "S", "compare for so long, and twice at least (default 5)",
	  NUMBER(seconds, OPTION_MAX_SECONDS) },
	{ "stop", 0, NULL,
	  "stop the process, as a debugger does, while a pass compares: every "
	  "byte must be equal then. In between it runs", VALUE(stop) },
	{ "follow", 'f', NULL,
	  "also compare the processes that it forks, and that these fork, until the time "
	  "is up; FILE of --json gets the number of the process behind its name",
	  VALUE(follow) },
	{ "brief", 0, NULL, "only list areas with pages that are changing or stale",
	  VALUE(brief) },
	{ "all", 0, NULL,
	  "also read pages that the process has never touched, which gives them "
	  "to it, and those in swap space", VALUE(all) },
	{ "domain", 0, "NAME",
	  "the QEMU of this guest of libvirt, and only the guest's memory, by guest "
	  "physical addresses", VALUE(domain) },
	{ "connect", 0, "URI", "where libvirt is, as for virsh", VALUE(connect) },
	{ "dump", 0, "FILE",
	  "write what the mirror shows of the guest to FILE, at its guest physical addresses",
	  VALUE(dump) },
	{ "range", 0, "START-END", "only these addresses, in hexadecimal; of a guest: its own",
	  .parse = parse_range },
	{ "json", 0, "FILE", "write the numbers to FILE", VALUE(json) },
	{ 0 },
};

static const struct command_line line = {
	.table = table,
	.argument = choose_pid,
	.check = check_options,
	.arguments = "N\n--domain NAME",
	.help = "Mirror the memory of a running process, read it through the "
		"mirror, and print a table of its areas. That takes CAP_SYS_PTRACE. "
		"The process continues, unless you ask to stop it.\v"
		"It reads the pages that the process has in memory (by "
		"/proc/N/pagemap), because a read of another page would make the "
		"kernel map one. A comparison also looks, without that effect, at "
		"pages that the process has given up since the pass before. "
		"Unreadable areas and device memory count as refused.\n\n"
		"With --verify, it looks many times at a page that differs; "
		"Documentation/attach.rst tells when the page counts as changing, "
		"and when as stale.\n\n"
		"Exits with 0 if no page was stale, with 1 if one was, with 2 if it "
		"could not look, with 3 if it saw too little: there was no page, "
		"or the process ended or executed another program. Ctrl-C ends it "
		"after the current pass, with 130.",
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
	struct attach_options options = { .end = -PAGE_BYTES };

	options_parse(&line, argc, argv, &options);
	if (!options.seconds)
		options.seconds = DEFAULT_SECONDS;
	return options.follow ? follow_run(&options) : attach_run(&options);
}
