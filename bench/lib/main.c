// SPDX-License-Identifier: GPL-2.0
/* secmmu-bench: measures the questions that its arguments name, each in a process. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "own_mirror.h"

#define REPETITIONS_MAX	100000

/* Made by the linker. */
extern const struct question *const __start_questions[], *const __stop_questions[];

#define NR_QUESTIONS	((size_t)(__stop_questions - __start_questions))

enum { OPTION_TINY = 1000, OPTION_ONLY, OPTION_TABLE, OPTION_DESCRIBE };

static const unsigned int grid_repetitions[BENCH_GRIDS] = {
	[BENCH_FULL] = 21,
	[BENCH_QUICK] = 7,
	[BENCH_TINY] = 2,
};

static const struct argp_option options[] = {
	{ "quick", 'q', NULL, 0, "Measure what fits into a few minutes", 0 },
	{ "tiny", OPTION_TINY, NULL, 0, "Measure only whether everything works", 0 },
	{ "repetitions", 'r', "N", 0,
	  "Measure each case N times (default 21, quick 7, tiny 2)", 0 },
	{ "only", OPTION_ONLY, "KEY=VALUE", 0,
	  "Measure only cases like this (engines=idle, pages=64); may be repeated", 0 },
	{ "build", 'b', "normal|test", 0,
	  "The build of the driver that is loaded (default normal); with a test build, measure only what needs one",
	  0 },
	{ "output", 'o', "FILE", 0,
	  "Append the raw results to FILE, one line of JSON each, and print no table", 0 },
	{ "table", OPTION_TABLE, NULL, 0, "Print tables, with --output too", 0 },
	{ "describe", OPTION_DESCRIBE, NULL, 0,
	  "Print tables, axes and targets of all questions as JSON, and measure nothing", 0 },
	{ 0 }
};

static const struct question *find_question(const char *word)
{
	for (size_t i = 0; i < NR_QUESTIONS; i++)
		if (!strcmp(__start_questions[i]->word, word))
			return __start_questions[i];
	die("there is no question '%s'; --help lists them", word);
}

static unsigned int parse_repetitions(const char *value)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno || *end || *value < '0' || *value > '9' || !number ||
	    number > REPETITIONS_MAX)
		die("--repetitions takes a number from 1 to %d, not '%s'",
		    REPETITIONS_MAX, value);
	return number;
}

static void parse_only(struct bench *bench, char *text)
{
	char *value = strchr(text, '=');

	if (!value || bench->nr_only == VARIANT_MAX)
		die("--only takes KEY=VALUE, up to %d times", VARIANT_MAX);
	*value = '\0';
	bench->only[bench->nr_only++] = (struct pair) { text, value + 1 };
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct bench *bench = state->input;

	switch (key) {
	case 'q':
		bench->grid = BENCH_QUICK;
		return 0;
	case OPTION_TINY:
		bench->grid = BENCH_TINY;
		return 0;
	case 'r':
		bench->repetitions = parse_repetitions(value);
		return 0;
	case 'b':
		bench->test_build = !strcmp(value, "test");
		if (!bench->test_build && strcmp(value, "normal"))
			die("--build takes normal or test, not '%s'", value);
		return 0;
	case 'o':
		bench->output = fopen(value, "ae");
		if (!bench->output)
			die("cannot write %s: %s", value, strerror(errno));
		return 0;
	case OPTION_ONLY:
		parse_only(bench, value);
		return 0;
	case OPTION_TABLE:
		bench->table = true;
		return 0;
	case OPTION_DESCRIBE:
		results_describe(__start_questions, NR_QUESTIONS);
		exit(0);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void measure_question(struct bench *bench)
{
	const struct question *question = bench->question;

	program_invocation_short_name = (char *)question->word;
	if (!bench->repetitions) {
		bench->repetitions = grid_repetitions[bench->grid];
		if (question->enough && question->enough < bench->repetitions)
			bench->repetitions = question->enough;
	}
	/* Two processors show that it works, and the host may not have more. */
	if (bench->grid == BENCH_TINY)
		limit_to_two_cpus();
	pin_to_cpu(0);
	if (bench->test_build)
		mirror_need_test_build(mirror_device());
	question->add_cases(bench);
	bench_run(bench);
	if (bench->table)
		table_print(bench);
	workers_stop();
}

/* Each question has memory, threads and settings of its own: it needs a process. */
static void fork_question(struct bench *bench, const struct question *question)
{
	int status;
	pid_t pid;

	if (bench->test_build && !question->of_test_build)
		return;
	if (question->needs && access(question->needs, F_OK)) {
		fprintf(stderr, "%s: there is no %s; left out\n", question->word,
			question->needs);
		return;
	}
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid) {
		bench->question = question;
		measure_question(bench);
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static const char *list_questions(void)
{
	char *text = format("Measure questions, all of them by default:\n");

	for (size_t i = 0; i < NR_QUESTIONS; i++)
		text = format("%s\n  %-10s %s", text, __start_questions[i]->word,
			      __start_questions[i]->asks);
	return text;
}

int main(int argc, char **argv)
{
	const struct argp parser = {
		.options = options,
		.parser = parse_option,
		.args_doc = "[QUESTION...]",
		.doc = list_questions(),
	};
	struct bench bench = { .grid = BENCH_FULL };
	int first;

	argp_err_exit_status = 2;
	argp_parse(&parser, argc, argv, 0, &first, &bench);
	if (!bench.output)
		bench.table = true;
	results_inspect_machine();
	for (int i = first; i < argc; i++)
		find_question(argv[i]);
	for (int i = first; i < argc; i++)
		fork_question(&bench, find_question(argv[i]));
	for (size_t i = 0; first == argc && i < NR_QUESTIONS; i++)
		fork_question(&bench, __start_questions[i]);
	return 0;
}
