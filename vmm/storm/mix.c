// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"
#include "mix.h"
#include "operation.h"
#include "script.h"

/* So many proofs are enough: to look for one may take longer than the operation. */
#define ENOUGH_PROOFS	8

#define WEIGHT_MOST	10000u

/* Of a swarm's operations one of so many is not at rest; looking for one ends sometime. */
#define AWAKE_ONE_OF	4
#define CHOICES		64

/* What fits in a line. */
#define MOST_TOLD	3

static const char *const contents[] = {
	[CONTENT_NONE] = "-",
	[CONTENT_KEPT] = "kept",
	[CONTENT_LOST] = "lost",
	[CONTENT_UNSURE] = "unsure",
};

static const char *const latches[] = {
	[LATCHES_OPEN] = "nobody",
	[LATCHES_CLOSE] = "new accesses",
	[LATCHES_WAIT] = "all accesses",
};

static const char *const proofs[] = {
	[PROOF_OWN] = "",
	[PROOF_GONE] = "pagemap: ",
	[PROOF_THERE] = "pagemap: ",
	[PROOF_COUNTER] = "vmstat ",
};

static const char *const backings[MEMORY_BACKINGS] = {
	[MEMORY_ANON] = "anon",
	[MEMORY_MEMFD] = "memfd",
};

static void name_all(struct mix *mix)
{
	for (size_t i = 0; i < nr_operations; i++)
		mix->entries[i].weight = operations[i].weight;
}

/* Returns the index of an operation, or nr_operations. */
static size_t find_operation(const char *name, size_t length)
{
	for (size_t i = 0; i < nr_operations; i++)
		if (strlen(operations[i].name) == length &&
		    !strncmp(operations[i].name, name, length))
			return i;
	return nr_operations;
}

static bool parse_weight(const char *text, const char *end, uint32_t *weight)
{
	unsigned long value;
	char *stop;

	if (text == end || *text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &stop, 10);
	*weight = (uint32_t)value;
	return !errno && stop == end && value <= WEIGHT_MOST;
}

/**
 * mix_find - find an operation
 * @mix: prepared
 * @name: its name
 *
 * Return: its row; NULL if the storm does not perform it.
 */
const struct operation *mix_find(const struct mix *mix, const char *name)
{
	size_t index = find_operation(name, strlen(name));

	return index < nr_operations && mix->entries[index].weight ? &operations[index] : NULL;
}

/* One of the words between commas. */
static bool parse_word(struct mix *mix, const char *word, const char *end, char *why, size_t size)
{
	const char *equals = memchr(word, '=', (size_t)(end - word));
	size_t length = (size_t)((equals ?: end) - word), index;
	uint32_t weight = 0;

	if (equals && !parse_weight(equals + 1, end, &weight)) {
		snprintf(why, size, "\"%.*s\": a weight is a number from 0 to %u",
			 (int)(end - word), word, WEIGHT_MOST);
		return false;
	}
	if (length == 3 && !strncmp(word, "all", 3) && !equals) {
		name_all(mix);
		return true;
	}
	index = find_operation(word, length);
	if (index == nr_operations) {
		snprintf(why, size, "there is no operation \"%.*s\", see storm --list",
			 (int)length, word);
		return false;
	}
	mix->entries[index].weight = equals ? weight : operations[index].weight;
	mix->entries[index].named = mix->entries[index].weight;
	return true;
}

/**
 * mix_parse - understand the argument of --mix
 * @mix: filled in
 * @text: names, with or without "=WEIGHT", between commas; "all" names each
 * @why: what is wrong, if something is
 * @size: bytes of @why
 *
 * Return: true if nothing is wrong.
 */
bool mix_parse(struct mix *mix, const char *text, char *why, size_t size)
{
	*mix = (struct mix) { .text = text };
	for (const char *word = text, *end;; word = end + 1) {
		end = strchrnul(word, ',');
		if (!parse_word(mix, word, end, why, size))
			return false;
		if (!*end)
			break;
	}
	for (size_t i = 0; i < nr_operations; i++)
		mix->total += mix->entries[i].weight;
	if (mix->total)
		return true;
	snprintf(why, size, "no operation is left");
	return false;
}

/**
 * mix_of_script - the operations of a script, so that each can be prepared and reported
 * @mix: filled in
 * @script: read
 */
void mix_of_script(struct mix *mix, const struct script *script)
{
	*mix = (struct mix) { .text = "all" };
	for (size_t i = 0; i < nr_operations; i++) {
		mix->entries[i].named = script_uses(script, i);
		mix->entries[i].weight = mix->entries[i].named;
		mix->total += mix->entries[i].weight;
	}
}

/**
 * mix_list - print the table of operations
 */
void mix_list(void)
{
	for (size_t i = 0; i < nr_operations; i++) {
		const struct operation *operation = &operations[i];

		printf("%s (weight %" PRIu32 "): %s\n", operation->name, operation->weight,
		       operation->summary);
		for (int backing = 0; backing < MEMORY_BACKINGS; backing++) {
			const struct operation_rule *rule = &operation->rules[backing];

			if (rule->content != CONTENT_NONE)
				printf("    %-5s  content is %s; keeps out %s\n", backings[backing],
				       contents[rule->content], latches[rule->latches]);
		}
		printf("    path   %s%s\n", proofs[operation->proof], operation->path);
	}
}

static void leave_out(struct mix *mix, size_t index, const struct instance *instance)
{
	const struct operation *operation = &operations[index];
	struct mix_entry *entry = &mix->entries[index];
	enum memory_backing backing = instance->memory->backing;

	if (operation->rules[backing].content == CONTENT_NONE)
		snprintf(entry->why, sizeof(entry->why), "not with --backing %s",
			 backings[backing]);
	else if (operation->usable)
		operation->usable(operation, instance, entry->why, sizeof(entry->why));
	if (!entry->why[0])
		return;
	mix->total -= entry->weight;
	entry->weight = 0;
}

/**
 * mix_prepare - leave out what cannot be done here
 * @mix: what mix_parse() filled in
 * @instance: the subject, not yet in use
 *
 * mix_print() tells what. Ends the program if nothing is left.
 */
void mix_prepare(struct mix *mix, const struct instance *instance)
{
	for (size_t i = 0; i < nr_operations; i++)
		if (mix->entries[i].weight)
			leave_out(mix, i, instance);
	for (size_t i = 0; i < nr_operations && !mix->total; i++)
		if (*mix->entries[i].why)
			die("nothing is left to do; %s: %s", operations[i].name,
			    mix->entries[i].why);
}

/**
 * mix_rest - from now on only some operations are chosen, others than before
 * @mix: prepared
 * @prng: decides which
 *
 * What one operation builds up, say a huge page, another may destroy at once. Swarm testing:
 * among few at a time, there are soon some that let each other work.
 */
void mix_rest(struct mix *mix, struct prng *prng)
{
	for (size_t i = 0; i < nr_operations; i++)
		__atomic_store_n(&mix->entries[i].resting, prng_below(prng, AWAKE_ONE_OF),
				 __ATOMIC_RELAXED);
}

static size_t choose_any(const struct mix *mix, struct prng *prng)
{
	uint32_t at = prng_below(prng, mix->total);
	size_t index = 0;

	while (at >= mix->entries[index].weight)
		at -= mix->entries[index++].weight;
	return index;
}

/**
 * mix_choose - choose an operation by the weights
 * @mix: prepared
 * @prng: decides
 *
 * Return: its index.
 */
size_t mix_choose(const struct mix *mix, struct prng *prng)
{
	size_t index = choose_any(mix, prng);

	/* All may be at rest. */
	for (int i = 0; i < CHOICES; i++) {
		if (!__atomic_load_n(&mix->entries[index].resting, __ATOMIC_RELAXED))
			break;
		index = choose_any(mix, prng);
	}
	return index;
}

/**
 * mix_choose_losing - choose an operation that takes content away, if one of those awake does
 * @mix: prepared
 * @backing: of guest memory
 * @prng: decides
 *
 * Return: its index; that of another, rarely, if only few do.
 */
size_t mix_choose_losing(const struct mix *mix, enum memory_backing backing, struct prng *prng)
{
	size_t index = mix_choose(mix, prng);

	for (int i = 0; i < CHOICES; i++) {
		if (operations[index].rules[backing].content == CONTENT_LOST)
			break;
		index = mix_choose(mix, prng);
	}
	return index;
}

/**
 * mix_wants_proof - shall a discarder look whether an operation reaches its path?
 * @mix: prepared
 * @index: of the operation
 *
 * Return: false if it was seen often enough.
 */
bool mix_wants_proof(const struct mix *mix, size_t index)
{
	return __atomic_load_n(&mix->entries[index].proofs, __ATOMIC_RELAXED) < ENOUGH_PROOFS;
}

/**
 * mix_note - an operation was performed
 * @mix: prepared
 * @index: of the operation
 * @error: what it returned
 * @reached: it was seen to reach its path
 */
void mix_note(struct mix *mix, size_t index, int error, bool reached)
{
	struct mix_entry *entry = &mix->entries[index];

	if (error) {
		__atomic_store_n(&entry->error, -error, __ATOMIC_RELAXED);
		__atomic_add_fetch(&entry->refused, 1, __ATOMIC_RELAXED);
	} else {
		__atomic_add_fetch(&entry->done, 1, __ATOMIC_RELAXED);
	}
	if (reached)
		__atomic_add_fetch(&entry->proofs, 1, __ATOMIC_RELAXED);
}

/**
 * mix_proven - has each operation that --mix names reached its path?
 * @mix: prepared
 *
 * Return: true if so; what is left out does not count.
 */
bool mix_proven(const struct mix *mix)
{
	for (size_t i = 0; i < nr_operations; i++) {
		const struct mix_entry *entry = &mix->entries[i];

		if (mix->asked && entry->named && entry->weight &&
		    !__atomic_load_n(&entry->proofs, __ATOMIC_RELAXED))
			return false;
	}
	return true;
}

static void print_entry(const struct mix_entry *entry, const struct operation *operation)
{
	char refused[64] = "";

	if (*entry->why) {
		printf("  %-18s left out: %s\n", operation->name, entry->why);
		return;
	}
	if (entry->refused)
		snprintf(refused, sizeof(refused), "; refused %" PRIu64 " times, last: %s",
			 entry->refused, strerror(entry->error));
	printf("  %-18s %8" PRIu64 "  %s (%s%s)%s\n", operation->name, entry->done,
	       entry->proofs ? "reached" : "not reached", proofs[operation->proof],
	       operation->path, refused);
}

/**
 * mix_print - print what became of each operation
 * @mix: prepared, at rest
 */
void mix_print(const struct mix *mix)
{
	printf("operations, times done, and whether they reached their path in the kernel:\n");
	for (size_t i = 0; i < nr_operations; i++)
		if (mix->entries[i].weight || *mix->entries[i].why)
			print_entry(&mix->entries[i], &operations[i]);
}

/* The operation that was done most often, of those done less often than @below. */
static size_t next_most(const struct mix *mix, uint64_t below)
{
	size_t most = nr_operations;
	uint64_t found = 0;

	for (size_t i = 0; i < nr_operations; i++) {
		uint64_t done = __atomic_load_n(&mix->entries[i].done, __ATOMIC_RELAXED);

		if (done > found && done < below) {
			found = done;
			most = i;
		}
	}
	return most;
}

/**
 * mix_print_most - print the operations that were done most often, in the same line
 * @mix: prepared
 */
void mix_print_most(const struct mix *mix)
{
	uint64_t below = UINT64_MAX;
	size_t index;

	for (int told = 0; told < MOST_TOLD; told++) {
		index = next_most(mix, below);
		if (index == nr_operations)
			return;
		below = __atomic_load_n(&mix->entries[index].done, __ATOMIC_RELAXED);
		printf("%s %s %" PRIu64, told ? "," : "", operations[index].name, below);
	}
}

/**
 * mix_json - the same for other programs
 * @mix: prepared, at rest
 * @json: the object that "operations", a list, becomes a member of
 */
void mix_json(const struct mix *mix, struct json *json)
{
	json_list(json, "operations");
	for (size_t i = 0; i < nr_operations; i++) {
		const struct mix_entry *entry = &mix->entries[i];

		if (!entry->weight && !*entry->why)
			continue;
		json_object(json, NULL);
		json_string(json, "name", operations[i].name);
		json_number(json, "weight", entry->weight);
		json_number(json, "done", entry->done);
		json_number(json, "refused", entry->refused);
		json_number(json, "errno", (uint64_t)entry->error);
		json_number(json, "proofs", entry->proofs);
		json_string(json, "left_out", entry->why);
		json_end(json);
	}
	json_end(json);
}
