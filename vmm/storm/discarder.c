// SPDX-License-Identifier: GPL-2.0
/* Agents that take memory away from the guest and give it back empty. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent.h"
#include "stamp.h"

#define MAX_DISCARD_PAGES	64

/* Unthrottled, discarders starve the guest, and the storm proves nothing. */
#define PAUSE_MIN_US		200
#define PAUSE_SPREAD_US		800

#define GAP_PATTERN		0x6a6a6a6a6a6a6a6aull

/**
 * struct operation - a way of taking memory away
 * @act: does it; 0 or a negative errno
 * @again: ends the gap that @act opened, if it opens one
 * @discards: the content is lost
 * @latches: who is kept out: nobody, other discarders and new accesses, or
 *	those under way too
 */
struct operation {
	int (*act)(const struct memory *memory, uint64_t gpa, uint64_t length);
	int (*again)(const struct memory *memory, uint64_t gpa,
		     uint64_t length);
	bool discards;
	enum { LATCHES_OPEN, LATCHES_CLOSE, LATCHES_WAIT } latches;
};

static const struct operation anon_operations[] = {
	{ memory_dontneed, NULL, true, LATCHES_WAIT },
	{ memory_dontneed, NULL, true, LATCHES_WAIT },
	{ memory_replace, NULL, true, LATCHES_WAIT },
	{ memory_unmap, memory_remap, true, LATCHES_WAIT },
};

/*
 * Only a hole in the file loses content. Replacing a mapping leaves no gap, so
 * accesses under way need not be waited for, and dropping PTEs disturbs nobody
 * at all: everything goes on meanwhile.
 */
static const struct operation memfd_operations[] = {
	{ memory_punch, NULL, true, LATCHES_WAIT },
	{ memory_punch, NULL, true, LATCHES_WAIT },
	{ memory_dontneed, NULL, false, LATCHES_OPEN },
	{ memory_replace, NULL, false, LATCHES_CLOSE },
	{ memory_unmap, memory_remap, false, LATCHES_WAIT },
};

static const struct operation *choose_operation(const struct agent *agent,
						struct prng *prng)
{
	if (agent->judge->memory->backing == MEMORY_MEMFD)
		return &memfd_operations[prng_below(prng,
			sizeof(memfd_operations) / sizeof(struct operation))];
	return &anon_operations[prng_below(prng,
		sizeof(anon_operations) / sizeof(struct operation))];
}

/* A range within one slot. */
static uint32_t choose_range(const struct agent *agent, struct prng *prng,
			     uint32_t *first)
{
	uint32_t count = 1 + prng_below(prng, MAX_DISCARD_PAGES);

	*first = judge_choose(agent->judge, prng);
	return memory_pages_from(agent->judge->memory, *first, count);
}

/* Memory that is not mapped cannot be accessed: not even by a stale spte. */
static void check_gap(struct agent *agent, uint32_t page)
{
	uint64_t gpa = judge_gpa(agent->judge, page), words[GUEST_PAGE_WORDS];
	size_t length = engine_least(&agent->engine);
	ssize_t done;

	if (length < sizeof(*words))
		length = sizeof(*words);
	done = engine_read(&agent->engine, gpa, words, length);
	if (done != -EFAULT)
		judge_fault(agent->judge, page,
			    done >= 0 ? STAMP_GAP : STAMP_ERROR, done,
			    agent->name);
	for (size_t i = 0; i < length / sizeof(*words); i++)
		words[i] = GAP_PATTERN;
	done = engine_write(&agent->engine, gpa, words, length);
	if (done != -EFAULT)
		judge_fault(agent->judge, page,
			    done >= 0 ? STAMP_GAP : STAMP_ERROR, done,
			    agent->name);
	agent_count(&agent->faults);
}

/*
 * With the latches closed nobody writes, so the content is known: a look through
 * this agent's own engine, whose TLB was just in use.
 */
static void check_closed(struct agent *agent, struct prng *prng, uint32_t first,
			 uint32_t count)
{
	agent_read_page(agent, first);
	agent_read_page(agent, first + prng_below(prng, count));
}

/* A failure to put memory back leaves a hole that would kill the process. */
static void give_up(struct agent *agent, const char *what, int error)
{
	char line[96];

	snprintf(line, sizeof(line), "%s: %s", what, strerror(-error));
	report_line(agent->judge->report, agent->name, line);
	__atomic_store_n(&agent->failed, true, __ATOMIC_RELEASE);
}

/* Returns false if the agent cannot go on. */
static bool do_operation(struct agent *agent, const struct operation *operation,
			 struct prng *prng, uint32_t first, uint32_t count)
{
	const struct memory *memory = agent->judge->memory;
	uint64_t gpa = judge_gpa(agent->judge, first);
	uint64_t length = (uint64_t)count * GUEST_PAGE_SIZE;
	int error;

	/* Fill this agent's TLB with what is about to become stale. */
	agent_read_page(agent, first + prng_below(prng, count));
	if (operation->discards)
		judge_discard_begin(agent->judge, first, count);
	error = operation->act(memory, gpa, length);
	/* DONTNEED with open latches may meet another discarder's gap. */
	if (error && !(error == -ENOMEM && operation->latches == LATCHES_OPEN)) {
		give_up(agent, "cannot take memory away", error);
		return false;
	}
	if (operation->again) {
		check_gap(agent, first + prng_below(prng, count));
		if (!prng_below(prng, 4))
			usleep(100);
		error = operation->again(memory, gpa, length);
		if (error) {
			give_up(agent, "cannot put memory back", error);
			return false;
		}
	}
	if (operation->discards)
		judge_discard_end(agent->judge, first, count);
	check_closed(agent, prng, first, count);
	agent_count(&agent->operations);
	return true;
}

/* Returns false if the agent cannot go on. */
static bool run_operation(struct agent *agent,
			  const struct operation *operation, struct prng *prng,
			  uint32_t first, uint32_t count)
{
	struct judge *judge = agent->judge;
	bool ready = true;

	if (operation->latches == LATCHES_OPEN)
		return do_operation(agent, operation, prng, first, count);
	count = judge_close(judge, first, count);
	if (operation->latches == LATCHES_WAIT)
		ready = judge_wait(judge, first, count, agent->stop);
	/* After a failure the latches stay closed over what is not there. */
	if (count && ready && !do_operation(agent, operation, prng, first, count))
		return false;
	judge_open(judge, first, count);
	return true;
}

/**
 * agent_discarder - take memory away in every way the backing allows
 * @argument: the agent
 *
 * Return: NULL.
 */
void *agent_discarder(void *argument)
{
	struct agent *agent = argument;
	struct prng prng;

	prng_init(&prng, agent->seed, agent->participant);
	while (!agent_stopping(agent)) {
		const struct operation *operation =
			choose_operation(agent, &prng);
		uint32_t first, count = choose_range(agent, &prng, &first);

		if (!run_operation(agent, operation, &prng, first, count))
			break;
		usleep(PAUSE_MIN_US + prng_below(&prng, PAUSE_SPREAD_US));
	}
	return NULL;
}
