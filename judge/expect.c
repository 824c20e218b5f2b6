// SPDX-License-Identifier: GPL-2.0
/* What must be so: content of pages, and the results of transfers. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include "check.h"

/* So many times "again" in a row, and an accessor does not get on. */
#define AGAIN_MOST	100000

/* tag (8 bits) | stamp (24) | page of the arena (16) | word (16) */
#define STAMP_TAG	0x5eull

/* What a buffer holds before a transfer, and no page. */
#define POISON		0xe7

/**
 * next_stamp - make a stamp
 *
 * Return: one that is nowhere yet.
 */
uint32_t next_stamp(void)
{
	static uint32_t last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

/**
 * stamp_word - say what a word of a page must be
 * @trial: the trial
 * @stamp: the page's stamp
 * @hva: the page, in the arena
 * @word: number of the word
 *
 * Return: the word.
 */
uint64_t stamp_word(const struct trial *trial, uint32_t stamp, const void *hva, size_t word)
{
	uint64_t page = (uint64_t)((const char *)hva - trial->arena) / PAGE;

	/* Elsewhere all stamps look alike. */
	need(trial, page < ARENA_PAGES, "stamp what is not in the arena");
	return stamp ? STAMP_TAG << 56 | (uint64_t)stamp << 32 | page << 16 | word : 0;
}

static void fill_words(const struct trial *trial, uint64_t *words, const void *hva,
		       uint32_t stamp)
{
	for (size_t i = 0; i < WORDS; i++)
		__atomic_store_n(&words[i], stamp_word(trial, stamp, hva, i), __ATOMIC_RELAXED);
}

/**
 * cpu_fill - let the process write a new stamp
 * @trial: the trial
 * @hva: the first page
 * @pages: how many
 *
 * Return: the stamp.
 */
uint32_t cpu_fill(const struct trial *trial, void *hva, size_t pages)
{
	uint32_t stamp = next_stamp();

	for (size_t i = 0; i < pages; i++) {
		char *page = (char *)hva + i * PAGE;

		fill_words(trial, (uint64_t *)page, page, stamp);
	}
	return stamp;
}

/* A word in words. */
static void describe(char *text, size_t size, uint64_t value)
{
	if (!value)
		snprintf(text, size, "zero");
	else if (value >> 56 == STAMP_TAG)
		snprintf(text, size, "stamp %u of page %u, word %u",
			 (unsigned int)(value >> 32 & 0xffffff), (unsigned int)(value >> 16 & 0xffff),
			 (unsigned int)(value & 0xffff));
	else
		snprintf(text, size, "%#" PRIx64, value);
}

/* A page against its stamp; convicts, with older content as @verdict. */
static void compare(const struct trial *trial, const char *who, const uint64_t *words,
		    const void *hva, const void *from, uint32_t stamp, enum verdict verdict)
{
	size_t page = (size_t)((const char *)hva - trial->arena) / PAGE;
	char is[64], must[64];

	for (size_t i = 0; i < WORDS; i++) {
		uint64_t value = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
		uint64_t right = stamp_word(trial, stamp, from, i);

		if (value == right)
			continue;
		describe(is, sizeof(is), value);
		describe(must, sizeof(must), right);
		convict(trial, verdict, "%s sees in word %zu of page %zu: %s, not %s", who, i, page,
			is, must);
	}
	__atomic_add_fetch(&trial->result->met, 1, __ATOMIC_RELAXED);
}

static ssize_t transfer(const struct trial *trial, uint64_t gpa, char *buffer, size_t length,
			bool write)
{
	const struct subject_ops *ops = trial->ops;
	unsigned int again = 0;
	size_t done = 0;

	while (done < length) {
		size_t part = length - done;
		ssize_t ret;

		if (ops->most && part > ops->most)
			part = ops->most;
		ret = write ? ops->write(trial->accessor, gpa + done, buffer + done, part) :
			      ops->read(trial->accessor, gpa + done, buffer + done, part);
		if (ret == -EAGAIN || ret == -EINTR) {
			if (++again == AGAIN_MOST)
				convict(trial, VERDICT_STARVED, "%d times \"again\" in a row", again);
			sched_yield();
			continue;
		}
		if (!ret || ret > (ssize_t)part)
			convict(trial, VERDICT_BROKEN, "a transfer of %zu bytes gives %zd", part, ret);
		if (ret < 0)
			return ret;
		again = 0;
		done += (size_t)ret;
	}
	return (ssize_t)done;
}

/**
 * read_all - read through the accessor
 * @trial: the trial
 * @gpa: where
 * @buffer: where to
 * @length: bytes
 *
 * Return: @length, or the first error.
 */
ssize_t read_all(const struct trial *trial, uint64_t gpa, void *buffer, size_t length)
{
	return transfer(trial, gpa, buffer, length, false);
}

/**
 * write_all - write through the accessor
 * @trial: the trial
 * @gpa: where
 * @buffer: what
 * @length: bytes
 *
 * Return: @length, or the first error.
 */
ssize_t write_all(const struct trial *trial, uint64_t gpa, const void *buffer, size_t length)
{
	return transfer(trial, gpa, (char *)buffer, length, true);
}

/**
 * read_page - read a page to the buffer
 * @trial: the trial
 * @hva: the page
 *
 * Return: as read_all().
 */
ssize_t read_page(const struct trial *trial, const void *hva)
{
	memset(trial->buffer, POISON, PAGE);
	return read_all(trial, gpa_at(trial, hva), trial->buffer, PAGE);
}

/**
 * write_page - write a page with a stamp
 * @trial: the trial
 * @hva: the page
 * @stamp: the stamp
 *
 * Return: as write_all().
 */
ssize_t write_page(const struct trial *trial, const void *hva, uint32_t stamp)
{
	fill_words(trial, (uint64_t *)trial->buffer, hva, stamp);
	return write_all(trial, gpa_at(trial, hva), trial->buffer, PAGE);
}

static void need_allowed(const struct trial *trial, const void *hva, ssize_t done,
			 const char *what)
{
	if (done < 0)
		convict(trial, VERDICT_WRONG_PERMISSION, "%s of page %zu is refused: %s", what,
			(size_t)((const char *)hva - trial->arena) / PAGE, strerror((int)-done));
}

/**
 * expect_read_moved - an accessor must see the stamp of a page that has moved
 * @trial: the trial
 * @hva: where it is
 * @from: where it was when it was written
 * @stamp: its stamp
 */
void expect_read_moved(const struct trial *trial, const void *hva, const void *from,
		       uint32_t stamp)
{
	need_allowed(trial, hva, read_page(trial, hva), "a read");
	compare(trial, "the accessor", (const uint64_t *)trial->buffer, hva, from, stamp,
		VERDICT_STALE);
}

/**
 * expect_read - an accessor must see a stamp
 * @trial: the trial
 * @hva: the page
 * @stamp: the stamp; 0: zeroes
 */
void expect_read(const struct trial *trial, const void *hva, uint32_t stamp)
{
	expect_read_moved(trial, hva, hva, stamp);
}

/**
 * expect_cpu_moved - the process must see the stamp of a page that has moved
 * @trial: the trial
 * @hva: where it is
 * @from: where it was when it was written
 * @stamp: its stamp
 */
void expect_cpu_moved(const struct trial *trial, const void *hva, const void *from,
		      uint32_t stamp)
{
	compare(trial, "the process", hva, hva, from, stamp, VERDICT_LOST_WRITE);
}

/**
 * expect_cpu - the process must see a stamp
 * @trial: the trial
 * @hva: the page
 * @stamp: the stamp
 */
void expect_cpu(const struct trial *trial, const void *hva, uint32_t stamp)
{
	expect_cpu_moved(trial, hva, hva, stamp);
}

/**
 * expect_write - an accessor must be able to write, and the process must see it
 * @trial: the trial
 * @hva: the page
 *
 * Return: the stamp that was written.
 */
uint32_t expect_write(const struct trial *trial, void *hva)
{
	uint32_t stamp = next_stamp();

	need_allowed(trial, hva, write_page(trial, hva, stamp), "a write");
	expect_cpu(trial, hva, stamp);
	return stamp;
}

/**
 * expect_hole - neither a read nor a write may reach anything
 * @trial: the trial
 * @hva: a page that is not mapped, or that nobody may access
 */
void expect_hole(const struct trial *trial, const void *hva)
{
	size_t page = (size_t)((const char *)hva - trial->arena) / PAGE;
	ssize_t done = read_page(trial, hva);

	if (done >= 0)
		convict(trial, VERDICT_STALE, "a read of page %zu works, which is not there", page);
	if (done != -EFAULT)
		convict(trial, VERDICT_WRONG_PERMISSION, "a read of page %zu, which is not there, "
			"gives \"%s\", not \"%s\"", page, strerror((int)-done), strerror(EFAULT));
	done = write_page(trial, hva, next_stamp());
	if (done >= 0)
		convict(trial, VERDICT_STALE, "a write of page %zu works, which is not there", page);
	if (done != -EFAULT && done != -EACCES)
		convict(trial, VERDICT_WRONG_PERMISSION, "a write of page %zu, which is not there, "
			"gives \"%s\"", page, strerror((int)-done));
}

/**
 * expect_no_write - a write must be refused, for lack of permission
 * @trial: the trial
 * @hva: the page
 */
void expect_no_write(const struct trial *trial, const void *hva)
{
	int error = trial_cannot(trial, SUBJECT_NO_EACCES) ? EFAULT : EACCES;
	size_t page = (size_t)((const char *)hva - trial->arena) / PAGE;
	ssize_t done = write_page(trial, hva, next_stamp());

	if (done >= 0)
		convict(trial, VERDICT_WRONG_PERMISSION, "a write of page %zu works, "
			"which may not be written", page);
	if (done != -error)
		convict(trial, VERDICT_WRONG_PERMISSION, "a write of page %zu, which may not be "
			"written, gives \"%s\", not \"%s\"", page, strerror((int)-done),
			strerror(error));
}
