// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "stamp.h"
#include "views.h"

/* How long a vCPU is waited for: it may be about to sleep through a fault. */
#define ANSWER_TURNS	100
#define ANSWER_US	1000

/* The process's own view; the page may be unmapped at any moment. */
static ssize_t read_process(const struct judge *judge, uint32_t page, uint64_t *words)
{
	void *hva = memory_range(judge->memory, judge_gpa(judge, page), GUEST_PAGE_SIZE);
	struct iovec to = { words, GUEST_PAGE_SIZE }, from = { hva, GUEST_PAGE_SIZE };
	ssize_t done = process_vm_readv(getpid(), &to, 1, &from, 1, 0);

	return done < 0 ? -errno : done;
}

/*
 * What the guest has, by KVM: a vCPU looks. None does if all of them wait, for example for
 * a page that is away, or for this thread.
 */
static ssize_t ask_guest(const struct judge *judge, uint32_t page, uint64_t *words)
{
	struct mailbox *mailbox = judge->mailbox;
	uint32_t question = page + 1;

	__atomic_store_n(&mailbox->answered, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&mailbox->question, question, __ATOMIC_RELEASE);
	for (int turn = 0; turn < ANSWER_TURNS; turn++) {
		/* Pairs with the release in the guest's answer_question(). */
		if (__atomic_load_n(&mailbox->answered, __ATOMIC_ACQUIRE) == question) {
			memcpy(words, mailbox->answer, GUEST_PAGE_SIZE);
			return GUEST_PAGE_SIZE;
		}
		usleep(ANSWER_US);
	}
	/* A vCPU that has taken it may still answer: too late. */
	__atomic_store_n(&mailbox->question, 0, __ATOMIC_RELAXED);
	return -ETIMEDOUT;
}

/* Says in half a line what is on a page. */
static void describe_words(const uint64_t *words, char *text, size_t size)
{
	uint64_t any = 0;
	bool same = true;

	for (unsigned int i = 0; i < GUEST_PAGE_WORDS; i++)
		any |= words[i];
	for (unsigned int i = 1; i < STAMP_SAMPLES; i++) {
		const uint64_t *sample = words + stamp_sample_word(i);

		same &= sample[0] == words[0] && sample[1] >> 24 == words[1] >> 24;
	}
	if (!any)
		snprintf(text, size, "zeroes");
	else if (words[0] >> 56 != STAMP_TAG)
		snprintf(text, size, "no stamp: it begins with 0x%016" PRIx64 " 0x%016" PRIx64,
			 words[0], words[1]);
	else
		snprintf(text, size, "%s of page %" PRIu64 ", epoch %" PRIu32 ", seq %" PRIu32
			 ", owner %u", same ? "a stamp" : "several stamps, the first one",
			 words[0] >> 32 & 0xffffff, (uint32_t)words[0], (uint32_t)(words[1] >> 32),
			 (unsigned int)(words[1] >> 24 & 0xff));
}

/**
 * struct view - what somebody has of a page
 * @who: who
 * @done: bytes, or a negative errno
 * @words: the content
 */
struct view {
	const char *who;
	ssize_t done;
	uint64_t words[GUEST_PAGE_WORDS];
};

static void print_view(const struct view *view)
{
	char text[128];

	if (view->done == GUEST_PAGE_SIZE)
		describe_words(view->words, text, sizeof(text));
	else if (view->done == -ETIMEDOUT)
		snprintf(text, sizeof(text), "not answered");
	else if (view->done < 0)
		snprintf(text, sizeof(text), "nothing: %s", strerror((int)-view->done));
	else
		snprintf(text, sizeof(text), "%zd bytes only", view->done);
	printf("    %-8s has %s\n", view->who, text);
}

static bool views_agree(const struct view *one, const struct view *other)
{
	return one->done == other->done &&
	       (one->done != GUEST_PAGE_SIZE || !memcmp(one->words, other->words, GUEST_PAGE_SIZE));
}

/* Which of the three is not like the others? Pages in motion may differ. */
static void compare_views(const struct view *guest, const struct view *process,
			  const struct view *subject)
{
	bool guest_too = guest->done == -ETIMEDOUT || views_agree(guest, process);

	if (!views_agree(process, subject))
		printf("    %s\n", guest_too ?
		       "the subject has something else than the process" :
		       "the process has something else than the subject and the guest");
	else if (!guest_too)
		printf("    the guest has something else than process and subject\n");
	else
		printf("    all have the same now\n");
}

/**
 * views_print - tell what each view has of a page, and what was done to it
 * @argument: struct views; one thread at a time may call this
 * @page: number of the page
 *
 * All of it is read now, some time after the violation.
 */
void views_print(void *argument, uint32_t page)
{
	struct views *views = argument;
	const struct judge *judge = views->judge;
	struct view guest = { .who = "guest" }, process = { .who = "process" };
	struct view subject = { .who = "subject" };
	const struct page_state *state;
	uint32_t latch, seq;

	/* It may come from guest memory. */
	if (page >= judge->memory->pages)
		return;
	state = &judge->states[page];
	latch = __atomic_load_n(&state->latch, __ATOMIC_RELAXED);
	seq = __atomic_load_n(&state->seq, __ATOMIC_RELAXED);
	printf("    host     has epoch %" PRIu32 ", guest %" PRIu32 " and %s; seq %" PRIu32
	       "%s, stamp of epoch %" PRIu32 "\n",
	       __atomic_load_n(&judge->epochs[page], __ATOMIC_RELAXED), latch >> 1,
	       latch & LATCH_CLOSED ? "closed" : "open", seq, seq & 1 ? " (in motion)" : "",
	       __atomic_load_n(&state->stamped, __ATOMIC_RELAXED));
	process.done = read_process(judge, page, process.words);
	guest.done = ask_guest(judge, page, guest.words);
	print_view(&guest);
	print_view(&process);
	for (uint32_t i = 0; i < views->nr_engines; i++) {
		subject.done = engine_read(&views->engines[i], judge_gpa(judge, page),
					   subject.words, GUEST_PAGE_SIZE);
		print_view(&subject);
		compare_views(&guest, &process, &subject);
	}
	history_print(&views->history, page);
}
