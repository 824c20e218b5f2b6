/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A check is a small function that does one thing to memory and says what an accessor, or
 * the process, must see then. It is registered where it stands:
 *
 *	CHECK(discard, .summary = "what madvise() discards is zeroes") { ... }
 *
 * It runs in a process of its own, with the subject and an arena ready, and returns if all is
 * right. An expectation that is not met convicts the subject, and ends the process.
 */
#ifndef JUDGE_CHECK_H
#define JUDGE_CHECK_H

#include "subject.h"
#include "verdict.h"

#define PAGE		SUBJECT_PAGE
#define WORDS		(PAGE / sizeof(uint64_t))
#define LARGE		(2ul << 20)

/* Four large pages; the gpa of the first byte, for subjects that have gpas. */
#define ARENA_SIZE	(4 * LARGE)
#define ARENA_PAGES	(ARENA_SIZE / PAGE)
#define ARENA_GPA	0x10000000ul
#define ARENA_SLOT	0

/* What a check needs of a subject, besides what all have. */
enum check_need {
	NEED_PREFAULT	= 1 << 0,
	NEED_DIRTY	= 1 << 1,
	NEED_MISSES	= 1 << 2,
	NEED_MAPPED	= 1 << 3,
	NEED_AGES	= 1 << 4,
	NEED_SLOT_DELETE = 1 << 5,
	NEED_MIGRATE	= 1 << 6,
	NEED_EXCLUSIVE	= 1 << 7,
};

struct trial;

/**
 * struct check - a check
 * @name: one word
 * @summary: what must be so, as half a sentence
 * @unless: enum subject_limit: with these it says nothing
 * @needs: enum check_need
 * @seconds: its limit, from the last expectation on that was met; 0: %CHECK_SECONDS
 * @bare: it makes its instances of the subject itself
 * @run: does it
 */
struct check {
	const char *name;
	const char *summary;
	unsigned int unless;
	unsigned int needs;
	unsigned int seconds;
	bool bare;
	void (*run)(struct trial *trial);
};

#define CHECK_SECONDS	30

struct check_entry {
	const struct check *check;
};

/* The body follows. A name has dashes where @id has underscores. */
#define CHECK(id, ...)								\
	static void check_##id(struct trial *trial);				\
	static const struct check the_check_##id = {				\
		.name = #id, .run = check_##id, __VA_ARGS__			\
	};									\
	static const struct check_entry check_entry_##id			\
	__attribute__((section("checks"), used, no_reorder)) = { &the_check_##id };	\
	static void check_##id(struct trial *trial)

extern const struct check_entry __start_checks[], __stop_checks[];

/**
 * struct trial - a subject before a check
 * @check: the check
 * @ops: the subject
 * @subject: its instance
 * @accessor: the accessor that all functions below use
 * @arena: ARENA_SIZE bytes of private anonymous memory in small pages, aligned to a large
 *	one, and one slot of the subject
 * @gpa: of @arena
 * @buffer: of @accessor's transfers; %ARENA_SIZE bytes, mapped
 * @result: shared with the process that waits for the verdict
 */
struct trial {
	const struct check *check;
	const struct subject_ops *ops;
	void *subject;
	void *accessor;
	char *arena;
	uint64_t gpa;
	char *buffer;
	struct result *result;
};

/* The instance, its arena and its first accessor; a check that is not bare has them. */
void trial_begin(struct trial *trial);
void trial_end(struct trial *trial);
/* The slot of the arena once more, with these flags. */
void trial_set_slot(struct trial *trial, unsigned int flags);
/* Another accessor of the same instance: the same trial as another thread sees it. */
void trial_second(const struct trial *trial, struct trial *second);
void trial_second_end(struct trial *second);
bool trial_cannot(const struct trial *trial, enum subject_limit limit);

/* The address of a page of the arena, and its gpa. */
char *page_at(const struct trial *trial, size_t number);
uint64_t gpa_at(const struct trial *trial, const void *hva);

/* The end of the check, and of its process. */
void convict(const struct trial *trial, enum verdict verdict, const char *text, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
/* This machine has not what the check needs. */
void skip(const struct trial *trial, const char *text, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
/* What cannot fail has failed: the check is broken, says errno. */
void need(const struct trial *trial, bool ok, const char *what);

/*
 * Content: each word of a page says the stamp, the page and the word. Stamps are unique in
 * the process; stamp 0 is zeroes.
 */
uint32_t cpu_fill(const struct trial *trial, void *hva, size_t pages);
uint32_t next_stamp(void);
uint64_t stamp_word(const struct trial *trial, uint32_t stamp, const void *hva, size_t word);
/* The process must see this stamp; else accessors' writes are lost. */
void expect_cpu(const struct trial *trial, const void *hva, uint32_t stamp);
/* An accessor must see this stamp; else it is stale. */
void expect_read(const struct trial *trial, const void *hva, uint32_t stamp);
/* ... the stamp that the page at @from has, which moved to @hva. */
void expect_read_moved(const struct trial *trial, const void *hva, const void *from,
		       uint32_t stamp);
void expect_cpu_moved(const struct trial *trial, const void *hva, const void *from,
		      uint32_t stamp);
/* An accessor writes a new stamp, which the process must see. Returns the stamp. */
uint32_t expect_write(const struct trial *trial, void *hva);
/* An access must fail: there is nothing, or it may not be written. */
void expect_hole(const struct trial *trial, const void *hva);
void expect_no_write(const struct trial *trial, const void *hva);

/* Transfers until all is done or the first error; -EAGAIN and -EINTR do not come back. */
ssize_t read_all(const struct trial *trial, uint64_t gpa, void *buffer, size_t length);
ssize_t write_all(const struct trial *trial, uint64_t gpa, const void *buffer, size_t length);
/* A whole page through the buffer, whatever comes of it. */
ssize_t read_page(const struct trial *trial, const void *hva);
ssize_t write_page(const struct trial *trial, const void *hva, uint32_t stamp);

/* Memory at a fixed place of the arena. */
void map_anon(const struct trial *trial, void *hva, size_t length, int prot);
uint32_t map_large(const struct trial *trial, char *large);
int map_memfd(const struct trial *trial, void *hva, size_t length);
/* What /proc/self/pagemap says of a page. */
uint64_t pagemap_entry(const struct trial *trial, const void *hva);
#define PAGEMAP_PRESENT	(1ull << 63)
#define PAGEMAP_PFN	((1ull << 55) - 1)
/* A child that does nothing until it is ended. */
pid_t fork_idle(const struct trial *trial);
void end_child(pid_t child);
/* Waits until a child has ended by itself; its status. */
int await_child(const struct trial *trial, pid_t child);
/* Swap space on zram, or skips. */
void need_swap(const struct trial *trial);
/* Reclaims pages; are they out? */
void page_out(const struct trial *trial, void *hva, size_t length);

#endif /* JUDGE_CHECK_H */
