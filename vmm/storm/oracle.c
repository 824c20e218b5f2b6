// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <unistd.h>
#include "message.h"
#include "oracle.h"
#include "stamp.h"

/* Pages most accesses go to; few enough to be met again while in a TLB. */
#define HOT_PAGES	128

/* A discarder sleeps while it waits: the owner may need its processor. */
#define WAIT_US		50

/**
 * oracle_init - every page is zero, open, and in epoch 1
 * @oracle: filled in
 * @memory: guest memory, fresh
 * @owners: number of owners the pages are dealt to
 * @seed: for the guest's random numbers
 * @report: where violations go
 */
void oracle_init(struct oracle *oracle, const struct memory *memory,
		 uint32_t owners, uint64_t seed, struct report *report)
{
	uint32_t pages = memory->pages;

	*oracle = (struct oracle) {
		.memory = memory,
		.report = report,
		.owners = owners,
	};
	oracle->mailbox = memory_range(memory, GUEST_MAILBOX_GPA,
				       sizeof(*oracle->mailbox));
	oracle->states = memory_range(memory, GUEST_STATES_GPA,
				      pages * sizeof(*oracle->states));
	if (!oracle->mailbox || !oracle->states)
		die("the shared state lies in no slot");
	oracle->epochs = calloc(pages, sizeof(*oracle->epochs));
	if (!oracle->epochs)
		die("out of memory");
	for (uint32_t page = 0; page < pages; page++) {
		oracle->epochs[page] = 1;
		oracle->states[page].gate = 1 << 1;
	}
	oracle->mailbox->abi = HYPERCALL_ABI;
	oracle->mailbox->hot_pages = HOT_PAGES;
	oracle->mailbox->pages = pages;
	oracle->mailbox->owners = owners;
	oracle->mailbox->seed = seed;
	for (int i = 0; i < ARENA_SLOTS; i++)
		oracle->mailbox->slots[i] = memory->arena[i];
}

/**
 * oracle_destroy - forget everything
 * @oracle: initialised
 */
void oracle_destroy(struct oracle *oracle)
{
	free(oracle->epochs);
}

/**
 * oracle_owner - who alone writes a page
 * @oracle: the oracle
 * @page: number of the page
 *
 * Return: number of the owner; vCPUs come first.
 */
uint32_t oracle_owner(const struct oracle *oracle, uint32_t page)
{
	return page % oracle->owners;
}

/**
 * oracle_gpa - where a page is
 * @oracle: the oracle
 * @page: number of the page
 *
 * Return: its guest physical address.
 */
uint64_t oracle_gpa(const struct oracle *oracle, uint32_t page)
{
	return arena_gpa(oracle->memory->arena, page);
}

/**
 * oracle_set_hot - move the window that most accesses go to
 * @oracle: the oracle
 * @page: its first page
 */
void oracle_set_hot(struct oracle *oracle, uint32_t page)
{
	__atomic_store_n(&oracle->mailbox->hot, page, __ATOMIC_RELAXED);
}

/**
 * oracle_choose - choose a page
 * @oracle: the oracle
 * @prng: the caller's generator
 *
 * Return: its number.
 */
uint32_t oracle_choose(const struct oracle *oracle, struct prng *prng)
{
	uint32_t hot = __atomic_load_n(&oracle->mailbox->hot, __ATOMIC_RELAXED);

	return prng_page(prng, hot, HOT_PAGES, oracle->memory->pages);
}

/**
 * oracle_read_begin - a read of a page is about to begin
 * @oracle: the oracle
 * @page: number of the page
 * @read: filled in
 *
 * The epoch is read first: whatever it says, that discard has returned.
 */
void oracle_read_begin(const struct oracle *oracle, uint32_t page,
		       struct oracle_read *read)
{
	read->page = page;
	read->oldest = __atomic_load_n(&oracle->epochs[page], __ATOMIC_ACQUIRE);
	gate_read_begin(&oracle->states[page], &read->gate);
}

/**
 * oracle_read_end - judge what was read
 * @oracle: the oracle
 * @read: what oracle_read_begin() filled in
 * @words: a copy of the page
 * @who: who read it
 *
 * Return: false if it is a violation, which is then reported.
 */
bool oracle_read_end(struct oracle *oracle, struct oracle_read *read,
		     const uint64_t *words, const char *who)
{
	struct stamp_finding finding;
	struct stamp_rule rule = {
		.page = read->page,
		.owner = oracle_owner(oracle, read->page),
		.oldest = read->oldest,
	};

	gate_read_end(&oracle->states[read->page], &read->gate);
	rule.newest = __atomic_load_n(&oracle->epochs[read->page],
				      __ATOMIC_ACQUIRE);
	rule.exact = read->gate.stable;
	rule.stamped = read->gate.stamped;
	rule.seq = read->gate.seq;
	if (rule.exact)
		__atomic_fetch_add(&oracle->exact, 1, __ATOMIC_RELAXED);
	if (stamp_check(words, &rule, &finding))
		return true;
	report_finding(oracle->report, who, rule.owner, &finding);
	return false;
}

/**
 * oracle_fault - report a violation that is not in a page's words
 * @oracle: the oracle
 * @page: number of the page
 * @fault: enum stamp_fault
 * @value: what says so
 * @who: who saw it
 */
void oracle_fault(struct oracle *oracle, uint32_t page, uint32_t fault,
		  int64_t value, const char *who)
{
	uint32_t epoch = __atomic_load_n(&oracle->epochs[page],
					 __ATOMIC_RELAXED);
	const struct stamp_finding finding = {
		.fault = fault,
		.page = page,
		.oldest = epoch,
		.newest = epoch,
		.value = (uint64_t)value,
	};

	report_finding(oracle->report, who, oracle_owner(oracle, page),
		       &finding);
}

/**
 * oracle_close - close the gates of pages that follow each other
 * @oracle: the oracle
 * @first: number of the first page
 * @count: how many at most
 *
 * Stops before a page that another discarder has closed. Until they are opened
 * again, no direct access to these pages begins; see oracle_wait().
 *
 * Return: number of pages closed.
 */
uint32_t oracle_close(struct oracle *oracle, uint32_t first, uint32_t count)
{
	uint32_t done;

	for (done = 0; done < count; done++) {
		uint32_t page = first + done;
		struct page_state *state = &oracle->states[page];
		uint32_t gate = __atomic_load_n(&state->gate, __ATOMIC_RELAXED);

		if (gate & GATE_CLOSED ||
		    !__atomic_compare_exchange_n(&state->gate, &gate,
						 gate | GATE_CLOSED, false,
						 __ATOMIC_SEQ_CST,
						 __ATOMIC_RELAXED))
			break;
		/* Closed, hence ours: nobody moves the epoch meanwhile. */
		if (gate >> 1 != oracle->epochs[page])
			oracle_fault(oracle, page, STAMP_TABLE, gate,
				     "a discarder");
	}
	/* Barrier B, pairs with A in gate_enter(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return done;
}

/**
 * oracle_wait - wait for direct accesses that began before the gates closed
 * @oracle: the oracle
 * @first: number of the first page
 * @count: number of pages, all closed by the caller
 * @stop: give up when this becomes true
 *
 * Return: false if it gave up; the pages are still closed.
 */
bool oracle_wait(const struct oracle *oracle, uint32_t first, uint32_t count,
		 const bool *stop)
{
	for (int i = 0; i < MAX_PARTICIPANTS; i++) {
		const struct participant *who =
			&oracle->mailbox->participants[i];

		/* None is zero, so that busy - 1 lies in no range. */
		while (__atomic_load_n(&who->busy, __ATOMIC_ACQUIRE) - 1 -
		       first < count) {
			if (__atomic_load_n(stop, __ATOMIC_RELAXED))
				return false;
			usleep(WAIT_US);
		}
	}
	return true;
}

/**
 * oracle_discard_begin - closed pages are about to lose their content
 * @oracle: the oracle
 * @first: number of the first page
 * @count: number of pages; nobody accesses them directly
 */
void oracle_discard_begin(struct oracle *oracle, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		gate_write_begin(&oracle->states[first + i]);
}

/**
 * oracle_discard_end - they have lost it: reads that begin now see zeroes
 * @oracle: the oracle
 * @first: number of the first page
 * @count: number of pages
 *
 * The pages stay closed: the new epoch is for readers only as yet.
 */
void oracle_discard_end(struct oracle *oracle, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct page_state *state = &oracle->states[first + i];
		uint32_t *epoch = &oracle->epochs[first + i];

		__atomic_store_n(epoch, *epoch + 1, __ATOMIC_RELEASE);
		/* Odd since oracle_discard_begin(). */
		gate_write_end(state, (state->seq | 1) + 1, 0);
	}
}

/**
 * oracle_open - let direct accesses begin again, in the page's current epoch
 * @oracle: the oracle
 * @first: number of the first page
 * @count: number of pages
 */
void oracle_open(struct oracle *oracle, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		__atomic_store_n(&oracle->states[first + i].gate,
				 oracle->epochs[first + i] << 1,
				 __ATOMIC_RELEASE);
}
