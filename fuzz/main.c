// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "generate.h"
#include "message.h"
#include "options.h"
#include "shrink.h"

/**
 * struct options - the command line
 * @fuzz: most of it
 * @command: run, replay ...
 * @file: its argument
 * @fails: the command that says whether a candidate fails
 */
struct options {
	struct fuzz_options fuzz;
	const char *command;
	const char *file;
	const char *fails;
};

#define VALUE(member)			OPTION_VALUE(struct options, member)
#define NUMBER(member, from, to)	OPTION_NUMBER(struct options, member, from, to)

static const struct option_entry table[] = {
	{ "seconds", 0, "S", "run: for S seconds (default 60)",
	  NUMBER(fuzz.seconds, 1, OPTION_MAX_SECONDS) },
	{ "programs", 0, "N",
	  "run, generate: up to N programs (default: no limit; generate: 100)",
	  NUMBER(fuzz.programs, 1, INT32_MAX) },
	{ "seed", 0, "X", "run, generate: the seed of all choices (default 1)",
	  NUMBER(fuzz.seed, 0, UINT64_MAX) },
	{ "places", 0, "N", "run: number of instrumented places of the driver, for the summary",
	  NUMBER(fuzz.places, 0, INT32_MAX) },
	{ "limit", 0, "S", "run, replay: seconds that one program may take (default 20)",
	  NUMBER(fuzz.limit, 1, 3600) },
	{ "times", 0, "N", "replay: run each program N times (default 20)",
	  NUMBER(fuzz.times, 1, INT32_MAX) },
	{ "tries", 0, "N",
	  "run, replay, shrink: up to N tries to shorten a program that fails; 0: none "
	  "(default run and shrink 300, replay 0)", NUMBER(fuzz.tries, 0, INT32_MAX) },
	{ "command", 0, "COMMAND",
	  "shrink: a shell command that exits with 0 if the programs in its standard input "
	  "fail", VALUE(fails) },
	{ "on-this-machine", 0, NULL,
	  "run, replay: also outside of the test VM. Programs kill and execute processes, "
	  "compact all memory, and may crash the kernel", VALUE(fuzz.on_this_machine) },
	{ 0 },
};

static void take_argument(struct argp_state *state, char *text, void *values)
{
	struct options *options = values;

	if (state->arg_num > 1)
		argp_error(state, "unexpected argument \"%s\"", text);
	else if (state->arg_num)
		options->file = text;
	else
		options->command = text;
}

static void check_options(struct argp_state *state, void *values)
{
	const struct options *options = values;

	if (!options->command)
		argp_error(state, "a command is missing: run, replay, shrink, generate or print");
}

static const struct command_line line = {
	.table = table,
	.argument = take_argument,
	.check = check_options,
	.arguments = "run|replay FILE|shrink FILE|generate|print FILE",
	.help = "Random programs for the secmmu driver, of calls, memory that comes and goes, "
		"and processes that live and die.\v"
		"Commands:\n"
		"  run       run random programs until one fails; those that come by new\n"
		"            places of the driver are changed into others\n"
		"  replay    run the programs of a file, one after the other, in turns\n"
		"  shrink    leave out of a file what is not needed to make it fail; prints\n"
		"            the rest\n"
		"  generate  print random programs\n"
		"  print     print the programs of a file; \"-\" is the standard input\n\n"
		"run and replay are for the test VM (make fuzz): programs break things, so "
		"elsewhere they are refused, unless --on-this-machine says otherwise. "
		"Exits with 0 if nothing failed, with 1 if a program did (shrink: if the "
		"programs did not fail), with 2 if it could not run.",
};

static int load_suite(const struct options *options, struct suite *suite)
{
	FILE *file;
	int ret;

	if (!options->file)
		return say("%s needs a file", options->command);
	file = strcmp(options->file, "-") ? fopen(options->file, "re") : stdin;
	if (!file)
		return say("%s: %s", options->file, strerror(errno));
	ret = suite_parse(suite, file, options->file);
	if (file != stdin)
		fclose(file);
	return ret;
}

/* What comes of one candidate is up to a command. */
static bool command_fails(const struct suite *suite, void *data)
{
	FILE *file = tmpfile();
	int status;
	pid_t pid;

	if (!file)
		die("cannot make a temporary file: %s", strerror(errno));
	suite_print(suite, file);
	if (fflush(file) || fseek(file, 0, SEEK_SET))
		die("cannot write a temporary file: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid) {
		dup2(fileno(file), STDIN_FILENO);
		/* Standard output is for the result. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", (const char *)data, NULL);
		_exit(127);
	}
	fclose(file);
	if (waitpid(pid, &status, 0) != pid)
		die("cannot wait for the command: %s", strerror(errno));
	fprintf(stderr, "%u programs, %u operations: %s\n", suite->nr,
		suite_ops(suite), status ? "pass" : "fail");
	return !status;
}

static int shrink_file(const struct options *options, struct suite *suite)
{
	struct shrinker shrinker = {
		.fails = command_fails,
		.data = (void *)options->fails,
		.tries = options->fuzz.tries,
	};

	if (!options->fails)
		die("shrink needs --command");
	if (!command_fails(suite, shrinker.data))
		return 1;
	shrink(&shrinker, suite);
	suite_print(suite, stdout);
	return 0;
}

static int generate_programs(const struct fuzz_options *options)
{
	uint32_t nr = options->programs ? options->programs : 100;
	struct prng prng;

	prng_init(&prng, options->seed, 0);
	while (nr--) {
		struct program program, other;

		generate(&program, &prng);
		generate(&other, &prng);
		mutate(&program, &other, &prng);
		program_print(&program, stdout, nr & 1);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = {
		.fuzz = { .seconds = 60, .seed = 1, .limit = 20, .times = 20 },
	};
	struct suite suite;
	bool replays;

	options.fuzz.tries = UINT32_MAX;
	options_parse(&line, argc, argv, &options);
	replays = !strcmp(options.command, "replay");
	if (options.fuzz.tries == UINT32_MAX)
		options.fuzz.tries = replays ? 0 : 300;
	if (!strcmp(options.command, "run"))
		return fuzz_allowed(&options.fuzz) ? 2 : fuzz_run(&options.fuzz);
	if (!strcmp(options.command, "generate"))
		return generate_programs(&options.fuzz);
	if (!replays && strcmp(options.command, "shrink") &&
	    strcmp(options.command, "print"))
		die("unknown command \"%s\"; see --help", options.command);
	if (replays && fuzz_allowed(&options.fuzz))
		return 2;
	if (load_suite(&options, &suite))
		return 2;
	if (replays)
		return fuzz_replay(&options.fuzz, &suite);
	if (!strcmp(options.command, "shrink"))
		return shrink_file(&options, &suite);
	suite_print(&suite, stdout);
	return 0;
}
