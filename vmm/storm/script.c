// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "memory.h"
#include "message.h"
#include "operation.h"
#include "script.h"

/* A line is short; what is longer is no script. */
#define LINE_BYTES	256

#define MOST_STEPS	65536

#define WAIT_US		50

/**
 * script_reserve - have room for all steps there can be
 * @part: empty
 *
 * Then script_append() allocates nothing.
 */
void script_reserve(struct script_part *part)
{
	part->room = MOST_STEPS;
	part->steps = calloc(part->room, sizeof(*part->steps));
	if (!part->steps)
		die("out of memory");
}

/**
 * script_append - add a step
 * @part: the steps of a discarder
 * @step: copied
 *
 * Beyond 65536 steps nothing is added.
 */
void script_append(struct script_part *part, const struct script_step *step)
{
	if (part->count == MOST_STEPS)
		return;
	if (part->count == part->room) {
		part->room = part->room ? 2 * part->room : 64;
		part->steps = reallocarray(part->steps, part->room, sizeof(*part->steps));
		if (!part->steps)
			die("out of memory");
	}
	part->steps[part->count++] = *step;
}

static size_t find_operation(const char *name)
{
	size_t index = 0;

	while (index < nr_operations && strcmp(operations[index].name, name))
		index++;
	return index;
}

/* Understands the words of a line; returns NULL, or what is wrong. */
static const char *parse_line(struct script *script, struct script_part **part, const char *line)
{
	struct script_step step = { .kind = SCRIPT_OPERATION };
	char name[64] = "", rest[2] = "";
	uint32_t first = 0, count = 0;
	int words = sscanf(line, "%63s %" SCNu32 " %" SCNu32 " %1s", name, &first, &count, rest);

	if (words <= 0 || *name == '#')
		return NULL;
	if (words == 2 && !strcmp(name, "discarder")) {
		if (first >= SCRIPT_THREADS)
			return "there are discarders 0 to 3";
		*part = &script->parts[first];
		return NULL;
	}
	if (!*part)
		return "a script begins with \"discarder 0\"";
	step.first = first;
	step.count = count;
	if (words == 1 && !strcmp(name, "barrier"))
		step.kind = SCRIPT_BARRIER;
	else if (words == 2 && !strcmp(name, "pause"))
		step.kind = SCRIPT_PAUSE;
	else if (find_operation(name) == nr_operations)
		return "there is no such operation";
	else if (words != 3 || !count)
		return "an operation takes a first page and a number of pages";
	step.operation = (uint32_t)find_operation(name);
	script_append(*part, &step);
	return NULL;
}

/* The rest of a line behind "#" is for people. */
static void cut_comment(char *line)
{
	line[strcspn(line, "#\n")] = '\0';
}

/**
 * script_read - read a script
 * @script: filled in
 * @path: its file
 *
 * Ends the program, with the line, if it is wrong.
 */
void script_read(struct script *script, const char *path)
{
	struct script_part *part = NULL;
	FILE *file = fopen(path, "re");
	char line[LINE_BYTES];
	size_t steps = 0;

	*script = (struct script) { 0 };
	if (!file)
		die("%s: %s", path, strerror(errno));
	for (unsigned int number = 1; fgets(line, sizeof(line), file); number++) {
		const char *wrong;

		cut_comment(line);
		wrong = parse_line(script, &part, line);
		if (wrong)
			die("%s:%u: %s", path, number, wrong);
	}
	fclose(file);
	for (int i = 0; i < SCRIPT_THREADS; i++)
		steps += script->parts[i].count;
	if (!steps)
		die("%s: there is nothing to do", path);
}

/* How many pages an operation takes at most: none has room for more. */
static uint32_t most_pages(const struct operation *operation)
{
	switch (operation->extent) {
	case EXTENT_ONE:
		return 1;
	case EXTENT_HUGE:
		return HUGE_PAGES;
	case EXTENT_SLOT:
		return UINT32_MAX;
	default:
		return SOME_PAGES;
	}
}

/* What is wrong with a step, for people, or NULL. */
static const char *find_misfit(const struct script_step *step, const struct memory *memory)
{
	const struct operation *operation = &operations[step->operation];

	if (step->first >= memory->pages ||
	    memory_pages_from(memory, step->first, step->count) < step->count)
		return "not within a slot of guest memory";
	if (step->count > most_pages(operation))
		return "more than it can take";
	if (operation->extent == EXTENT_TAIL && step->first + step->count != memory->pages)
		return "not at the end of guest memory";
	return NULL;
}

/**
 * script_check - does a script fit into guest memory?
 * @script: read
 * @memory: guest memory
 *
 * Ends the program if it does not.
 */
void script_check(const struct script *script, const struct memory *memory)
{
	for (int i = 0; i < SCRIPT_THREADS; i++) {
		const struct script_part *part = &script->parts[i];

		for (size_t j = 0; j < part->count; j++) {
			const struct script_step *step = &part->steps[j];
			const char *misfit = NULL;

			if (step->kind == SCRIPT_OPERATION)
				misfit = find_misfit(step, memory);
			if (misfit)
				die("the script: %s of %" PRIu32 " pages from %" PRIu32 ": %s",
				    operations[step->operation].name, step->count, step->first,
				    misfit);
		}
	}
}

/**
 * script_free - forget a script
 * @script: read, or zeroes
 */
void script_free(struct script *script)
{
	for (int i = 0; i < SCRIPT_THREADS; i++)
		free(script->parts[i].steps);
}

/**
 * script_uses - is an operation in the script?
 * @script: read
 * @operation: its index
 *
 * Return: true if so.
 */
bool script_uses(const struct script *script, size_t operation)
{
	for (int i = 0; i < SCRIPT_THREADS; i++)
		for (size_t j = 0; j < script->parts[i].count; j++)
			if (script->parts[i].steps[j].kind == SCRIPT_OPERATION &&
			    script->parts[i].steps[j].operation == operation)
				return true;
	return false;
}

/* Discarders without steps do not come to barriers. */
static uint32_t count_threads(const struct script *script)
{
	uint32_t threads = 0;

	for (int i = 0; i < SCRIPT_THREADS; i++)
		threads += script->parts[i].count > 0;
	return threads;
}

/**
 * script_wait - wait until all discarders of the script have come here
 * @script: read
 * @stop: wait no longer when this becomes true
 */
void script_wait(struct script *script, const bool *stop)
{
	uint32_t threads = count_threads(script);
	uint64_t turn = __atomic_add_fetch(&script->arrived, 1, __ATOMIC_ACQ_REL);
	uint64_t all = (turn + threads - 1) / threads * threads;

	while (__atomic_load_n(&script->arrived, __ATOMIC_ACQUIRE) < all &&
	       !__atomic_load_n(stop, __ATOMIC_RELAXED))
		usleep(WAIT_US);
}

static void write_step(FILE *file, const struct script_step *step)
{
	switch (step->kind) {
	case SCRIPT_OPERATION:
		fprintf(file, "%s %" PRIu32 " %" PRIu32 "\n", operations[step->operation].name,
			step->first, step->count);
		break;
	case SCRIPT_BARRIER:
		fprintf(file, "barrier\n");
		break;
	case SCRIPT_PAUSE:
		fprintf(file, "pause %" PRIu32 "\n", step->first);
		break;
	}
}

/**
 * script_write - write a script, for script_read() and for people to cut
 * @script: the script
 * @path: the file
 *
 * Return: 0, or -1 after a message.
 */
int script_write(const struct script *script, const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return say("%s: %s", path, strerror(errno));
	for (int i = 0; i < SCRIPT_THREADS; i++) {
		fprintf(file, "discarder %d\n", i);
		for (size_t j = 0; j < script->parts[i].count; j++)
			write_step(file, &script->parts[i].steps[j]);
	}
	return fclose(file) ? say("%s: %s", path, strerror(errno)) : 0;
}
