// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "exitcode.h"
#include "inside.h"
#include "json.h"
#include "kmsg.h"
#include "message.h"
#include "options.h"
#include "run.h"
#include "swap.h"
#include "version.h"

/* The program has stopped early: the machine is spoiled. */
#define EXIT_SPOILED	5

#define MAX_PATTERNS	2048

/**
 * struct judge_options - what was asked for
 * @subjects: a name or a pattern of names
 * @checks: likewise
 * @list: only tell what there is
 * @plan: only tell what would be run
 * @json: lines for programs
 * @pairs: patterns of SUBJECT/CHECK; none: all
 * @nr_pairs: how many
 */
struct judge_options {
	const char *subjects;
	const char *checks;
	bool list;
	bool plan;
	bool json;
	const char *pairs[MAX_PATTERNS];
	unsigned int nr_pairs;
};

/**
 * struct judge_totals - what came of it
 * @numbers: results so far
 * @wrong: of these, verdicts against a subject
 */
struct judge_totals {
	unsigned int numbers;
	unsigned int wrong;
};

static const struct option_entry table[] = {
	{ "subject", 's', "PATTERN", "Judge these subjects (default: all)",
	  OPTION_VALUE(struct judge_options, subjects) },
	{ "check", 'c', "PATTERN", "Run these checks (default: all)",
	  OPTION_VALUE(struct judge_options, checks) },
	{ "list", 'l', NULL, "List subjects and checks, and do nothing",
	  OPTION_VALUE(struct judge_options, list) },
	{ "plan", 'p', NULL, "Print SUBJECT/CHECK of all that would be run, and do nothing",
	  OPTION_VALUE(struct judge_options, plan) },
	{ "json", 'j', NULL, "Print a line of JSON for each result instead of TAP",
	  OPTION_VALUE(struct judge_options, json) },
	{ 0 }
};

static void take_pair(struct argp_state *state, char *text, void *values)
{
	struct judge_options *options = values;

	if (!strchr(text, '/'))
		argp_error(state, "SUBJECT/CHECK is expected, not \"%s\"", text);
	if (options->nr_pairs == MAX_PATTERNS)
		argp_error(state, "more than %d arguments", MAX_PATTERNS);
	options->pairs[options->nr_pairs++] = text;
}

static const struct command_line command_line = {
	.table = table,
	.arguments = "[SUBJECT/CHECK...]",
	.help = "Judges secondary MMUs of this machine: runs each check against each subject "
		"that can serve it, and prints the verdicts as TAP. Names may be patterns of a "
		"shell.\v"
		"Refuses to run outside of a test VM unless SECMMU_ON_THIS_MACHINE=yes: it changes "
		"the machine, and what it judges may bring it down.\n\n"
		"The exit status is 0 if no subject is convicted, 1 if one is, 2 if nothing was "
		"judged, 5 if it stopped because the kernel is broken: what has no result is to be "
		"run after another boot.",
	.argument = take_pair,
};

/* Names have dashes where C has underscores. */
static void spell(char *name, size_t size, const char *id)
{
	snprintf(name, size, "%s", id);
	for (; *name; name++)
		if (*name == '_')
			*name = '-';
}

static bool is_wanted(const struct judge_options *options, const struct subject_ops *ops,
		      const char *check)
{
	char pair[128];

	if (ops->storms_only && !options->subjects && !options->nr_pairs)
		return false;
	if (options->subjects && fnmatch(options->subjects, ops->name, 0))
		return false;
	if (options->checks && fnmatch(options->checks, check, 0))
		return false;
	if (!options->nr_pairs)
		return true;
	snprintf(pair, sizeof(pair), "%s/%s", ops->name, check);
	for (unsigned int i = 0; i < options->nr_pairs; i++)
		if (!fnmatch(options->pairs[i], pair, 0))
			return true;
	return false;
}

static void list_all(void)
{
	char name[64];

	puts("subjects:");
	for (const struct subject_entry *s = __start_subjects; s < __stop_subjects; s++)
		printf("  %-26s %s\n", s->ops->name, s->ops->summary);
	puts("checks:");
	for (const struct check_entry *c = __start_checks; c < __stop_checks; c++) {
		spell(name, sizeof(name), c->check->name);
		printf("  %-26s %s\n", name, c->check->summary);
	}
}

static void plan_all(const struct judge_options *options)
{
	char name[64];

	for (const struct subject_entry *s = __start_subjects; s < __stop_subjects; s++)
		for (const struct check_entry *c = __start_checks; c < __stop_checks; c++) {
			spell(name, sizeof(name), c->check->name);
			if (is_wanted(options, s->ops, name))
				printf("%s/%s\n", s->ops->name, name);
		}
}

static void print_json(const struct run *run, const char *name)
{
	struct json json = { .compact = true };
	const char *kernel = getenv("SECMMU_KERNEL");
	struct utsname system;

	uname(&system);
	json_begin(&json, stdout, "{}");
	json_string(&json, "subject", run->ops->name);
	json_string(&json, "check", name);
	json_string(&json, "verdict", verdict_name((enum verdict)run->result.verdict));
	json_string(&json, "reason", run->result.text);
	json_number(&json, "spoiled", (uint64_t)run->result.spoiled);
	json_number(&json, "ms", run->ms);
	json_string(&json, "version", secmmu_version);
	json_string(&json, "kernel", kernel ?: system.release);
	json_end(&json);
}

static void print_tap(const struct run *run, const char *name, unsigned int number)
{
	const char *verdict = verdict_name((enum verdict)run->result.verdict);
	const char *reason = run->result.text;

	switch (run->result.verdict) {
	case VERDICT_PASS:
		printf("ok %u - %s/%s\n", number, run->ops->name, name);
		break;
	case VERDICT_NOT_APPLICABLE:
	case VERDICT_SKIPPED:
		printf("ok %u - %s/%s # SKIP %s: %s\n", number, run->ops->name, name, verdict,
		       reason);
		break;
	default:
		printf("not ok %u - %s/%s # %s: %s\n", number, run->ops->name, name, verdict,
		       reason);
	}
}

static bool is_wrong(int verdict)
{
	return verdict != VERDICT_PASS && verdict != VERDICT_NOT_APPLICABLE &&
	       verdict != VERDICT_SKIPPED;
}

static unsigned int slowness(void)
{
	const char *slow = getenv("SECMMU_TEST_SLOW");

	return slow && atoi(slow) > 0 ? (unsigned int)atoi(slow) : 1;
}

/* Returns false if the machine cannot be trusted any more. */
static bool judge_one(const struct judge_options *options, struct run *run, const char *name,
		      const char *absent, struct judge_totals *totals)
{
	if (absent) {
		run->result.verdict = VERDICT_SKIPPED;
		snprintf(run->result.text, sizeof(run->result.text), "%s", absent);
	} else if (run_applies(run)) {
		/* The last word of a kernel that dies of it. */
		printf("# begins %s/%s\n", run->ops->name, name);
		run_check(run, slowness());
	}
	totals->numbers++;
	totals->wrong += is_wrong(run->result.verdict);
	if (options->json)
		print_json(run, name);
	else
		print_tap(run, name, totals->numbers);
	return !run->result.spoiled;
}

static bool judge_subject(const struct judge_options *options, const struct subject_ops *ops,
			  struct judge_totals *totals)
{
	const char *absent = NULL;
	char why[RESULT_TEXT], name[64];
	bool probed = false;

	for (const struct check_entry *c = __start_checks; c < __stop_checks; c++) {
		struct run run = { .ops = ops, .check = c->check };

		spell(name, sizeof(name), c->check->name);
		if (!is_wanted(options, ops, name))
			continue;
		if (!probed && run_probe(ops, why, sizeof(why)))
			absent = why;
		probed = true;
		if (!judge_one(options, &run, name, absent, totals))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct judge_options options = { 0 };
	struct judge_totals totals = { 0 };
	bool whole = true;

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	options_parse(&command_line, argc, argv, &options);
	if (options.list) {
		list_all();
		return EXIT_PASS;
	}
	if (options.plan) {
		plan_all(&options);
		return EXIT_PASS;
	}
	if (!inside_or_told())
		die("refused outside of the test VM, for it may bring the machine down; "
		    INSIDE_VARIABLE "=yes lets it");
	/* What a check leaves behind is this process's to wait for. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("cannot become a reaper: %s", strerror(errno));
	kmsg_open();
	swap_begin();
	if (!options.json)
		puts("TAP version 13");
	for (const struct subject_entry *s = __start_subjects; whole && s < __stop_subjects; s++)
		whole = judge_subject(&options, s->ops, &totals);
	if (!whole) {
		puts("# the kernel is broken: the rest is for another boot");
		return EXIT_SPOILED;
	}
	if (!options.json)
		printf("1..%u\n", totals.numbers);
	if (!totals.numbers)
		die("no subject or no check has such a name; see --list");
	return totals.wrong ? EXIT_FAIL : EXIT_PASS;
}
