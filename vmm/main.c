// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "attach/attach.h"
#include "demo.h"
#include "exitcode.h"
#include "message.h"
#include "options.h"
#include "report.h"
#include "shrink.h"
#include "storm.h"
#include "top.h"
#include "vm.h"

/* Of "run". The first goes on top of --seconds. */
#define DEFAULT_LONGER		300
#define DEFAULT_STUCK_AFTER	60

/* Bytes, or with K, M or G behind them. */
static void parse_memory(struct argp_state *state, char *text, void *values)
{
	static const char units[] = "KMG";
	struct storm_options *options = values;
	const char *unit;
	unsigned int shift = 0;
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
	}
	if (errno || end == text || *end || *text == '-' ||
	    value > MEMORY_MAX >> shift || value << shift < MEMORY_MIN)
		argp_error(state, "--memory takes a size from 16M to 8G, not \"%s\"",
			   text);
	options->memory = (value << shift) / GUEST_PAGE_SIZE * GUEST_PAGE_SIZE;
}

static void parse_backing(struct argp_state *state, char *text, void *values)
{
	struct storm_options *options = values;

	options->backing = strcmp(text, "memfd") ? MEMORY_ANON : MEMORY_MEMFD;
	if (options->backing == MEMORY_ANON && strcmp(text, "anon"))
		argp_error(state, "--backing is anon or memfd, not \"%s\"", text);
}

static void parse_mistake(struct argp_state *state, char *text, void *values)
{
	static const char *const names[MISTAKES] = {
		[MISTAKE_NONE] = "none",
		[MISTAKE_INSTRUCTION] = "instruction",
		[MISTAKE_ADDRESS] = "address",
		[MISTAKE_MOMENTARY] = "momentary",
		[MISTAKE_SHUTDOWN] = "shutdown",
		[MISTAKE_TABLES] = "tables",
	};
	struct storm_options *options = values;
	enum guest_mistake mistake = 0;

	while (mistake < MISTAKES && strcmp(text, names[mistake]))
		mistake++;
	if (mistake == MISTAKES)
		argp_error(state, "--mistake is instruction, address, momentary, shutdown or "
			   "tables, not \"%s\"", text);
	if (mistake >= MISTAKE_SHUTDOWN && !vm_arch_shuts_down())
		argp_error(state, "--mistake %s is for x86: other vCPUs never shut down", text);
	options->mistake = mistake;
}

static void parse_subject(struct argp_state *state, char *text, void *values)
{
	struct storm_options *options = values;

	options->subject = subject_find(text);
	if (options->subject)
		return;
	argp_error(state, "--subject: there is no \"%s\", see secmmu-judge --list", text);
}

static void parse_mix(struct argp_state *state, char *text, void *values)
{
	struct storm_options *options = values;
	char why[128];

	if (!mix_parse(&options->mix, text, why, sizeof(why)))
		argp_error(state, "--mix: %s", why);
	options->mix.asked = true;
}

static void choose_script(struct argp_state *state, char *text, void *values)
{
	struct storm_options *options = values;

	if (options->script)
		argp_error(state, "one script, not \"%s\" as well", text);
	options->script = text;
}

static void check_run(struct argp_state *state, void *values)
{
	struct storm_options *options = values;

	if (options->script && options->mix.asked)
		argp_error(state, "either a script or --mix");
	if (options->file && options->backing != MEMORY_MEMFD)
		argp_error(state, "--file needs --backing memfd");
	if (options->unmirrored)
		options->subject = subject_find("procmem");
	if (options->memory > MEMORY_LOW && !options->subject->high &&
	    !(options->subject->limits & SUBJECT_IDENTITY))
		argp_error(state, "--memory takes at most 2G: %s has no addresses from 3 GiB on",
			   options->subject->name);
	if ((options->refill || options->array || options->tags || options->domains || options->keys) &&
	    !options->subject->vary)
		argp_error(state,
			   "--refill, --array, --tags, --domains and --keys are the driver's: not with %s",
			   options->unmirrored ? "--no-mirror" : options->subject->name);
}

#define VALUE(member)			OPTION_VALUE(struct storm_options, member)
#define NUMBER(member, from, to)	OPTION_NUMBER(struct storm_options, member, from, to)

static const struct option_entry run_table[] = {
	{ "memory", 0, "SIZE", "guest memory, 16M to 8G (default 64M)",
	  .parse = parse_memory },
	{ "vcpus", 0, "N", "virtual CPUs (default 2)", NUMBER(vcpus, 1, MAX_VCPUS) },
	{ "engines", 0, "N", "engines of the mirror (default 2)",
	  NUMBER(engines, 1, MAX_ENGINES) },
	{ "mirrors", 0, "N", "instances of the subject, which share the engines (default 1)",
	  NUMBER(mirrors, 1, MAX_MIRRORS) },
	{ "discarders", 0, "N", "threads that perform operations (default 2)",
	  NUMBER(discarders, 1, MAX_DISCARDERS) },
	{ "hot", 0, "N", "pages that half of all accesses go to (default 128)",
	  NUMBER(hot, 1, 4096) },
	{ "aim", 0, NULL, "operations take pages that engines have just used, or come to one "
	  "that has just begun; engines take those that were taken", VALUE(aim) },
	{ "swarm", 0, NULL, "only some of the operations are performed at a time, others every half "
	  "a second, and half of the time mostly in the window", VALUE(swarm) },
	{ "seconds", 0, "S", "duration, at least (default 30)",
	  NUMBER(seconds, 1, OPTION_MAX_SECONDS) },
	{ "limit", 0, "S",
	  "duration, at most: until then the storm goes on for as long as it has "
	  "proved too little (default: 300 more than --seconds)",
	  NUMBER(limit, 1, OPTION_MAX_SECONDS) },
	{ "writes", 0, "N", "fewer guest writes prove nothing (default 10000)",
	  NUMBER(writes, 0, INT64_MAX) },
	{ "events", 0, "N", "fewer events prove nothing (default 1000)",
	  NUMBER(events, 0, INT64_MAX) },
	{ "violations", 0, "N", "so many violations end the storm (default 100)",
	  NUMBER(violations, 1, INT64_MAX) },
	{ "outside", 0, NULL, "do not have the subject look at itself in the end: judge what is "
	  "seen from outside", VALUE(outside) },
	{ "stuck-after", 0, "S",
	  "so long without any progress means that a thread is stuck; on slow "
	  "kernels times $SECMMU_TEST_SLOW (default 60)", NUMBER(stuck_after, 1, 3600) },
	{ "seed", 0, "X", "repeat every thread's choices (default: the time)",
	  NUMBER(seed, 0, INT64_MAX) },
	{ "backing", 0, "KIND",
	  "anon (default): private anonymous memory; memfd: shared memory",
	  .parse = parse_backing },
	{ "file", 0, "PATH", "with memfd: a file that is made there, instead of a memfd", VALUE(file) },
	{ "subject", 0, "NAME",
	  "the secondary MMU that is under test (default: secmmu)", .parse = parse_subject },
	{ "no-mirror", 0, NULL,
	  "the same as --subject procmem: engines go through /proc/self/mem", VALUE(unmirrored) },
	{ "refill", 0, NULL,
	  "the mirror brings back what an event of a whole block of 2 MiB has dropped",
	  VALUE(refill) },
	{ "array", 0, NULL,
	  "the mirror flushes whenever a few entries were dropped, not once an event",
	  VALUE(array) },
	{ "tags", 0, NULL, "engines put tags on their addresses", VALUE(tags) },
	{ "domains", 0, NULL,
	  "engines move between domains, leave the mirror and come back",
	  VALUE(domains) },
	{ "keys", 0, NULL, "memory has protection keys, and engines change their rights",
	  VALUE(keys) },
	{ "mix", 0, "NAME[=WEIGHT],...",
	  "the operations, and how often each is chosen; \"all\" stands for all of them. "
	  "Those that are named, and possible here, must reach their path in the kernel, or the "
	  "storm proves too little", .parse = parse_mix },
	{ "record", 0, "FILE", "write down what was done to memory, as a script",
	  VALUE(record) },
	{ "list", 0, NULL, "print the table of operations", VALUE(list) },
	{ "mistake", 0, "KIND",
	  "let the guest do something wrong once, to see that noticed",
	  .parse = parse_mistake, .flags = OPTION_HIDDEN },
	{ "json", 0, "FILE", "write the numbers to FILE", VALUE(json) },
	{ 0 },
};

static const struct command_line run_line = {
	.table = run_table,
	.argument = choose_script,
	.check = check_run,
	.arguments = "[SCRIPT]",
	.help = "Run a storm: a KVM guest and the engines of a mirror read and "
		"write stamped pages while their memory is taken away, and "
		"every read is judged. \"storm\" performs all operations that there are, "
		"\"run\" the few that take memory away most directly.\v"
		"The last line has the verdict, and so has the "
		"exit status:\n\n"
		"  0  PASS         no violation, and enough happened to mean something\n"
		"  1  FAIL         violations, whatever else happened\n"
		"  2               it could not run\n"
		"  3  UNPROVEN     no violation, but too little happened\n"
		"  4  STUCK        a thread does not get on; all kernel stacks are told\n"
		"  130, 143  INTERRUPTED  by SIGINT, SIGTERM: what was found until then. "
		"A second one ends the program at once\n\n"
		"FILE of --json is written whole or not at all.",
};

static int run_mix(const char *mix, int argc, char **argv)
{
	char why[128];

	struct storm_options options = {
		.memory = 64 << 20,
		.vcpus = 2,
		.engines = 2,
		.mirrors = 1,
		.discarders = 2,
		.hot = 128,
		.violations = REPORT_LIMIT,
		.seconds = 30,
		.stuck_after = DEFAULT_STUCK_AFTER,
		.subject = subject_find("secmmu"),
		.writes = REPORT_MIN_WRITES,
		.events = REPORT_MIN_EVENTS,
		.seed = (uint64_t)time(NULL),
	};

	if (!mix_parse(&options.mix, mix, why, sizeof(why)))
		die("%s", why);
	options_parse(&run_line, argc, argv, &options);
	if (options.list) {
		mix_list();
		return EXIT_PASS;
	}
	if (!options.limit)
		options.limit = options.seconds + DEFAULT_LONGER;
	return storm_run(&options);
}

static int run_storm(int argc, char **argv)
{
	return run_mix("all", argc, argv);
}

static int run_few(int argc, char **argv)
{
	return run_mix("dontneed=2,punch-hole=2,map-over=1,unmap=1", argc, argv);
}

static void choose_shrunk(struct argp_state *state, char *text, void *values)
{
	struct shrink_options *options = values;

	if (options->script)
		argp_error(state, "one script, not \"%s\" as well", text);
	options->script = text;
}

static void check_shrink(struct argp_state *state, void *values)
{
	struct shrink_options *options = values;

	if (!options->script)
		argp_error(state, "which script?");
	if (!options->output)
		argp_error(state, "--output is missing");
}

static int run_shrink(int argc, char **argv)
{
#define SHRINK(member)	OPTION_VALUE(struct shrink_options, member)
	static const struct option_entry table[] = {
		{ "output", 0, "FILE", "where to write what is left", SHRINK(output) },
		{ "storm", 0, "OPTIONS", "options of the storms, between blanks", SHRINK(storm) },
		{ "tries", 0, "N", "a script that does not fail in so many storms does not fail "
		  "(default 3)", OPTION_NUMBER(struct shrink_options, tries, 1, 1000) },
		{ 0 },
	};
	static const struct command_line line = {
		.table = table,
		.argument = choose_shrunk,
		.check = check_shrink,
		.arguments = "SCRIPT",
		.help = "Cut a script of which storms fail to one with fewer steps.\v"
			"Steps are left out as long as a storm still finds violations. Exits "
			"with 0 if what is left fails, with 1 if SCRIPT does not, with 2 if a "
			"storm could not run.",
	};
	struct shrink_options options = { .tries = 3 };

	options_parse(&line, argc, argv, &options);
	return shrink_run(&options);
}

static void choose_demo(struct argp_state *state, char *text, void *values)
{
	if (state->arg_num || strcmp(text, "lam-switch"))
		argp_error(state, "there is one demonstration: lam-switch");
	*(bool *)values = true;
}

static void check_demo(struct argp_state *state, void *values)
{
	if (!*(bool *)values)
		argp_error(state, "which demonstration? lam-switch");
}

static int show_demo(int argc, char **argv)
{
	static const struct command_line line = {
		.argument = choose_demo,
		.check = check_demo,
		.arguments = "lam-switch",
		.help = "Show a known bug, with a test build of the driver.\v"
			"lam-switch: an engine has a mirror loaded while the mirror's tag "
			"mode changes. Four policies, of which one misses that.\n\n"
			"Exits with 0 if all was as expected, with 1 if not, with 2 if it "
			"could not run.",
	};
	bool chosen = false;

	options_parse(&line, argc, argv, &chosen);
	return demo_lam_switch();
}

/**
 * struct command - a subcommand
 * @name: as given on the command line
 * @title: name of the program in its messages
 * @main: its main function
 */
static const struct command {
	const char *name;
	char *title;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "storm", "secmmu-vmm storm", run_storm },
	{ "run", "secmmu-vmm run", run_few },
	{ "shrink", "secmmu-vmm shrink", run_shrink },
	{ "attach", "secmmu-vmm attach", attach_main },
	{ "top", "secmmu-vmm top", top_main },
	{ "demo", "secmmu-vmm demo", show_demo },
};

/* The first argument is the command; the rest is its own. */
static void run_command(struct argp_state *state, char *text, void *values)
{
	(void)values;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		char **argv = state->argv + state->next - 1;

		if (strcmp(text, commands[i].name))
			continue;
		argv[0] = commands[i].title;
		exit(commands[i].main(state->argc - state->next + 1, argv));
	}
	argp_error(state, "unknown command \"%s\"", text);
}

static void miss_command(struct argp_state *state, void *values)
{
	(void)values;
	argp_error(state, "a command is missing: storm, run, shrink, attach, top or demo");
}

int main(int argc, char **argv)
{
	static const struct command_line line = {
		.argument = run_command,
		.check = miss_command,
		.flags = ARGP_IN_ORDER,
		.arguments = "storm|run|shrink|attach|top|demo [OPTION...]",
		.help = "A virtual machine monitor whose guest memory is mirrored by "
			"the secmmu driver.\v"
			"Commands:\n"
			"  storm   whatever the kernel can do to memory, under guest and engines, judged\n"
			"  run     a storm of the few operations that take memory away most directly\n"
			"  shrink  a script of a storm, cut to what still fails\n"
			"  attach  a look at the memory of a running process\n"
			"  top     a live view of all mirrors of the machine\n"
			"  demo    a known bug, shown by a test build\n\n"
			"Each command has a --help of its own.",
	};

	/* Installed, the command has a name of its own, a link. */
	if (!strcmp(program_invocation_short_name, "secmmu-attach"))
		return attach_main(argc, argv);
	options_parse(&line, argc, argv, NULL);
	return EXIT_CANNOT;
}
