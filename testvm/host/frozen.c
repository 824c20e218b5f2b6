// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain.h"
#include "frozen.h"
#include "util.h"

#define FLAG_INTERRUPTS	0x200
#define BREAKPOINT	3
#define CPUS_MAX	64
#define PLACES_MAX	64
#define PAUSE_US	10000

/**
 * struct watched - a CPU, as it has been seen so far
 * @moved: it was halted, or its interrupts were on
 * @nr: places where it was, as far as there is room
 * @places: these
 */
struct watched {
	bool moved;
	unsigned int nr;
	unsigned long places[PLACES_MAX];
};

/* The number behind @name in @line. */
static bool field(const char *line, const char *name, unsigned long *value)
{
	const char *at = strstr(line, name);
	char *end;

	if (!at)
		return false;
	at += strlen(name);
	*value = strtoul(at, &end, 16);
	return end != at;
}

static bool was_at(const struct watched *cpu, unsigned long place)
{
	for (unsigned int i = 0; i < cpu->nr; i++)
		if (cpu->places[i] == place)
			return true;
	return false;
}

/* Looks at all CPUs once; also tells where the first one has its table of handlers. */
static void look(struct watched *cpus, unsigned long *table)
{
	char *answer = domain_ask("info registers -a"), *line, *save = NULL;
	unsigned int n = 0;

	line = answer ? strtok_r(answer, "\n", &save) : NULL;
	for (; line && n < CPUS_MAX; line = strtok_r(NULL, "\n", &save)) {
		unsigned long place, flags, halted;

		if (n == 1)
			field(line, "IDT=", table);
		if (!field(line, "RIP=", &place))
			continue;
		if (!field(line, "RFL=", &flags) || flags & FLAG_INTERRUPTS ||
		    !field(line, "HLT=", &halted) || halted)
			cpus[n].moved = true;
		if (cpus[n].nr < PLACES_MAX && !was_at(&cpus[n], place))
			cpus[n].places[cpus[n].nr++] = place;
		n++;
	}
	free(answer);
}

/* Asks the monitor for memory. @how is its format, the answer what is behind the colon. */
static char *memory(const char *how, unsigned long at)
{
	char *question = format("x /%s 0x%lx", how, at);
	char *answer = domain_ask(question), *colon = answer ? strchr(answer, ':') : NULL;
	char *text = colon ? format("%s", colon + 1) : NULL;

	free(question);
	free(answer);
	return text;
}

/* Where breakpoints lead, as the processor reads that from its table. */
static unsigned long handler_in(unsigned long table)
{
	char *text = memory("2gx", table + BREAKPOINT * 16), *end;
	unsigned long low, high, handler = 0;

	if (text) {
		low = strtoul(text, &end, 16);
		high = strtoul(end, NULL, 16);
		handler = high << 32 | (low >> 32 & 0xffff0000) | (low & 0xffff);
	}
	free(text);
	return handler;
}

static bool is_noop(unsigned long place)
{
	char *text = memory("5xb", place);
	bool noop = text && strstr(text, "0x0f 0x1f 0x44 0x00 0x00");

	free(text);
	return noop;
}

static bool goes_round(const struct watched *cpu, unsigned long handler)
{
	if (!cpu->nr || cpu->moved || !was_at(cpu, handler))
		return false;
	for (unsigned int i = 0; i < cpu->nr; i++)
		if (is_noop(cpu->places[i]))
			return true;
	return false;
}

bool frozen_vm(void)
{
	struct watched *cpus = xalloc(CPUS_MAX * sizeof(*cpus));
	double end = seconds() + FROZEN_SECONDS;
	unsigned long table = 0, handler;
	bool frozen = false;

	while (seconds() < end) {
		look(cpus, &table);
		usleep(PAUSE_US);
	}
	handler = handler_in(table);
	for (int i = 0; i < CPUS_MAX && handler && !frozen; i++)
		frozen = goes_round(&cpus[i], handler);
	free(cpus);
	return frozen;
}
