// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "races.h"
#include "util.h"

/* What begins a title, behind the time that the kernel puts before each line. */
#define TITLE	"BUG: KCSAN: "
#define RULE	"=================================================================="
/* How the kernel writes in a stack, and in a title, that a function is the driver's. */
#define DRIVER	"[secmmu]"

/* The line before each stack, and the functions at which the kernel is entered. */
#define STACK	" bytes by "
#define ENTRY	" asm_"

/* Is the function on this line one of another module? */
static bool elsewhere(const char *line)
{
	size_t length = strlen(line);

	return length && line[length - 1] == ']' && !strstr(line, DRIVER);
}

static void count_other(struct races *races)
{
	unsigned int i = 0;

	races->others++;
	while (i < races->nr_kinds && strcmp(races->kinds[i].title, races->title))
		i++;
	if (i == RACE_KINDS)
		return;
	if (i == races->nr_kinds)
		strcpy(races->kinds[races->nr_kinds++].title, races->title);
	races->kinds[i].count++;
}

enum race races_line(struct races *races, const char *line)
{
	const char *title = strstr(line, TITLE);

	if (title && races->open) {
		/* The one before has no end. */
		races->ours = true;
		return RACE_LINE;
	}
	if (title) {
		races->open = true;
		races->ours = strstr(line, DRIVER);
		races->beneath = false;
		snprintf(races->title, sizeof(races->title), "%s", title);
		return RACE_LINE;
	}
	if (!races->open)
		return RACE_NONE;
	if (!strstr(line, RULE)) {
		if (strstr(line, STACK))
			races->beneath = false;
		else if (strstr(line, ENTRY) || elsewhere(line))
			races->beneath = true;
		races->ours |= !races->beneath && strstr(line, DRIVER);
		return RACE_NONE;
	}
	races->open = false;
	if (races->ours)
		return RACE_OFFENDS;
	count_other(races);
	return RACE_LINE;
}

bool races_end(struct races *races)
{
	bool was_open = races->open;

	races->open = false;
	return was_open;
}

void races_tell_others(const struct races *races, const char *prefix)
{
	if (!races->others)
		return;
	say("%sdata races of its own, which do not count: %u", prefix, races->others);
	for (unsigned int i = 0; i < races->nr_kinds; i++)
		say("%s%6u %s", prefix, races->kinds[i].count,
		    races->kinds[i].title + strlen(TITLE));
	if (races->nr_kinds == RACE_KINDS)
		say("%s       and perhaps others", prefix);
}
