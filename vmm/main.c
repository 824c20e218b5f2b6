// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "attach/options.h"
#include "demo.h"
#include "exitcode.h"
#include "flushbench.h"
#include "hypercall.h"
#include "option.h"
#include "report.h"
#include "storm.h"

enum option_key {
	OPTION_MEMORY = 0x100,
	OPTION_VCPUS,
	OPTION_ENGINES,
	OPTION_SECONDS,
	OPTION_SEED,
	OPTION_BACKING,
	OPTION_NO_MIRROR,
	OPTION_TAGS,
	OPTION_DOMAINS,
	OPTION_KEYS,
	OPTION_MISTAKE,
	OPTION_JSON,
	OPTION_FLUSH_TABLE,
	OPTION_POINTS,
	OPTION_LIMIT,
	OPTION_STUCK_AFTER,
	OPTION_WRITES,
	OPTION_EVENTS,
};

/* Of "run". The first goes on top of --seconds. */
#define DEFAULT_LONGER		300
#define DEFAULT_STUCK_AFTER	60

static uint64_t parse_size(struct argp_state *state, const char *text)
{
	unsigned long long value;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	switch (*end) {
	case 'K':
		shift = 10;
		end++;
		break;
	case 'M':
		shift = 20;
		end++;
		break;
	case 'G':
		shift = 30;
		end++;
		break;
	default:
		break;
	}
	if (errno || end == text || *end || *text == '-' ||
	    value > MEMORY_MAX >> shift || value << shift < MEMORY_MIN)
		argp_error(state, "--memory takes a size from 16M to 1G, not \"%s\"",
			   text);
	return (value << shift) / GUEST_PAGE_SIZE * GUEST_PAGE_SIZE;
}

static enum guest_mistake parse_mistake(struct argp_state *state,
					const char *text)
{
	static const char *const names[MISTAKES] = {
		[MISTAKE_NONE] = "none",
		[MISTAKE_INSTRUCTION] = "instruction",
		[MISTAKE_ADDRESS] = "address",
		[MISTAKE_MOMENTARY] = "momentary",
		[MISTAKE_SHUTDOWN] = "shutdown",
		[MISTAKE_TABLES] = "tables",
	};

	for (int i = 0; i < MISTAKES; i++)
		if (!strcmp(text, names[i]))
			return i;
	argp_error(state, "--mistake is instruction, address, momentary, shutdown or "
		   "tables, not \"%s\"", text);
	return MISTAKE_NONE;
}

/* How long a storm goes on, and what for. */
static error_t parse_end(int key, char *text, struct argp_state *state)
{
	struct storm_options *options = state->input;

	switch (key) {
	case OPTION_SECONDS:
		options->seconds = (uint32_t)option_number(state, "seconds",
							   text, 1,
							   OPTION_MAX_SECONDS);
		return 0;
	case OPTION_LIMIT:
		options->limit = (uint32_t)option_number(state, "limit", text, 1,
							 OPTION_MAX_SECONDS);
		return 0;
	case OPTION_STUCK_AFTER:
		options->stuck_after = (uint32_t)option_number(state, "stuck-after",
							       text, 1, 3600);
		return 0;
	case OPTION_WRITES:
		options->writes = option_number(state, "writes", text, 0, INT64_MAX);
		return 0;
	case OPTION_EVENTS:
		options->events = option_number(state, "events", text, 0, INT64_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_run(int key, char *text, struct argp_state *state)
{
	struct storm_options *options = state->input;

	switch (key) {
	case OPTION_MEMORY:
		options->memory = parse_size(state, text);
		return 0;
	case OPTION_VCPUS:
		options->vcpus = (uint32_t)option_number(state, "vcpus", text,
							 1, MAX_VCPUS);
		return 0;
	case OPTION_ENGINES:
		options->engines = (uint32_t)option_number(state, "engines",
							   text, 1, MAX_ENGINES);
		return 0;
	case OPTION_SEED:
		options->seed = option_number(state, "seed", text, 0,
					      INT64_MAX);
		return 0;
	case OPTION_BACKING:
		if (!strcmp(text, "anon"))
			options->backing = MEMORY_ANON;
		else if (!strcmp(text, "memfd"))
			options->backing = MEMORY_MEMFD;
		else
			argp_error(state, "--backing is anon or memfd, not \"%s\"",
				   text);
		return 0;
	case OPTION_NO_MIRROR:
		options->mirrored = false;
		return 0;
	case OPTION_TAGS:
		options->features.tags = true;
		return 0;
	case OPTION_DOMAINS:
		options->features.domains = true;
		return 0;
	case OPTION_KEYS:
		options->features.keys = true;
		return 0;
	case OPTION_MISTAKE:
		options->mistake = parse_mistake(state, text);
		return 0;
	case OPTION_JSON:
		options->json = text;
		return 0;
	case OPTION_FLUSH_TABLE:
		options->flush_table = text;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", text);
		return 0;
	case ARGP_KEY_END:
		if (!options->mirrored &&
		    (options->features.tags || options->features.domains ||
		     options->features.keys))
			argp_error(state, "--tags, --domains and --keys are the "
				   "driver's: not with --no-mirror");
		return 0;
	default:
		return parse_end(key, text, state);
	}
}

static const struct argp_option run_table[] = {
	{ "memory", OPTION_MEMORY, "SIZE", 0,
	  "guest memory, 16M to 1G (default 64M)", 0 },
	{ "vcpus", OPTION_VCPUS, "N", 0, "virtual CPUs (default 2)", 0 },
	{ "engines", OPTION_ENGINES, "N", 0,
	  "engines of the mirror (default 2)", 0 },
	{ "seconds", OPTION_SECONDS, "S", 0, "duration, at least (default 30)", 0 },
	{ "limit", OPTION_LIMIT, "S", 0,
	  "duration, at most: until then the storm goes on for as long as it has "
	  "proved too little (default: 300 more than --seconds)", 0 },
	{ "writes", OPTION_WRITES, "N", 0,
	  "fewer guest writes prove nothing (default 10000)", 0 },
	{ "events", OPTION_EVENTS, "N", 0,
	  "fewer events prove nothing (default 1000)", 0 },
	{ "stuck-after", OPTION_STUCK_AFTER, "S", 0,
	  "so long without any progress means that threads are stuck; on slow "
	  "kernels times $SECMMU_TEST_SLOW (default 60)", 0 },
	{ "seed", OPTION_SEED, "X", 0,
	  "repeat every thread's choices (default: the time)", 0 },
	{ "backing", OPTION_BACKING, "KIND", 0,
	  "anon (default): private anonymous memory; memfd: shared memory", 0 },
	{ "no-mirror", OPTION_NO_MIRROR, NULL, 0,
	  "run without the driver; engines go through /proc/self/mem", 0 },
	{ "tags", OPTION_TAGS, NULL, 0, "engines put tags on their addresses", 0 },
	{ "domains", OPTION_DOMAINS, NULL, 0,
	  "engines move between domains, leave the mirror and come back", 0 },
	{ "keys", OPTION_KEYS, NULL, 0,
	  "memory has protection keys, and engines change their rights", 0 },
	{ "mistake", OPTION_MISTAKE, "KIND", OPTION_HIDDEN,
	  "let the guest do something wrong once, to see that noticed", 0 },
	{ "json", OPTION_JSON, "FILE", 0, "write the numbers to FILE", 0 },
	{ "flush-table", OPTION_FLUSH_TABLE, "FILE", 0,
	  "include the table that \"flush --json FILE\" wrote", 0 },
	{ 0 },
};

static const struct argp run_argp = {
	.options = run_table,
	.parser = parse_run,
	.doc = "Run a storm: a KVM guest and the engines of a mirror read and "
	       "write stamped pages while their memory is taken away, and "
	       "every read is judged.\vThe last line has the verdict, and so has the "
	       "exit status:\n\n"
	       "  0  PASS         no violation, and enough happened to mean something\n"
	       "  1  FAIL         violations, whatever else happened\n"
	       "  2               it could not run\n"
	       "  3  UNPROVEN     no violation, but too little happened\n"
	       "  4  STUCK        threads do not get on; their kernel stacks are told\n"
	       "  130, 143  INTERRUPTED  by SIGINT, SIGTERM: what was found until then. "
	       "A second one ends the program at once\n\n"
	       "FILE of --json is written whole or not at all.",
};

static int run(int argc, char **argv)
{
	struct storm_options options = {
		.memory = 64 << 20,
		.vcpus = 2,
		.engines = 2,
		.seconds = 30,
		.stuck_after = DEFAULT_STUCK_AFTER,
		.writes = REPORT_MIN_WRITES,
		.events = REPORT_MIN_EVENTS,
		.seed = (uint64_t)time(NULL),
		.backing = MEMORY_ANON,
		.mirrored = true,
	};

	if (argp_parse(&run_argp, argc, argv, 0, NULL, &options))
		return EXIT_CANNOT;
	if (!options.limit)
		options.limit = options.seconds + DEFAULT_LONGER;
	return storm_run(&options);
}

static error_t parse_flush(int key, char *text, struct argp_state *state)
{
	struct flushbench_options *options = state->input;

	switch (key) {
	case OPTION_POINTS:
		if (strcmp(text, "quick"))
			argp_error(state, "--points knows \"quick\", not \"%s\"",
				   text);
		options->quick = true;
		return 0;
	case OPTION_JSON:
		options->json = text;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option flush_table[] = {
	{ "points", OPTION_POINTS, "quick", 0,
	  "measure the small points only, with few repetitions", 0 },
	{ "json", OPTION_JSON, "FILE", 0, "write the table to FILE", 0 },
	{ 0 },
};

static const struct argp flush_argp = {
	.options = flush_table,
	.parser = parse_flush,
	.doc = "Compare the flush policies: discard many pages at once while "
	       "an engine is at work, count the flushes, and take the time.",
};

static int flush(int argc, char **argv)
{
	struct flushbench_options options = { 0 };

	if (argp_parse(&flush_argp, argc, argv, 0, NULL, &options))
		return 2;
	return flushbench_run(&options);
}

static error_t parse_demo(int key, char *text, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num || strcmp(text, "lam-switch"))
			argp_error(state, "there is one demonstration: lam-switch");
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which demonstration? lam-switch");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp demo_argp = {
	.parser = parse_demo,
	.args_doc = "lam-switch",
	.doc = "Show a known bug, with a test build of the driver.\v"
	       "lam-switch: an engine has a mirror loaded while the mirror's tag mode "
	       "changes. Four policies, of which one misses that.\n\n"
	       "Exits with 0 if all was as expected, with 1 if not, with 2 if it "
	       "could not run.",
};

static int demo(int argc, char **argv)
{
	if (argp_parse(&demo_argp, argc, argv, 0, NULL, NULL))
		return 2;
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
	{ "run", "secmmu-vmm run", run },
	{ "flush", "secmmu-vmm flush", flush },
	{ "attach", "secmmu-vmm attach", attach_main },
	{ "demo", "secmmu-vmm demo", demo },
};

/* The first argument is the command; the rest is its own. */
static error_t parse_command(int key, char *text, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		for (size_t i = 0; i < sizeof(commands) / sizeof(*commands);
		     i++) {
			char **argv = state->argv + state->next - 1;
			int argc = state->argc - state->next + 1;

			if (strcmp(text, commands[i].name))
				continue;
			argv[0] = commands[i].title;
			exit(commands[i].main(argc, argv));
		}
		argp_error(state, "unknown command \"%s\"", text);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a command is missing: run, flush, attach or demo");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp main_argp = {
	.parser = parse_command,
	.args_doc = "run|flush|attach|demo [OPTION...]",
	.doc = "A virtual machine monitor whose guest memory is mirrored by "
	       "the secmmu driver.\v"
	       "Commands:\n"
	       "  run     a storm of discards under guest and engines, judged\n"
	       "  flush   a comparison of the flush policies\n"
	       "  attach  a look at the memory of a running process\n"
	       "  demo    a known bug, shown by a test build\n\n"
	       "Each command has a --help of its own.",
};

int main(int argc, char **argv)
{
	argp_err_exit_status = 2;
	if (argp_parse(&main_argp, argc, argv, ARGP_IN_ORDER, NULL, NULL))
		return 2;
	return 0;
}
