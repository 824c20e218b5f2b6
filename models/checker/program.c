// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

/* What operations are made of. */
enum shape { READ, WRITE, SWAP, ADD, FENCE, LOCK, UNLOCK };

/**
 * struct operation - what a litmus test may do
 * @name: its name in the kernel
 * @shape: what it is made of
 * @star: it is given the location itself, "*x", not its address
 * @is: what its events are besides
 * @value: ADD: how much
 */
static const struct operation {
	const char *name;
	enum shape shape;
	bool star;
	int is, value;
} operations[] = {
	{ "READ_ONCE", READ, true, 0, 0 },
	{ "WRITE_ONCE", WRITE, true, 0, 0 },
	{ "smp_load_acquire", READ, false, IS_ACQUIRE, 0 },
	{ "smp_store_release", WRITE, false, IS_RELEASE, 0 },
	{ "rcu_assign_pointer", WRITE, true, IS_RELEASE, 0 },
	{ "atomic_read", READ, false, 0, 0 },
	{ "atomic_set", WRITE, false, 0, 0 },
	{ "atomic_read_acquire", READ, false, IS_ACQUIRE, 0 },
	{ "atomic_set_release", WRITE, false, IS_RELEASE, 0 },
	{ "atomic_inc", ADD, false, IS_NO_RETURN, 1 },
	{ "atomic_dec", ADD, false, IS_NO_RETURN, -1 },
	{ "atomic_inc_return", ADD, false, IS_FULL, 1 },
	{ "atomic_inc_return_relaxed", ADD, false, 0, 1 },
	{ "atomic_dec_return", ADD, false, IS_FULL, -1 },
	{ "xchg", SWAP, false, IS_FULL, 0 },
	{ "xchg_relaxed", SWAP, false, 0, 0 },
	{ "smp_mb", FENCE, false, IS_FULL, 0 },
	{ "smp_rmb", FENCE, false, IS_RMB, 0 },
	{ "smp_wmb", FENCE, false, IS_WMB, 0 },
	{ "smp_mb__before_atomic", FENCE, false, IS_BEFORE_ATOMIC, 0 },
	{ "smp_mb__after_atomic", FENCE, false, IS_AFTER_ATOMIC, 0 },
	{ "smp_mb__after_spinlock", FENCE, false, IS_AFTER_SPINLOCK, 0 },
	{ "spin_lock", LOCK, false, 0, 0 },
	{ "spin_unlock", UNLOCK, false, 0, 0 },
};

static char complaint[256];

static const char *complain(const char *what, const char *about)
{
	snprintf(complaint, sizeof(complaint), "%s: %s", what, about);
	return complaint;
}

/* Returns the number of the event, or -1 if there is no room for it. */
static int add_event(struct program *p, struct event event)
{
	if (p->nr_events == EVENTS_MAX)
		return -1;
	p->events[p->nr_events] = event;
	return p->nr_events++;
}

/* Returns the number of the location, or -1 if there is no room for it. */
static int place(struct program *p, const char *name)
{
	struct event initial = { .thread = -1, .is = IS_WRITE, .partner = -1,
				 .target = -1 };
	int i;

	for (i = 0; i < p->nr_places; i++)
		if (!strcmp(p->places[i].name, name))
			return i;
	if (i == PLACES_MAX || strlen(name) >= PLACE_NAME)
		return -1;
	initial.place = i;
	p->places[i].initial = add_event(p, initial);
	if (p->places[i].initial < 0)
		return -1;
	strcpy(p->places[i].name, name);
	return p->nr_places++;
}

/* The events of @op, which is that of @thread on location @at. */
static bool add_operation(struct program *p, const struct operation *op, int thread,
			  int at, int target, int value)
{
	struct event event = { .thread = thread, .place = at, .is = op->is,
			       .partner = -1, .target = target };
	struct event write = event;
	int first;

	switch (op->shape) {
	case FENCE:
		event.place = -1;
		return add_event(p, event) >= 0;
	case READ:
		event.is |= IS_READ;
		return add_event(p, event) >= 0;
	case WRITE:
	case UNLOCK:
		event.is |= op->shape == WRITE ? IS_WRITE :
						 IS_WRITE | IS_RELEASE | IS_UNLOCK;
		event.value = value;
		return add_event(p, event) >= 0;
	case LOCK:
		event.is |= IS_READ | IS_ACQUIRE | IS_LOCK;
		write.is |= IS_WRITE | IS_LOCK;
		break;
	case SWAP:
	case ADD:
		event.is |= IS_READ | IS_RMW;
		event.value = op->value;
		write.is |= IS_WRITE | IS_RMW;
		write.is &= ~IS_NO_RETURN;
		write.adds = op->shape == ADD;
		write.value = write.adds ? op->value : value;
		break;
	}
	first = add_event(p, event);
	if (first < 0)
		return false;
	write.partner = first;
	write.target = -1;
	p->events[first].partner = add_event(p, write);
	return p->events[first].partner >= 0;
}

/* Has @op the arguments and the result that it ought to have? */
static bool proper(const struct operation *op, bool at, bool star, bool value, bool target)
{
	bool returns = op->shape == READ || op->shape == SWAP ||
		       (op->shape == ADD && !(op->is & IS_NO_RETURN));
	bool takes = op->shape == WRITE || op->shape == SWAP;

	return at == (op->shape != FENCE) && star == op->star && value == takes &&
	       (returns || !target);
}

/* "int r0", and nothing else. */
static bool declaration(const char *text)
{
	int used = 0;

	return sscanf(text, "int r%*1[0-9]%n", &used) == 0 && used && !text[used];
}

/* A statement of @thread. */
static const char *statement(struct program *p, int thread, char *text)
{
	enum { RESULT = 2, NAME = 3, STAR = 5, PLACE = 6, VALUE = 8, PARTS };
	static const char pattern[] =
		"^(r([0-9]) = )?([a-z_A-Z]+)\\(((\\*?)([a-z_A-Z]+[0-9]*))?(, ([0-9]+))?\\)$";
	regmatch_t m[PARTS + 1];
	bool target, at, star, value;
	regex_t regex;
	int found;

	if (declaration(text))
		return NULL;
	if (regcomp(&regex, pattern, REG_EXTENDED))
		abort();
	found = regexec(&regex, text, PARTS + 1, m, 0);
	regfree(&regex);
	if (found)
		return complain("not understood", text);
	target = m[RESULT].rm_so >= 0;
	at = m[PLACE].rm_so >= 0;
	star = m[STAR].rm_so < m[STAR].rm_eo;
	value = m[VALUE].rm_so >= 0;
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		const struct operation *op = &operations[i];
		int where = -1;

		if (strncmp(op->name, text + m[NAME].rm_so, strlen(op->name)) ||
		    (int)strlen(op->name) != m[NAME].rm_eo - m[NAME].rm_so)
			continue;
		if (!proper(op, at, star, value, target))
			break;
		if (at) {
			text[m[PLACE].rm_eo] = '\0';
			where = place(p, text + m[PLACE].rm_so);
		}
		if ((at && where < 0) ||
		    !add_operation(p, op, thread, where,
				   target ? atoi(text + m[RESULT].rm_so) : -1,
				   value ? atoi(text + m[VALUE].rm_so) : 0))
			return complain("too many events or locations", p->name);
		return NULL;
	}
	return complain("not understood", text);
}

/* "NAME = N" or "NAME = ATOMIC_INIT(N)" before the threads. */
static const char *initial_value(struct program *p, char *text)
{
	char name[PLACE_NAME];
	int value, at;

	if (sscanf(text, "%31[a-z_A-Z0-9] = ATOMIC_INIT(%d)", name, &value) != 2 &&
	    sscanf(text, "%31[a-z_A-Z0-9] = %d", name, &value) != 2)
		return complain("not understood", text);
	at = place(p, name);
	if (at < 0)
		return complain("too many locations", name);
	p->events[p->places[at].initial].value = value;
	return NULL;
}

/* All up to the brace; @thread is -1 for the initial values. Moves *@text behind it. */
static const char *block(struct program *p, int thread, char **text)
{
	char *end = strchr(*text, '}'), *rest = NULL, *line;
	const char *wrong = NULL;

	if (!end)
		return complain("no end of a block", *text);
	*end = '\0';
	for (line = strtok_r(*text, ";", &rest); line && !wrong;
	     line = strtok_r(NULL, ";", &rest)) {
		line += strspn(line, " \t\n{");
		if (*line)
			wrong = thread < 0 ? initial_value(p, line) :
					     statement(p, thread, line);
	}
	*text = end + 1;
	return wrong;
}

/* Blanks instead of comments. One has a blank behind its begin, "(*place" is none. */
static void strip_comments(char *text)
{
	char *from, *end;

	for (from = text; *from; from++) {
		if (!strncmp(from, "(*", 2) && isspace(from[2])) {
			end = strstr(from, "*)");
			memset(from, ' ', end ? (size_t)(end + 2 - from) : strlen(from));
		} else if (!strncmp(from, "//", 2)) {
			memset(from, ' ', strcspn(from, "\n"));
		}
	}
}

static const char *parse(struct program *p, char *text)
{
	const char *wrong;
	char *result = strstr(text, "* Result: "), *other = strstr(text, "* On arm64: ");
	int thread, used = 0;

	if (result)
		sscanf(result, "* Result: %15s", p->expected);
	if (other)
		sscanf(other, "* On arm64: %15s", p->on_arm64);
	strip_comments(text);
	if (sscanf(text, " C %127s%n", p->name, &used) != 1)
		return "it does not begin with C and a name";
	text += used;
	wrong = block(p, -1, &text);
	while (!wrong) {
		used = 0;
		if (sscanf(text, " P%d (%*[^)]) {%n", &thread, &used) != 1 || !used)
			break;
		text += used;
		wrong = block(p, thread, &text);
	}
	if (wrong)
		return wrong;
	used = 0;
	sscanf(text, " locations [%*[^]]]%n", &used);
	text += used;
	text += strspn(text, " \t\n");
	if (strncmp(text, "exists", 6) || strlen(text + 6) >= sizeof(p->exists))
		return complain("no condition, or one that is too long", p->name);
	strcpy(p->exists, text + 6);
	return NULL;
}

const char *program_read(const char *path, struct program *p)
{
	static char text[16384];
	FILE *file = fopen(path, "r");
	size_t length;

	if (!file)
		return "cannot be read";
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	if (length == sizeof(text) - 1)
		return "is too long";
	text[length] = '\0';
	memset(p, 0, sizeof(*p));
	return parse(p, text);
}
