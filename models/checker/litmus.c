// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arm64.h"
#include "lkmm.h"
#include "search.h"

const char *argp_program_version = "litmus, of secmmu";

static const char doc[] =
	"Litmus tests of the kernel's memory model, where there is no herd7\v"
	"Takes every order of the writes to each location, and for each read every write "
	"that it could read from, and asks the rules of the model which of these executions "
	"they permit. Prints a line for each FILE as herd7 does: its name, whether its "
	"condition holds never, sometimes or always, in how many executions it does, and in "
	"how many not.\n\n"
	"Ends with 1 if a test says \"Result: ...\" of itself, or for --arm64 \"On arm64: ...\", "
	"and this is not it; with 2 "
	"if one was not understood. Branches, dependencies, plain accesses and RCU are not.";

static int one(const char *path, bool arm64)
{
	static struct search s;
	const char *wrong, *seen, *expected;

	memset(&s, 0, sizeof(s));
	s.permits = arm64 ? arm64_permits : lkmm_permits;
	wrong = program_read(path, &s.p);
	if (!wrong && !search_all(&s))
		wrong = "its condition is not understood";
	if (!wrong && !s.with && !s.without)
		wrong = "no execution comes to an end";
	if (wrong) {
		fprintf(stderr, "litmus: %s: %s\n", path, wrong);
		return 2;
	}
	seen = !s.with ? "Never" : s.without ? "Sometimes" : "Always";
	printf("Observation %s %s %lu %lu\n", s.p.name, seen, s.with, s.without);
	expected = arm64 && s.p.on_arm64[0] ? s.p.on_arm64 : s.p.expected;
	if (!expected[0] || !strcmp(expected, seen))
		return 0;
	fprintf(stderr, "litmus: %s: it should be %s\n", path, expected);
	return 1;
}

/**
 * struct answer - what was asked for, and what came of it
 * @arm64: by the rules of that architecture, not those of the kernel's model
 * @status: of the program
 */
struct answer {
	bool arm64;
	int status;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct answer *answer = state->input;
	int got;

	switch (key) {
	case 'a':
		answer->arm64 = true;
		return 0;
	case ARGP_KEY_ARG:
		got = one(arg, answer->arm64);
		answer->status = got > answer->status ? got : answer->status;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "arm64", 'a', NULL, 0, "Ask the rules of that architecture instead, of the "
		  "FILEs that follow", 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse_option, "FILE...", doc, NULL, NULL, NULL };
	struct answer answer = { 0 };

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &answer);
	return answer.status;
}
