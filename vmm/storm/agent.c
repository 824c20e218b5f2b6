// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "agent.h"
#include "clock.h"
#include "message.h"
#include "stamp.h"

/* A transfer of several pages crosses tables, slots' ends and discards. */
#define MAX_READ_PAGES	4

/* Own pages are announced and therefore mapped: failing that often is wrong. */
#define WRITE_ATTEMPTS	200
/* When all is at rest, all pages are there. */
#define SWEEP_ATTEMPTS	100

/*
 * Agents pause between bursts. With every processor busy, each interrupt of a
 * flush waits for its turn, and a storm spends its time on that.
 */
#define BURST		8
#define PAUSE_US	1000

/**
 * agent_start - start an agent's thread
 * @agent: filled in by the caller
 * @body: one of the bodies
 */
void agent_start(struct agent *agent, void *(*body)(void *agent))
{
	int error = pthread_create(&agent->thread, NULL, body, agent);

	if (error)
		die("cannot start a thread: %s", strerror(error));
	/* All names of agents are short enough. */
	pthread_setname_np(agent->thread, agent->name);
	__atomic_store_n(&agent->started, true, __ATOMIC_RELEASE);
}

/**
 * agent_join - wait until the agent has seen its stop flag
 * @agent: started or not
 */
void agent_join(struct agent *agent)
{
	if (agent->started)
		pthread_join(agent->thread, NULL);
	__atomic_store_n(&agent->started, false, __ATOMIC_RELEASE);
}

/**
 * agent_stopping - shall the agent finish?
 * @agent: the agent
 *
 * Return: true once the storm says so.
 */
bool agent_stopping(const struct agent *agent)
{
	return __atomic_load_n(agent->stop, __ATOMIC_RELAXED);
}

/**
 * agent_count - count on a counter that others read
 * @counter: one of the caller's own counters
 */
void agent_count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* What a key forbids must fail, whatever the memory is like. */
static bool is_denied(struct agent *agent, uint32_t page, bool write)
{
	return engine_denies(&agent->engine, judge_gpa(agent->judge, page), write);
}

/* It must not fail, or must not work where the slot has gone. */
static void judge_result(struct agent *agent, uint32_t page, ssize_t done)
{
	judge_fault(agent->judge, page, done == -EBADSLT ? STAMP_GAP : STAMP_ERROR, done,
		    agent->name);
}

/* Did an access fail as it had to? Returns false after a violation. */
static bool judge_denied(struct agent *agent, uint32_t page, ssize_t done)
{
	/* While its slot is changed it may fail for that. */
	if (done == -EACCES || done == -EINTR || done == -EFAULT) {
		agent_count(&agent->denied);
		return true;
	}
	judge_fault(agent->judge, page, STAMP_ERROR, done, agent->name);
	return false;
}

/*
 * Reads and judges consecutive pages of one slot. Returns false after a
 * violation; unmapped memory is none.
 */
static bool read_pages(struct agent *agent, uint32_t page, uint32_t count)
{
	uint64_t words[MAX_READ_PAGES * GUEST_PAGE_WORDS];
	struct judge_read reads[MAX_READ_PAGES];
	bool denied = is_denied(agent, page, false);
	uint64_t begin;
	ssize_t done;
	bool ok = true;

	for (uint32_t i = 0; i < count; i++)
		judge_read_begin(agent->judge, page + i, &reads[i]);
	begin = clock_ns();
	done = engine_read(&agent->engine, judge_gpa(agent->judge, page),
			   words, count * GUEST_PAGE_SIZE);
	latency_note(&agent->latency, clock_ns() - begin);
	/* A slot that may not be written has no key: either may be right while that changes. */
	if (denied != is_denied(agent, page, false))
		return true;
	if (denied)
		return judge_denied(agent, page, done);
	if (done == -EFAULT || done == -EINTR) {
		agent_count(&agent->faults);
		return true;
	}
	if (done <= 0) {
		judge_result(agent, page, done);
		return false;
	}
	/* Short where the next page was unmapped: judge what is complete. */
	for (uint32_t i = 0; (i + 1) * GUEST_PAGE_SIZE <= done; i++) {
		agent_count(&agent->reads);
		ok &= judge_read_end(agent->judge, &reads[i],
				     words + i * GUEST_PAGE_WORDS,
				     agent->name);
	}
	return ok;
}

/**
 * agent_read_page - read a page through the agent's engine and judge it
 * @agent: the agent
 * @page: number of the page
 *
 * Return: false after a violation.
 */
bool agent_read_page(struct agent *agent, uint32_t page)
{
	return read_pages(agent, page, 1);
}

/**
 * agent_sweep_page - read a page through the agent's engine, which must work, and judge it
 * @agent: the agent
 * @page: number of the page; all is at rest
 *
 * Return: false after a violation.
 */
bool agent_sweep_page(struct agent *agent, uint32_t page)
{
	uint64_t before = agent->reads;
	bool fine = true;

	for (int i = 0; i < SWEEP_ATTEMPTS && fine && agent->reads == before; i++) {
		if (i)
			usleep(100);
		fine = agent_read_page(agent, page);
	}
	/* A page stays closed if an operation could not bring it back, which was said. */
	if (!fine || agent->reads != before || is_denied(agent, page, false) ||
	    judge_is_closed(agent->judge, page))
		return fine;
	judge_result(agent, page, -EFAULT);
	return false;
}

/*
 * Either the whole page at once or sample by sample, where that can be written. It ends early
 * where the slot goes, which is no more than an interruption: all of it is written once more.
 */
static ssize_t write_stamp(struct agent *agent, uint64_t gpa,
			   const uint64_t *words, bool whole)
{
	ssize_t done;

	if (whole || engine_least(&agent->engine) > 2 * sizeof(*words)) {
		done = engine_write(&agent->engine, gpa, words, GUEST_PAGE_SIZE);
		return done < 0 || done == GUEST_PAGE_SIZE ? done : -EINTR;
	}
	for (unsigned int i = 0; i < STAMP_SAMPLES; i++) {
		unsigned int word = stamp_sample_word(i);
		/* The first sample is followed by magic and checksum. */
		size_t length = (i ? 2 : 4) * sizeof(*words);

		done = engine_write(&agent->engine, gpa + word * sizeof(*words),
				    words + word, length);
		if (done != (ssize_t)length)
			return done < 0 ? done : -EINTR;
	}
	return GUEST_PAGE_SIZE;
}

/* An operation has begun meanwhile, and takes its time: the write must wait for it. */
static bool is_away(const struct agent *agent, uint32_t page)
{
	return judge_is_closed(agent->judge, page) ||
	       !engine_settled(&agent->engine, judge_gpa(agent->judge, page));
}

static void write_page(struct agent *agent, struct prng *prng)
{
	struct judge *judge = agent->judge;
	struct participant *self =
		&judge->mailbox->participants[agent->participant];
	uint64_t words[GUEST_PAGE_WORDS] = { 0 };
	struct stamp stamp = { .owner = agent->participant };
	uint32_t page = judge_choose_near(judge, &judge->lost, prng);
	bool whole = prng_below(prng, 4);
	struct page_state *state;
	ssize_t done = 0;

	/* The nearest page that is this agent's own. */
	page += agent->participant - judge_owner(judge, page);
	if (page >= judge->memory->pages)
		page = agent->participant;
	if (is_denied(agent, page, true)) {
		judge_denied(agent, page, engine_write(&agent->engine,
						       judge_gpa(judge, page),
						       words, sizeof(words)));
		return;
	}
	trail_note(&judge->used, page);
	state = &judge->states[page];
	stamp.page = page;
	if (!latch_enter(self, state, page, &stamp.epoch))
		return;
	stamp.seq = latch_write_begin(state);
	stamp_write(words, &stamp);
	for (int i = 0; i < WRITE_ATTEMPTS && done != GUEST_PAGE_SIZE;
	     i += !is_away(agent, page)) {
		judge_write_begin(judge, agent->participant);
		done = write_stamp(agent, judge_gpa(judge, page), words, whole);
		judge_write_end(judge, agent->participant);
		if (done != -EFAULT && done != -EINTR)
			break;
		agent_count(&agent->faults);
		usleep(100);
	}
	if (done == GUEST_PAGE_SIZE) {
		judge_note_writer(judge, page, agent->engine.instance);
		latch_write_end(state, stamp.seq, stamp.epoch);
		agent_count(&agent->writes);
	}
	latch_leave(self);
	if (done != GUEST_PAGE_SIZE && !(done == -EACCES && is_denied(agent, page, true)))
		judge_result(agent, page, done);
}

/**
 * agent_engine - read any page and write its own, through the mirror
 * @argument: the agent; its participant number is its owner number
 *
 * Return: NULL.
 */
void *agent_engine(void *argument)
{
	struct agent *agent = argument;
	const struct memory *memory = agent->judge->memory;
	struct prng prng;
	uint64_t turn = 0;

	prng_init(&prng, agent->seed, agent->participant);
	while (!agent_stopping(agent)) {
		uint32_t page = judge_choose_near(agent->judge, &agent->judge->lost, &prng);
		uint32_t count = 1;

		if (!prng_below(&prng, 8))
			count += prng_below(&prng, MAX_READ_PAGES);
		trail_note(&agent->judge->used, page);
		read_pages(agent, page, memory_pages_from(memory, page, count));
		write_page(agent, &prng);
		if (++turn % BURST)
			continue;
		usleep(PAUSE_US);
		if (engine_change(&agent->engine, &prng)) {
			__atomic_store_n(&agent->failed, true, __ATOMIC_RELEASE);
			return NULL;
		}
	}
	return NULL;
}

/**
 * agent_inspect_page - read a page through the process's own mapping
 * @agent: the agent
 * @page: number of the page
 *
 * The read is announced, since touching an unmapped page is fatal here.
 *
 * Return: false after a violation.
 */
bool agent_inspect_page(struct agent *agent, uint32_t page)
{
	struct judge *judge = agent->judge;
	struct participant *self =
		&judge->mailbox->participants[agent->participant];
	uint64_t copy[GUEST_PAGE_WORDS];
	const uint64_t *words;
	struct judge_read read;
	uint32_t epoch;

	if (!latch_enter(self, &judge->states[page], page, &epoch))
		return true;
	words = memory_range(judge->memory, judge_gpa(judge, page),
			     GUEST_PAGE_SIZE);
	if (!words) {
		latch_leave(self);
		judge_fault(judge, page, STAMP_ERROR, -ENXIO, agent->name);
		return false;
	}
	judge_read_begin(judge, page, &read);
	for (unsigned int word = 0; word < GUEST_PAGE_WORDS; word++)
		copy[word] = __atomic_load_n(&words[word], __ATOMIC_RELAXED);
	latch_leave(self);
	agent_count(&agent->inspected);
	return judge_read_end(judge, &read, copy, agent->name);
}

/**
 * agent_inspector - read any page as the process sees it
 * @argument: the agent
 *
 * What engines wrote through the mirror must be there.
 *
 * Return: NULL.
 */
void *agent_inspector(void *argument)
{
	struct agent *agent = argument;
	struct prng prng;

	prng_init(&prng, agent->seed, agent->participant);
	while (!agent_stopping(agent)) {
		for (int i = 0; i < BURST; i++)
			agent_inspect_page(agent, judge_choose(agent->judge,
							       &prng));
		/* A witness, not a contender for the processors. */
		usleep(16 * PAUSE_US);
	}
	return NULL;
}
