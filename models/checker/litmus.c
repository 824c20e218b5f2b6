// SPDX-License-Identifier: GPL-2.0
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

const char *argp_program_version = "litmus, of secmmu";

static const char doc[] =
	"Litmus tests of the kernel's memory model, where there is no herd7\v"
	"Takes every order of the writes to each location, and for each read every write "
	"that it could read from, and asks the rules of the model which of these executions "
	"they permit. Prints a line for each FILE as herd7 does: its name, whether its "
	"condition holds never, sometimes or always, in how many executions it does, and in "
	"how many not.\n\n"
	"Ends with 1 if a test says \"Result: ...\" of itself, and this is not it; with 2 "
	"if one was not understood. Branches, dependencies, plain accesses and RCU are not.";

static int one(const char *path)
{
	static struct search s;
	const char *wrong, *seen;

	memset(&s, 0, sizeof(s));
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
	if (!s.p.expected[0] || !strcmp(s.p.expected, seen))
		return 0;
	fprintf(stderr, "litmus: %s: it should be %s\n", path, s.p.expected);
	return 1;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	int *status = state->input, got;

	switch (key) {
	case ARGP_KEY_ARG:
		got = one(arg);
		*status = got > *status ? got : *status;
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
	static const struct argp argp = { NULL, parse_option, "FILE...", doc, NULL, NULL, NULL };
	int status = 0;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &status);
	return status;
}
