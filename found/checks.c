// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "checks.h"
#include "found.h"
#include "message.h"

#define LENGTH	512

/* Adds "CHECK: VERDICT" to @text, from a line of results; returns if the check passes. */
static bool add_verdict(char *text, const char *line)
{
	char check[64], verdict[64];
	const char *from = strstr(line, "\"check\":\"");
	size_t length = strlen(text);

	if (!from || sscanf(from, "\"check\":\"%63[^\"]\",\"verdict\":\"%63[^\"]\"", check,
			    verdict) != 2)
		die("not a verdict: %s", line);
	snprintf(text + length, LENGTH - length, "%s%s: %s", length ? ", " : "", check, verdict);
	return !strcmp(verdict, "pass");
}

/* Returns if all checks pass; dies unless all do, or none. */
static bool all_pass(const char *subject, const char *checks, char *text)
{
	char command[LENGTH] = "exec secmmu-judge --json", list[LENGTH], line[2048];
	unsigned int passed = 0, run = 0;
	FILE *judge;

	snprintf(list, sizeof(list), "%s", checks);
	for (char *check = strtok(list, " "); check; check = strtok(NULL, " ")) {
		size_t length = strlen(command);

		snprintf(command + length, sizeof(command) - length, " %s/%s", subject, check);
	}
	judge = popen(command, "r");
	if (!judge)
		die("cannot run secmmu-judge: %s", strerror(errno));
	*text = 0;
	while (fgets(line, sizeof(line), judge)) {
		fputs(line, stdout);
		if (*line != '{')
			continue;
		passed += add_verdict(text, line);
		run++;
	}
	if (pclose(judge) == -1 || !run)
		die("secmmu-judge has no verdict");
	if (passed && passed < run)
		die("some checks pass, and others do not: %s", text);
	return passed;
}

void conclude_checks(const char *subject, const char *checks)
{
	char text[LENGTH];

	if (!all_pass("procmem", checks, text))
		die("the control does not pass: %s", text);
	conclude(!all_pass(subject, checks, text), "%s", text);
}
