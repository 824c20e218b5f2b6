/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A subject is a secondary MMU under test: something that reaches the memory of a process
 * by translations of its own, which MMU notifiers must keep right. A subject is one file in
 * subjects/, which defines a struct subject_ops and registers it:
 *
 *	SUBJECT(my_driver) = {
 *		.name = "my_driver",
 *		...
 *	};
 *
 * Nothing else knows it; subjects/NAME.conf says what its test VM needs. Begin with
 * subjects/procmem.c. Documentation/judge.rst walks through one.
 */
#ifndef JUDGE_SUBJECT_H
#define JUDGE_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SUBJECT_PAGE	4096ul

/**
 * enum subject_limit - what a subject cannot do, by its nature
 * @SUBJECT_WHOLE_PAGES: transfers are whole, aligned pages
 * @SUBJECT_IDENTITY: a slot's gpa is its virtual address
 * @SUBJECT_NO_SLOTS: everything that the process has is shown; slots are not enforced, so
 *	a deleted slot stays, and an access outside of all slots is not -ENXIO. Implies
 *	%SUBJECT_NO_READONLY_SLOTS
 * @SUBJECT_NO_READONLY_SLOTS: it has no slots of %SLOT_READONLY
 * @SUBJECT_ONE_SLOT: it has one slot at a time
 * @SUBJECT_ONE_ACCESSOR: it has one accessor at a time
 * @SUBJECT_NO_EACCES: it cannot tell "may not write" from "is not there": both are
 *	-EFAULT
 * @SUBJECT_NO_USERFAULT: a fault that userfaultfd would serve is -EFAULT, for it must not
 *	wait for user space
 * @SUBJECT_NO_CHILD: a child of the process cannot use an accessor that it has inherited
 * @SUBJECT_NO_PERMISSION: it reads and writes whatever the process has mapped, whatever
 *	mprotect() says, as a debugger does
 * @SUBJECT_ONE_FAULT: faults wait for each other. While one waits for userfaultfd, whoever serves
 *	that must not use an accessor
 *
 * A limit is a decision of the design or a law of the hardware. A bug is no limit: it goes
 * to the file "expected".
 */
enum subject_limit {
	SUBJECT_WHOLE_PAGES		= 1 << 0,
	SUBJECT_IDENTITY		= 1 << 1,
	SUBJECT_NO_SLOTS		= 1 << 2,
	SUBJECT_NO_READONLY_SLOTS	= 1 << 3,
	SUBJECT_ONE_SLOT		= 1 << 4,
	SUBJECT_ONE_ACCESSOR		= 1 << 5,
	SUBJECT_NO_EACCES		= 1 << 6,
	SUBJECT_NO_USERFAULT		= 1 << 7,
	SUBJECT_NO_CHILD		= 1 << 8,
	SUBJECT_NO_PERMISSION		= 1 << 9,
	SUBJECT_ONE_FAULT		= 1 << 10,
};

#define SUBJECT_LIMITS	11

/* Causes of retries that a subject may count. */
#define SUBJECT_CAUSES	4

/* Flags of a slot. */
#define SLOT_READONLY	(1u << 0)
#define SLOT_LOG_DIRTY	(1u << 1)

/**
 * struct subject_counters - what a subject has done
 * @events: invalidation events of the memory
 * @zapped: entries dropped
 * @flushes: TLB flushes
 * @retries: faults that began again
 * @causes: of these, what each of @by_cause counts, in a word; NULL where there is no more
 * @by_cause: faults that began again for that cause
 * @left: times an accessor left what restricted it
 * @refilled: entries that came back by themselves
 */
struct subject_counters {
	uint64_t events;
	uint64_t zapped;
	uint64_t flushes;
	uint64_t retries;
	const char *causes[SUBJECT_CAUSES];
	uint64_t by_cause[SUBJECT_CAUSES];
	uint64_t left;
	uint64_t refilled;
};

/**
 * struct subject_ops - a secondary MMU, and how to use it
 * @name: one word, for the command line and the matrix
 * @summary: half a line that says what it is
 * @limits: enum subject_limit
 * @grain: bytes that it may lose with one page that is taken away; 0: that page
 * @least_write: bytes of its smallest write; 0: one byte
 * @most: bytes of its largest transfer; 0: no limit below a megabyte
 * @probe: makes it usable on this machine, and says if it is. Called once in the life of
 *	the program, before all else and in another process than the checks. It may set up
 *	devices or write to sysfs, if inside_or_told() (lib/inside.h) lets it.
 *	Returns 0, or a negative errno after it wrote the reason to @why
 * @create: makes an instance for the memory of the calling process
 * @destroy: ends the instance; all its accessors are closed. May be NULL if the process's
 *	end does everything. Not called where the process dies or calls execve(2)
 * @slot_set: shows @length bytes at @hva as @gpa. All are page aligned; @gpa is below
 *	3 GiB but for %SUBJECT_IDENTITY and @high. The memory may have holes, and changes at any time.
 *	An existing slot @id is replaced
 * @slot_delete: takes the slot away: once this returns, no access uses it
 * @accessor_open: makes an accessor, which one thread uses at a time. Memory that it owns in
 *	the process must survive fork(2): use MADV_DONTFORK
 * @accessor_close: ends it
 * @read: copies @length bytes at @gpa to @buffer
 * @write: copies @length bytes from @buffer to @gpa
 * @can_prefault: has this kernel a @prefault for the instance? NULL: all have
 * @prefault: maps a range beforehand, for writing if @write; 0 or a negative errno. May map
 *	less
 * @dirty: the pages of slot @id, which has %SLOT_LOG_DIRTY, that were written since the call
 *	before, a bit each, and @pages in all. More pages may be reported than were written,
 *	never fewer
 * @misses: faults that this accessor has taken to find or to widen a translation, since it
 *	was opened. Judges over-invalidation
 * @counters: what the instance has seen since it was made. For reports only; 0: not counted
 * @mapped: bytes that the instance has translations for at this moment, with what its accessors
 *	own
 * @high: a gpa may be 3 GiB and more, up to 9 GiB
 * @ages: it takes part in aging (clear_young and its relatives)
 * @stuck_prefault: a known bug: @prefault may wait for a change of slots that waits for it, until
 *	its thread gets a signal. A storm sends one each second
 * @storms_only: a control of storms: checks find nothing wrong with it, and leave it out unless it
 *	is named
 * @late_writes: a write may arrive after the process has write-protected the page, if it was under
 *	way by then: GUP had let it in. A storm then waits for it
 * @migrate: moves pages to memory of the subject's own, which the process cannot reach: what it
 *	touches comes back. Bytes moved, 0 for none, or a negative errno
 * @make_exclusive: takes pages for itself until the process touches them. Bytes, 0 or an errno
 * @vary: before the first slot: from now on accessors vary @what (a word of the subject's own) when
 *	@change is called. -EINVAL if it knows no such thing
 * @change: lets the accessor vary, between two transfers; @random decides. What changes must not
 *	change what a transfer does, or @denies knows. 0 or a negative errno
 * @denies: must a transfer there fail with -EACCES, by what @change did?
 * @inspect: all is at rest: compares the subject's own tables with the process's, if it can.
 *	Writes one line to @text, or nothing. 0; or 1 if something is wrong
 *
 * All but @name, @summary, @create, @slot_set, @accessor_open, @read and @write may be NULL.
 * @create, @slot_set, @slot_delete, @accessor_open, @accessor_close and @destroy are called by
 * one thread at a time, but while accessors of other threads are at work.
 *
 * A transfer may be called while anything happens to the memory. It returns the number of
 * bytes that it has copied, at least one, or
 *
 *	-EFAULT	 the process has no memory there (or, for writing, the first byte is not
 *		 writable and %SUBJECT_NO_EACCES is set)
 *	-EACCES	 the process or the slot does not let it write there
 *	-ENXIO	 there is no slot
 *	-EAGAIN	 it has to be called again; -EINTR: likewise
 *	-ESRCH	 the process is gone; any other error will do as well
 *
 * A transfer that meets the error behind its first byte may return the bytes before, or the
 * error. In the latter case, what lies before may have been copied.
 */
struct subject_ops {
	const char *name;
	const char *summary;
	unsigned int limits;
	size_t grain;
	size_t least_write;
	size_t most;
	bool high;
	bool ages;
	bool stuck_prefault;
	bool storms_only;
	bool late_writes;

	int (*probe)(char *why, size_t size);
	int (*create)(void **subject);
	void (*destroy)(void *subject);
	int (*slot_set)(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			void *hva, size_t length);
	int (*slot_delete)(void *subject, unsigned int id);
	int (*accessor_open)(void *subject, void **accessor);
	void (*accessor_close)(void *accessor);
	ssize_t (*read)(void *accessor, uint64_t gpa, void *buffer, size_t length);
	ssize_t (*write)(void *accessor, uint64_t gpa, const void *buffer, size_t length);

	bool (*can_prefault)(void *subject);
	int (*prefault)(void *accessor, uint64_t gpa, size_t length, bool write);
	int (*dirty)(void *subject, unsigned int id, uint64_t *bitmap, size_t pages);
	uint64_t (*misses)(void *accessor);
	void (*counters)(void *subject, struct subject_counters *counters);
	uint64_t (*mapped)(void *subject);
	ssize_t (*migrate)(void *accessor, uint64_t gpa, size_t length);
	ssize_t (*make_exclusive)(void *accessor, uint64_t gpa, size_t length);
	int (*vary)(void *subject, const char *what);
	int (*change)(void *accessor, uint64_t random);
	bool (*denies)(void *accessor, uint64_t gpa, bool write);
	int (*inspect)(void *subject, char *text, size_t size);
};

/* Can an instance map beforehand, on this kernel? */
static inline bool subject_can_prefault(const struct subject_ops *ops, void *subject)
{
	return ops->prefault && (!ops->can_prefault || ops->can_prefault(subject));
}

/**
 * struct subject_entry - makes the linker collect the subjects, see SUBJECT()
 * @ops: the subject
 */
struct subject_entry {
	const struct subject_ops *ops;
};

#define SUBJECT(id)								\
	extern const struct subject_ops subject_##id;				\
	static const struct subject_entry subject_entry_##id			\
	__attribute__((section("subjects"), used, no_reorder)) = { &subject_##id };	\
	const struct subject_ops subject_##id

/* All of them; the linker makes these names from that of the section. */
extern const struct subject_entry __start_subjects[], __stop_subjects[];

const struct subject_ops *subject_find(const char *name);
const char *subject_limit_name(enum subject_limit limit);

#endif /* JUDGE_SUBJECT_H */
