// SPDX-License-Identifier: GPL-2.0
/* Slots: what the subject is told to show. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "check.h"

#define PAGE_NUMBER	3

/* In each byte, and nowhere else. */
#define MARK		0x5a

static void expect_no_slot(const struct trial *trial, uint64_t gpa, const char *where)
{
	ssize_t done = read_all(trial, gpa, trial->buffer, PAGE);

	if (done >= 0)
		convict(trial, VERDICT_STALE, "a read %s works", where);
	if (done != -ENXIO)
		convict(trial, VERDICT_WRONG_PERMISSION, "a read %s gives \"%s\", not \"%s\"", where,
			strerror((int)-done), strerror(ENXIO));
}

CHECK(outside, .summary = "there is nothing outside of the slots", .unless = SUBJECT_NO_SLOTS)
{
	char *last = trial->arena + ARENA_SIZE - PAGE;

	expect_no_slot(trial, trial->gpa - PAGE, "before the slot");
	expect_no_slot(trial, trial->gpa + ARENA_SIZE, "behind the slot");
	/* Nothing of a refused access is left for the next one. */
	memset(last, MARK, PAGE);
	if (read_page(trial, last) != (ssize_t)PAGE || memcmp(trial->buffer, last, PAGE))
		convict(trial, VERDICT_WRONG_DATA, "the read after a refused one gets other bytes");
}

CHECK(slot_delete, .summary = "a slot that is deleted is not there, though its memory is",
      .unless = SUBJECT_NO_SLOTS, .needs = NEED_SLOT_DELETE)
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp = expect_write(trial, page);

	need(trial, !trial->ops->slot_delete(trial->subject, ARENA_SLOT), "delete a slot");
	expect_no_slot(trial, gpa_at(trial, page), "of a deleted slot");
	expect_cpu(trial, page, stamp);
	trial_set_slot(trial, 0);
	expect_read(trial, page, stamp);
	expect_write(trial, page);
}

/* The same gpa, other memory. */
CHECK(slot_moves, .summary = "a slot that is set again shows its new memory",
      .unless = SUBJECT_NO_SLOTS | SUBJECT_IDENTITY)
{
	char *page = page_at(trial, PAGE_NUMBER), *other = page + ARENA_SIZE / 2;
	uint64_t gpa = gpa_at(trial, page);
	uint64_t first;
	uint32_t stamp;

	expect_write(trial, page);
	stamp = cpu_fill(trial, other, 1);
	need(trial, !trial->ops->slot_set(trial->subject, ARENA_SLOT, 0, trial->gpa,
					  trial->arena + ARENA_SIZE / 2, ARENA_SIZE / 2), "set a slot");
	if (read_all(trial, gpa, trial->buffer, PAGE) != (ssize_t)PAGE)
		convict(trial, VERDICT_WRONG_PERMISSION, "a read of a slot that was set again fails");
	memcpy(&first, trial->buffer, sizeof(first));
	if (first != stamp_word(trial, stamp, other, 0))
		convict(trial, VERDICT_STALE, "a slot that was set again shows its old memory");
	expect_no_slot(trial, trial->gpa + ARENA_SIZE / 2, "behind a slot that became shorter");
}

CHECK(slot_readonly, .summary = "a read-only slot can be read and not be written",
      .unless = SUBJECT_NO_READONLY_SLOTS)
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp = expect_write(trial, page);
	ssize_t done;

	trial_set_slot(trial, SLOT_READONLY);
	expect_read(trial, page, stamp);
	done = write_page(trial, page, next_stamp());
	if (done != -EACCES)
		convict(trial, VERDICT_WRONG_PERMISSION, "a write to a read-only slot gives \"%s\"",
			done < 0 ? strerror((int)-done) : "success");
	expect_cpu(trial, page, stamp);
	expect_read(trial, page, cpu_fill(trial, page, 1));
	trial_set_slot(trial, 0);
	expect_write(trial, page);
}

/* One event takes the page away from both. */
CHECK(slot_twice, .summary = "memory in two slots goes from both",
      .unless = SUBJECT_NO_SLOTS | SUBJECT_ONE_SLOT | SUBJECT_IDENTITY)
{
	char *page = page_at(trial, PAGE_NUMBER);
	struct trial other = *trial;
	uint32_t stamp;

	other.gpa = trial->gpa + 4 * ARENA_SIZE;
	need(trial, !trial->ops->slot_set(trial->subject, ARENA_SLOT + 1, 0, other.gpa, trial->arena,
					  ARENA_SIZE), "set a slot");
	stamp = expect_write(trial, page);
	expect_read(&other, page, stamp);
	expect_write(&other, page);
	need(trial, !madvise(page, PAGE, MADV_DONTNEED), "discard a page");
	expect_read(trial, page, 0);
	expect_read(&other, page, 0);
	stamp = expect_write(&other, page);
	expect_read(trial, page, stamp);
}
