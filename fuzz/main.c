// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "generate.h"
#include "option.h"
#include "shrink.h"

enum option_key {
	OPTION_SECONDS = 0x100,
	OPTION_PROGRAMS,
	OPTION_SEED,
	OPTION_PLACES,
	OPTION_LIMIT,
	OPTION_TIMES,
	OPTION_TRIES,
	OPTION_COMMAND,
	OPTION_ON_THIS_MACHINE,
};

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

static const struct argp_option table[] = {
	{ "seconds", OPTION_SECONDS, "S", 0, "run: so long (default 60)", 0 },
	{ "programs", OPTION_PROGRAMS, "N", 0,
	  "run, generate: so many at most (default: no limit; generate: 100)", 0 },
	{ "seed", OPTION_SEED, "X", 0, "run, generate: decides (default 1)", 0 },
	{ "places", OPTION_PLACES, "N", 0,
	  "run: instrumented places of the driver, to compare with", 0 },
	{ "limit", OPTION_LIMIT, "S", 0,
	  "run, replay: how long one program may take (default 20)", 0 },
	{ "times", OPTION_TIMES, "N", 0, "replay: so often (default 20)", 0 },
	{ "tries", OPTION_TRIES, "N", 0,
	  "run, replay, shrink: so many at most, to make shorter what fails; 0: none (default "
	  "run and shrink 300, replay 0)", 0 },
	{ "command", OPTION_COMMAND, "COMMAND", 0,
	  "shrink: a shell command that exits with 0 if the programs in its standard input "
	  "fail", 0 },
	{ "on-this-machine", OPTION_ON_THIS_MACHINE, NULL, 0,
	  "run, replay: outside of the test VM too. Programs kill and execute processes, "
	  "compact all memory, and may crash the kernel", 0 },
	{ 0 },
};

static uint32_t number(struct argp_state *state, const char *name,
		       const char *text, uint32_t least)
{
	return (uint32_t)option_number(state, name, text, least, INT32_MAX);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;
	struct fuzz_options *fuzz = &options->fuzz;

	switch (key) {
	case OPTION_SECONDS:
		fuzz->seconds = (uint32_t)option_number(state, "seconds", text, 1,
							OPTION_MAX_SECONDS);
		return 0;
	case OPTION_PROGRAMS:
		fuzz->programs = number(state, "programs", text, 1);
		return 0;
	case OPTION_SEED:
		fuzz->seed = option_number(state, "seed", text, 0, UINT64_MAX);
		return 0;
	case OPTION_PLACES:
		fuzz->places = number(state, "places", text, 0);
		return 0;
	case OPTION_LIMIT:
		fuzz->limit = (uint32_t)option_number(state, "limit", text, 1, 3600);
		return 0;
	case OPTION_TIMES:
		fuzz->times = number(state, "times", text, 1);
		return 0;
	case OPTION_TRIES:
		fuzz->tries = number(state, "tries", text, 0);
		return 0;
	case OPTION_COMMAND:
		options->fails = text;
		return 0;
	case OPTION_ON_THIS_MACHINE:
		fuzz->on_this_machine = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_error(state, "unexpected argument \"%s\"", text);
		else if (state->arg_num)
			options->file = text;
		else
			options->command = text;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a command is missing: run, replay, shrink, generate or print");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = table,
	.parser = parse,
	.args_doc = "run|replay FILE|shrink FILE|generate|print FILE",
	.doc = "Random programs for the secmmu driver, of calls, memory that comes and goes, "
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

static void die(const char *what)
{
	fprintf(stderr, "secmmu-fuzz: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int load(const struct options *options, struct suite *suite)
{
	FILE *file;
	int ret;

	if (!options->file) {
		fprintf(stderr, "secmmu-fuzz: %s needs a file\n", options->command);
		return -1;
	}
	file = strcmp(options->file, "-") ? fopen(options->file, "re") : stdin;
	if (!file) {
		fprintf(stderr, "%s: %s\n", options->file, strerror(errno));
		return -1;
	}
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
		die("cannot make a temporary file");
	suite_print(suite, file);
	if (fflush(file) || fseek(file, 0, SEEK_SET))
		die("cannot write a temporary file");
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (!pid) {
		dup2(fileno(file), STDIN_FILENO);
		/* Standard output is for the result. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", (const char *)data, NULL);
		_exit(127);
	}
	fclose(file);
	if (waitpid(pid, &status, 0) != pid)
		die("cannot wait for the command");
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

	if (!options->fails) {
		fprintf(stderr, "secmmu-fuzz: shrink needs --command\n");
		return 2;
	}
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

	argp_err_exit_status = 2;
	options.fuzz.tries = UINT32_MAX;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return 2;
	replays = !strcmp(options.command, "replay");
	if (options.fuzz.tries == UINT32_MAX)
		options.fuzz.tries = replays ? 0 : 300;
	if (!strcmp(options.command, "run"))
		return fuzz_allowed(&options.fuzz) ? 2 : fuzz_run(&options.fuzz);
	if (!strcmp(options.command, "generate"))
		return generate_programs(&options.fuzz);
	if (!replays && strcmp(options.command, "shrink") &&
	    strcmp(options.command, "print")) {
		fprintf(stderr, "secmmu-fuzz: unknown command \"%s\"; see --help\n",
			options.command);
		return 2;
	}
	if (replays && fuzz_allowed(&options.fuzz))
		return 2;
	if (load(&options, &suite))
		return 2;
	if (replays)
		return fuzz_replay(&options.fuzz, &suite);
	if (!strcmp(options.command, "shrink"))
		return shrink_file(&options, &suite);
	suite_print(&suite, stdout);
	return 0;
}
