// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "stamp.h"
#include "views.h"

/* The process's own view; the page may be unmapped at any moment. */
static ssize_t read_process(const struct judge *judge, uint32_t page, uint64_t *words)
{
	void *hva = memory_range(judge->memory, judge_gpa(judge, page), GUEST_PAGE_SIZE);
	struct iovec to = { words, GUEST_PAGE_SIZE }, from = { hva, GUEST_PAGE_SIZE };
	ssize_t done = process_vm_readv(getpid(), &to, 1, &from, 1, 0);

	return done < 0 ? -errno : done;
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

static void print_view(const char *who, ssize_t done, const uint64_t *words)
{
	char text[128];

	if (done == GUEST_PAGE_SIZE)
		describe_words(words, text, sizeof(text));
	else if (done < 0)
		snprintf(text, sizeof(text), "nothing: %s", strerror((int)-done));
	else
		snprintf(text, sizeof(text), "%zd bytes only", done);
	printf("    %-8s has %s\n", who, text);
}

/**
 * views_print - tell what each view has of a page, and what was done to it
 * @argument: struct views; one thread at a time may call this
 * @page: number of the page
 *
 * All of it is read now, some time after the violation. The guest can only say what it sees
 * itself; it has the same memory as the process, by KVM.
 */
void views_print(void *argument, uint32_t page)
{
	struct views *views = argument;
	const struct judge *judge = views->judge;
	uint64_t words[GUEST_PAGE_WORDS];
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
	print_view("process", read_process(judge, page, words), words);
	print_view("subject", engine_read(&views->engine, judge_gpa(judge, page), words,
					  sizeof(words)), words);
	history_print(&views->history, page);
}
