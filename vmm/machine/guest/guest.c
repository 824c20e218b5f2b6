// SPDX-License-Identifier: GPL-2.0
/*
 * The guest: each vCPU stamps its own pages and judges everybody's. It runs
 * without libc, interrupts or FPU, on memory that vanishes under its feet.
 */
#include <stddef.h>
#include "latch.h"
#include "hypercall.h"
#include "prng.h"
#include "stamp.h"
#include "guest.h"

#define PAGES_PER_READ	4
#define WRITES_PER_PAGE	4

void guest_main(uint64_t index);

/* The compiler may call these whatever the options. */
void *memcpy(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);

void *memcpy(void *to, const void *from, size_t count)
{
	volatile unsigned char *out = to;
	const unsigned char *in = from;

	while (count--)
		*out++ = *in++;
	return to;
}

void *memset(void *to, int byte, size_t count)
{
	volatile unsigned char *out = to;

	while (count--)
		*out++ = (unsigned char)byte;
	return to;
}

static struct mailbox *const mailbox = (void *)GUEST_MAILBOX_GPA;
static struct page_state *const states = (void *)GUEST_STATES_GPA;

static uint32_t choose_page(struct prng *prng)
{
	return prng_page(prng, __atomic_load_n(&mailbox->hot, __ATOMIC_RELAXED),
			 mailbox->hot_pages, mailbox->pages);
}

/* The nearest page that is this vCPU's own. */
static uint32_t own_page(uint32_t self, uint32_t page)
{
	page = page - page % mailbox->owners + self;
	return page < mailbox->pages ? page : self;
}

static void write_page(uint32_t self, uint32_t page)
{
	struct vcpu_box *box = &mailbox->vcpus[self];
	struct stamp stamp = { .owner = self, .page = page };

	if (!latch_enter(&mailbox->participants[self], &states[page], page,
			 &stamp.epoch)) {
		box->closed++;
		return;
	}
	stamp.seq = latch_write_begin(&states[page]);
	stamp_write((void *)arena_gpa(mailbox->slots, page), &stamp);
	latch_write_end(&states[page], stamp.seq, stamp.epoch);
	latch_leave(&mailbox->participants[self]);
	box->writes++;
	if (box->writes % GUEST_TICK_WRITES == 0)
		hypercall(HYPERCALL_TICK, (uint32_t)box->writes);
}

static void read_page(uint32_t self, struct prng *prng, uint64_t *copy)
{
	struct vcpu_box *box = &mailbox->vcpus[self];
	uint32_t page = choose_page(prng);
	const uint64_t *words;
	struct stamp_finding finding;
	struct stamp_rule rule;
	struct latch_read read;

	rule.page = page;
	rule.owner = page % mailbox->owners;
	/* The epoch before the content: see judge_read_begin(). */
	rule.oldest = __atomic_load_n(&states[page].latch,
				      __ATOMIC_ACQUIRE) >> 1;
	latch_read_begin(&states[page], &read);
	words = (const uint64_t *)arena_gpa(mailbox->slots, page);
	for (unsigned int word = 0; word < GUEST_PAGE_WORDS; word++)
		copy[word] = __atomic_load_n(&words[word], __ATOMIC_RELAXED);
	latch_read_end(&states[page], &read);
	rule.newest = __atomic_load_n(&states[page].latch,
				      __ATOMIC_ACQUIRE) >> 1;
	rule.exact = read.stable;
	rule.stamped = read.stamped;
	rule.seq = read.seq;
	box->reads++;
	if (!stamp_check(copy, &rule, &finding)) {
		box->finding = finding;
		hypercall(HYPERCALL_VIOLATION, finding.fault);
	}
}

/* The host asks what is on a page, of whichever vCPU comes first. */
static void answer_question(void)
{
	uint32_t question = __atomic_load_n(&mailbox->question, __ATOMIC_RELAXED);
	const uint64_t *words;

	if (!question || question > mailbox->pages ||
	    !__atomic_compare_exchange_n(&mailbox->question, &question, 0, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	words = (const uint64_t *)arena_gpa(mailbox->slots, question - 1);
	for (unsigned int word = 0; word < GUEST_PAGE_WORDS; word++)
		mailbox->answer[word] = __atomic_load_n(&words[word], __ATOMIC_RELAXED);
	/* Pairs with the acquire in the host's views.c. */
	__atomic_store_n(&mailbox->answered, question, __ATOMIC_RELEASE);
}

/* Entered once by each vCPU, from guest_start. */
void guest_main(uint64_t index)
{
	uint32_t self = (uint32_t)index;
	uint64_t copy[GUEST_PAGE_WORDS];
	struct prng prng;

	hypercall(HYPERCALL_HELLO, mailbox->abi);
	if (!self)
		guest_mistake(mailbox->mistake);
	prng_init(&prng, mailbox->seed, self);
	while (!__atomic_load_n(&mailbox->stop, __ATOMIC_RELAXED)) {
		/* Reads are checks, and make the owner's next write break COW. */
		for (int i = 0; i < PAGES_PER_READ; i++) {
			uint32_t page = own_page(self, choose_page(&prng));

			for (int j = 0; j < WRITES_PER_PAGE; j++)
				write_page(self, page);
		}
		read_page(self, &prng, copy);
		answer_question();
	}
	hypercall(HYPERCALL_DONE, 0);
}
