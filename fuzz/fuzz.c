// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "complaint.h"
#include "corpus.h"
#include "cover.h"
#include "exec.h"
#include "fuzz.h"
#include "inside.h"
#include "json.h"
#include "mark.h"
#include "message.h"
#include "shrink.h"

/* As many of the latest programs may be needed to make the last one fail. */
#define LATEST		64
#define PROGRESS_S	5
/* A failure that does not come again in so many runs is left to the host. */
#define AGAIN		10
#define SHRINK_S	120

/**
 * struct fuzz - a run
 * @options: as asked for
 * @corpus: what is worth changing
 * @latest: the programs run last, in a ring
 * @programs: how many were run
 * @ops: operations they did
 * @judged: mirrors judged
 * @entries: entries of theirs
 * @killed: programs that took too long
 * @started: when
 * @told: when progress was told last
 */
struct fuzz {
	const struct fuzz_options *options;
	struct suite corpus;
	struct program latest[LATEST];
	uint64_t programs;
	uint64_t ops;
	uint64_t judged;
	uint64_t entries;
	uint64_t killed;
	double started;
	double told;
};

static double read_clock(void)
{
	return clock_ns() / 1e9;
}

/* The host has it when this returns. */
static void print_run(const struct program *program)
{
	printf("@ run ");
	program_print(program, stdout, true);
	fflush(stdout);
	/* Fails where it is no serial line. */
	tcdrain(STDOUT_FILENO);
}

static void tell_progress(struct fuzz *fuzz)
{
	double passed = read_clock() - fuzz->started;

	printf("[%4.0fs] programs %llu (%.1f/s) operations %llu (%.0f/s) places %u",
	       passed, (unsigned long long)fuzz->programs, fuzz->programs / passed,
	       (unsigned long long)fuzz->ops, fuzz->ops / passed, cover_places());
	if (fuzz->options->places)
		printf(" of %u", fuzz->options->places);
	printf(" corpus %u judged %llu mirrors %llu entries killed %llu\n",
	       fuzz->corpus.nr, (unsigned long long)fuzz->judged,
	       (unsigned long long)fuzz->entries, (unsigned long long)fuzz->killed);
	fflush(stdout);
	fuzz->told = read_clock();
}

static void tell_json(const struct fuzz *fuzz, const struct outcome *outcome)
{
	struct json json = { 0 };

	printf("@ json ");
	json_begin(&json, stdout, "{}");
	json_origin(&json);
	json_number(&json, "seed", fuzz->options->seed);
	json_real(&json, "seconds", read_clock() - fuzz->started);
	json_number(&json, "programs", fuzz->programs);
	json_number(&json, "operations", fuzz->ops);
	json_number(&json, "places", cover_places());
	json_number(&json, "places_in_driver", fuzz->options->places);
	json_number(&json, "corpus", fuzz->corpus.nr);
	json_number(&json, "mirrors_judged", fuzz->judged);
	json_number(&json, "entries_judged", fuzz->entries);
	json_number(&json, "killed", fuzz->killed);
	json_string(&json, "verdict", verdict_name[outcome->verdict]);
	json_end(&json);
}

/* Run it, so many times. Returns whether it has failed. */
static bool run_suite(const struct suite *suite, unsigned int times,
		      struct outcome *outcome)
{
	while (times--)
		for (uint32_t i = 0; i < suite->nr; i++) {
			print_run(&suite->program[i]);
			exec_program(&suite->program[i], outcome);
			if (outcome->verdict >= VERDICT_FAILURE)
				return true;
		}
	return false;
}

/**
 * struct again - when to take a shorter program for one that fails
 * @times: run each candidate so often
 * @end: no more candidates after that
 * @outcome: of the last one that failed
 */
struct again {
	unsigned int times;
	double end;
	struct outcome outcome;
};

static bool fails_again(const struct suite *suite, void *data)
{
	struct again *again = data;
	struct outcome outcome;

	if (read_clock() > again->end || again->outcome.verdict == VERDICT_STUCK ||
	    !run_suite(suite, again->times, &outcome))
		return false;
	again->outcome = outcome;
	return true;
}

/* Shrink it here if it fails again. Returns whether it did. */
static bool shrink_here(const struct fuzz_options *options, struct suite *suite)
{
	struct again again = { .times = AGAIN, .end = read_clock() + SHRINK_S };
	struct shrinker shrinker = {
		.fails = fails_again,
		.data = &again,
		.tries = options->tries,
	};
	uint32_t before = suite_ops(suite);

	if (!options->tries || !fails_again(suite, &again))
		return false;
	shrink(&shrinker, suite);
	printf("shrunk from %u operations to %u\n", before, suite_ops(suite));
	for (uint32_t i = 0; i < suite->nr; i++) {
		printf("@ shrunk ");
		program_print(&suite->program[i], stdout, true);
	}
	return true;
}

static void tell_found(const struct outcome *outcome)
{
	/* make replay stops here. */
	mark_here(MARK_WRONG);
	printf("@ found %s %s\n", verdict_name[outcome->verdict], outcome->text);
	fflush(stdout);
}

static void tell_failure(struct fuzz *fuzz, const struct outcome *outcome)
{
	struct suite suite = { .nr = 1 }, latest = { 0 };
	uint64_t i, nr = fuzz->programs < LATEST ? fuzz->programs : LATEST;

	tell_found(outcome);
	if (outcome->verdict == VERDICT_STUCK)
		return;
	suite.program = malloc(sizeof(*suite.program));
	if (!suite.program)
		return;
	*suite.program = fuzz->latest[(fuzz->programs - 1) % LATEST];
	if (!shrink_here(fuzz->options, &suite)) {
		for (i = fuzz->programs - nr; i < fuzz->programs; i++)
			corpus_add(&latest, &fuzz->latest[i % LATEST]);
		if (!shrink_here(fuzz->options, &latest))
			printf("@ unshrunk\n");
	}
	free(latest.program);
	free(suite.program);
}

static void get_ready(const struct fuzz_options *options)
{
	int err = cover_open();

	if (err)
		fprintf(stderr, "note: no coverage, programs are not chosen by it: %s\n",
			strerror(-err));
	if (!complaint_open())
		fprintf(stderr, "note: not the test VM: the kernel's log is not looked at\n");
	exec_open(options->limit);
}

/**
 * fuzz_allowed - may programs be run here, and can they?
 * @options: what was asked for
 *
 * Return: 0, or -1 after a message.
 */
int fuzz_allowed(const struct fuzz_options *options)
{
	int fd;

	if (!options->on_this_machine && !inside_or_told())
		return say("refused outside of the test VM: the programs kill and execute "
			   "processes, compact the machine's memory, fill its swap space and "
			   "may crash its kernel; \"make fuzz\" runs them in a VM, "
			   "--on-this-machine here");
	fd = open("/dev/secmmu", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return say("cannot open /dev/secmmu: %s; load a test build of the driver",
			   strerror(errno));
	close(fd);
	return 0;
}

/**
 * fuzz_run - run random programs
 * @options: how many
 *
 * Return: 0 if none failed, 1 if one has.
 */
int fuzz_run(const struct fuzz_options *options)
{
	static struct fuzz fuzz;
	struct outcome outcome = { 0 };
	struct prng prng;

	fuzz.options = options;
	get_ready(options);
	prng_init(&prng, options->seed, 0);
	fuzz.started = read_clock();
	fuzz.told = fuzz.started;
	while (read_clock() - fuzz.started < options->seconds &&
	       (!options->programs || fuzz.programs < options->programs)) {
		struct program *program = &fuzz.latest[fuzz.programs % LATEST];

		corpus_next(&fuzz.corpus, &prng, program);
		print_run(program);
		exec_program(program, &outcome);
		fuzz.programs++;
		fuzz.ops += outcome.ops;
		fuzz.judged += outcome.judged;
		fuzz.entries += outcome.entries;
		fuzz.killed += outcome.verdict == VERDICT_KILLED;
		if (cover_collect()) {
			corpus_add(&fuzz.corpus, program);
			printf("@ keep %u\n", cover_places());
		}
		if (outcome.verdict >= VERDICT_FAILURE)
			break;
		if (read_clock() - fuzz.told >= PROGRESS_S)
			tell_progress(&fuzz);
	}
	tell_progress(&fuzz);
	tell_json(&fuzz, &outcome);
	if (outcome.verdict < VERDICT_FAILURE)
		return 0;
	tell_failure(&fuzz, &outcome);
	return 1;
}

/**
 * fuzz_replay - run the programs of a file
 * @options: how often
 * @suite: the programs; what is left of them if they are shrunk
 *
 * Return: 0 if none failed, 1 if one has.
 */
int fuzz_replay(const struct fuzz_options *options, struct suite *suite)
{
	struct outcome outcome;

	get_ready(options);
	if (!run_suite(suite, options->times, &outcome))
		return 0;
	tell_found(&outcome);
	if (outcome.verdict != VERDICT_STUCK && options->tries)
		shrink_here(options, suite);
	return 1;
}
