// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <unistd.h>
#include "message.h"
#include "judge.h"
#include "stamp.h"

/* A discarder sleeps while it waits: the owner may need its processor. */
#define WAIT_US		50
/* Some 40 ms for one write: longer than it sleeps on its way past a mirror. */
#define WAITS_MOST	400

/**
 * judge_init - every page is zero, open, and in epoch 1
 * @judge: filled in
 * @memory: guest memory, fresh
 * @owners: number of owners the pages are dealt to
 * @seed: for the guest's random numbers
 * @hot_pages: pages that most accesses go to; few are met again while in a TLB
 * @report: where violations go
 */
void judge_init(struct judge *judge, const struct memory *memory,
		uint32_t owners, uint64_t seed, uint32_t hot_pages, struct report *report)
{
	uint32_t pages = memory->pages;

	*judge = (struct judge) {
		.memory = memory,
		.report = report,
		.owners = owners,
		.hot_pages = hot_pages,
	};
	judge->mailbox = memory_range(memory, GUEST_MAILBOX_GPA,
				      sizeof(*judge->mailbox));
	judge->states = memory_range(memory, GUEST_STATES_GPA,
				     pages * sizeof(*judge->states));
	if (!judge->mailbox || !judge->states)
		die("the shared state lies in no slot");
	judge->epochs = calloc(pages, sizeof(*judge->epochs));
	judge->writers = calloc(pages, sizeof(*judge->writers));
	if (!judge->epochs || !judge->writers)
		die("out of memory");
	for (uint32_t page = 0; page < pages; page++) {
		judge->epochs[page] = 1;
		judge->states[page].latch = 1 << 1;
	}
	judge->mailbox->abi = HYPERCALL_ABI;
	judge->mailbox->hot_pages = hot_pages;
	judge->mailbox->pages = pages;
	judge->mailbox->owners = owners;
	judge->mailbox->seed = seed;
	for (int i = 0; i < ARENA_SLOTS; i++)
		judge->mailbox->slots[i] = memory->arena[i];
}

/**
 * judge_destroy - forget everything
 * @judge: initialised
 */
void judge_destroy(struct judge *judge)
{
	free(judge->epochs);
	free(judge->writers);
}

/**
 * judge_owner - who alone writes a page
 * @judge: the judge
 * @page: number of the page
 *
 * Return: number of the owner; vCPUs come first.
 */
uint32_t judge_owner(const struct judge *judge, uint32_t page)
{
	return page % judge->owners;
}

/**
 * judge_gpa - where a page is
 * @judge: the judge
 * @page: number of the page
 *
 * Return: its guest physical address.
 */
uint64_t judge_gpa(const struct judge *judge, uint32_t page)
{
	return arena_gpa(judge->memory->arena, page);
}

/**
 * judge_set_hot - move the window that most accesses go to
 * @judge: the judge
 * @page: its first page
 * @narrow: all go there but the guest's. Tables then have few entries, and get empty
 */
void judge_set_hot(struct judge *judge, uint32_t page, bool narrow)
{
	__atomic_store_n(&judge->narrow, narrow, __ATOMIC_RELAXED);
	__atomic_store_n(&judge->mailbox->hot, page, __ATOMIC_RELAXED);
}

/**
 * judge_choose - choose a page
 * @judge: the judge
 * @prng: the caller's generator
 *
 * Return: its number.
 */
uint32_t judge_choose(const struct judge *judge, struct prng *prng)
{
	uint32_t hot = __atomic_load_n(&judge->mailbox->hot, __ATOMIC_RELAXED);

	if (__atomic_load_n(&judge->narrow, __ATOMIC_RELAXED))
		return (hot + prng_below(prng, judge->hot_pages)) % judge->memory->pages;
	return prng_page(prng, hot, judge->hot_pages, judge->memory->pages);
}

/**
 * judge_choose_near - choose a page, and prefer those that the other side was at
 * @judge: the judge
 * @trail: @used or @lost of it
 * @prng: the caller's generator
 *
 * Return: its number.
 */
uint32_t judge_choose_near(const struct judge *judge, const struct trail *trail,
			   struct prng *prng)
{
	return judge->aim && prng_below(prng, 2) ? trail_choose(trail, prng) :
						   judge_choose(judge, prng);
}

/**
 * judge_find_busy - find the page that an owner is writing
 * @judge: the judge
 * @owner: number of the owner
 * @page: set to the number of the page; stays as it is if there is none
 *
 * Return: false if the owner is not writing.
 */
bool judge_find_busy(const struct judge *judge, uint32_t owner, uint32_t *page)
{
	uint32_t busy = __atomic_load_n(&judge->mailbox->participants[owner].busy,
					__ATOMIC_RELAXED);

	/* The guest may have written anything there. */
	if (!busy || busy > judge->memory->pages)
		return false;
	*page = busy - 1;
	return true;
}

/**
 * judge_read_begin - a read of a page is about to begin
 * @judge: the judge
 * @page: number of the page
 * @read: filled in
 *
 * The epoch is read first: whatever it says, that discard has returned.
 */
void judge_read_begin(const struct judge *judge, uint32_t page,
		      struct judge_read *read)
{
	read->page = page;
	read->oldest = __atomic_load_n(&judge->epochs[page], __ATOMIC_ACQUIRE);
	latch_read_begin(&judge->states[page], &read->latch);
}

/**
 * judge_read_end - judge what was read
 * @judge: the judge
 * @read: what judge_read_begin() filled in
 * @words: a copy of the page
 * @who: who read it
 *
 * Return: false if it is a violation, which is then reported.
 */
bool judge_read_end(struct judge *judge, struct judge_read *read,
		    const uint64_t *words, const char *who)
{
	struct stamp_finding finding;
	struct stamp_rule rule = {
		.page = read->page,
		.owner = judge_owner(judge, read->page),
		.oldest = read->oldest,
	};

	latch_read_end(&judge->states[read->page], &read->latch);
	rule.newest = __atomic_load_n(&judge->epochs[read->page],
				      __ATOMIC_ACQUIRE);
	rule.exact = read->latch.stable;
	rule.stamped = read->latch.stamped;
	rule.seq = read->latch.seq;
	if (rule.exact)
		__atomic_fetch_add(&judge->exact, 1, __ATOMIC_RELAXED);
	if (stamp_check(words, &rule, &finding))
		return true;
	report_finding(judge->report, who, rule.owner, &finding);
	return false;
}

/**
 * judge_note_writer - a page is being written through something
 * @judge: the judge
 * @page: number of the page, whose sequence the caller has made odd
 * @writer: what that is
 */
void judge_note_writer(struct judge *judge, uint32_t page, const void *writer)
{
	__atomic_store_n(&judge->writers[page], writer, __ATOMIC_RELAXED);
}

/**
 * judge_write_begin - a write through an engine begins
 * @judge: the judge
 * @participant: the caller's
 */
void judge_write_begin(struct judge *judge, uint32_t participant)
{
	/* Odd before the memory is looked at; pairs with judge_await_writer(). */
	__atomic_fetch_add(&judge->writing[participant], 1, __ATOMIC_SEQ_CST);
}

/**
 * judge_write_end - it has ended
 * @judge: the judge
 * @participant: the caller's
 */
void judge_write_end(struct judge *judge, uint32_t participant)
{
	__atomic_fetch_add(&judge->writing[participant], 1, __ATOMIC_SEQ_CST);
}

/**
 * judge_await_writer - wait for a write of a page by its owner that has begun before
 * @judge: the judge
 * @page: number of the page, closed by the caller
 *
 * Return: false if it is still under way after a while.
 */
bool judge_await_writer(const struct judge *judge, uint32_t page)
{
	uint32_t owner = judge_owner(judge, page);
	const struct participant *who = &judge->mailbox->participants[owner];
	uint32_t before = __atomic_load_n(&judge->writing[owner], __ATOMIC_SEQ_CST);

	/* An owner that is busy with another page begins nothing here: the latch is closed. */
	for (int i = 0; i < WAITS_MOST; i++) {
		if (!(before & 1) || __atomic_load_n(&who->busy, __ATOMIC_ACQUIRE) != page + 1 ||
		    __atomic_load_n(&judge->writing[owner], __ATOMIC_SEQ_CST) != before)
			return true;
		usleep(WAIT_US);
	}
	return false;
}

/**
 * judge_wrote - has the owner of a page written it through that?
 * @judge: the judge
 * @page: number of the page
 * @writer: something to write through
 *
 * Return: true if the owner is no vCPU of the guest, and it has been so once.
 */
bool judge_wrote(const struct judge *judge, uint32_t page, const void *writer)
{
	return judge_owner(judge, page) >= judge->vcpus &&
	       __atomic_load_n(&judge->writers[page], __ATOMIC_RELAXED) == writer;
}

/**
 * judge_look - see what has become of a page
 * @judge: the judge
 * @page: number of the page
 * @writer: something to write through
 * @seq: set to its sequence number; a write that begins from now on has one of at least
 *	two more, or three if this is odd
 *
 * Return: true if the page is what its owner wrote through @writer, with that number.
 */
bool judge_look(const struct judge *judge, uint32_t page, const void *writer, uint32_t *seq)
{
	const struct page_state *state = &judge->states[page];
	struct latch_read read;
	bool wrote;

	latch_read_begin(state, &read);
	wrote = judge_wrote(judge, page, writer);
	latch_read_end(state, &read);
	*seq = read.seq;
	return read.stable && read.stamped && wrote;
}

/**
 * judge_fault - report a violation that is not in a page's words
 * @judge: the judge
 * @page: number of the page
 * @fault: enum stamp_fault
 * @value: what says so
 * @who: who saw it
 */
void judge_fault(struct judge *judge, uint32_t page, uint32_t fault,
		 int64_t value, const char *who)
{
	uint32_t epoch = __atomic_load_n(&judge->epochs[page],
					 __ATOMIC_RELAXED);
	const struct stamp_finding finding = {
		.fault = fault,
		.page = page,
		.oldest = epoch,
		.newest = epoch,
		.value = (uint64_t)value,
	};

	report_finding(judge->report, who, judge_owner(judge, page),
		       &finding);
}

/**
 * judge_is_closed - has a discarder closed the page?
 * @judge: the judge
 * @page: number of the page
 *
 * Return: true if so, though it may be open by now.
 */
bool judge_is_closed(const struct judge *judge, uint32_t page)
{
	return __atomic_load_n(&judge->states[page].latch, __ATOMIC_RELAXED) & LATCH_CLOSED;
}

/**
 * judge_is_unsure - may a page be zeroes, or what it was, until its owner has written it?
 * @judge: the judge
 * @page: number of the page; also true while somebody writes it
 *
 * Return: true if so.
 */
bool judge_is_unsure(const struct judge *judge, uint32_t page)
{
	return __atomic_load_n(&judge->states[page].seq, __ATOMIC_RELAXED) & 1;
}

/**
 * judge_close - close the latches of pages that follow each other
 * @judge: the judge
 * @first: number of the first page
 * @count: how many at most
 *
 * Stops before a page that another discarder has closed. Until they are opened
 * again, no direct access to these pages begins; see judge_wait().
 *
 * Return: number of pages closed.
 */
uint32_t judge_close(struct judge *judge, uint32_t first, uint32_t count)
{
	uint32_t done;

	for (done = 0; done < count; done++) {
		uint32_t page = first + done;
		struct page_state *state = &judge->states[page];
		uint32_t latch = __atomic_load_n(&state->latch, __ATOMIC_RELAXED);

		if (latch & LATCH_CLOSED ||
		    !__atomic_compare_exchange_n(&state->latch, &latch,
						 latch | LATCH_CLOSED, false,
						 __ATOMIC_SEQ_CST,
						 __ATOMIC_RELAXED))
			break;
		/* Closed, hence ours: nobody moves the epoch meanwhile. */
		if (latch >> 1 != judge->epochs[page])
			judge_fault(judge, page, STAMP_TABLE, latch,
				    "a discarder");
	}
	/* Barrier B, pairs with A in latch_enter(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return done;
}

/**
 * judge_wait - wait for direct accesses that began before the latches closed
 * @judge: the judge
 * @first: number of the first page
 * @count: number of pages, all closed by the caller
 * @stop: give up when this becomes true
 *
 * Return: false if it gave up; the pages are still closed.
 */
bool judge_wait(const struct judge *judge, uint32_t first, uint32_t count,
		const bool *stop)
{
	for (int i = 0; i < MAX_PARTICIPANTS; i++) {
		const struct participant *who =
			&judge->mailbox->participants[i];

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
 * judge_discard_begin - closed pages are about to lose their content
 * @judge: the judge
 * @first: number of the first page
 * @count: number of pages; nobody accesses them directly
 */
void judge_discard_begin(struct judge *judge, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		latch_write_begin(&judge->states[first + i]);
}

/**
 * judge_discard_end - they have lost it: reads that begin now see zeroes
 * @judge: the judge
 * @first: number of the first page
 * @count: number of pages
 *
 * The pages stay closed: the new epoch is for readers only as yet.
 */
void judge_discard_end(struct judge *judge, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct page_state *state = &judge->states[first + i];
		uint32_t *epoch = &judge->epochs[first + i];

		__atomic_store_n(epoch, *epoch + 1, __ATOMIC_RELEASE);
		/* Odd since judge_discard_begin(). */
		latch_write_end(state, (state->seq | 1) + 1, 0);
	}
}

/**
 * judge_open - let direct accesses begin again, in the page's current epoch
 * @judge: the judge
 * @first: number of the first page
 * @count: number of pages
 */
void judge_open(struct judge *judge, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		__atomic_store_n(&judge->states[first + i].latch,
				 judge->epochs[first + i] << 1,
				 __ATOMIC_RELEASE);
}
