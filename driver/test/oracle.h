/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle: does a mirror say what the CPU's page table says, and has nothing
 * gone that no event has touched? See struct secmmu_test_oracle.
 *
 * The CPU's side is read with GUP that may not fault: it returns a page only if the
 * CPU maps it now, and for writing only if the CPU may write now. That the
 * CPU does not map it counts only with mmap_lock held for writing: otherwise munmap()
 * may have taken the area away and not begun its event. A page that an event touches
 * meanwhile is not judged. It does not use what faults use to
 * decide, for that is what it judges. Limits: it sees no permission other than
 * writing, and what changes without an event counts as stale.
 */
#ifndef SECMMU_TEST_ORACLE_H
#define SECMMU_TEST_ORACLE_H

#ifdef CONFIG_SECMMU_TEST
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/secmmu_test.h>

struct secmmu_chain;
struct secmmu_mirror;
struct secmmu_spaces;

/**
 * struct secmmu_watched - an engine
 * @link: in &secmmu_oracle.tlbs
 * @lock: serialises users of @spaces
 * @spaces: the address spaces of the engine, with its TLB
 */
struct secmmu_watched {
	struct list_head link;
	struct mutex *lock;
	struct secmmu_spaces *spaces;
};

/**
 * struct secmmu_oracle - what it knows of one mirror
 * @lock: protects all; outside of engine locks
 * @tlbs: the TLBs of all engines that are attached
 * @marked: guest frames that were mapped at the last MARK, with their domains
 * @nr_marked: number of those
 */
struct secmmu_oracle {
	struct mutex lock;
	struct list_head tlbs;
	u64 *marked;
	u64 nr_marked;
};

void secmmu_oracle_init(struct secmmu_oracle *oracle);
void secmmu_oracle_destroy(struct secmmu_oracle *oracle);
void secmmu_oracle_watch(struct secmmu_oracle *oracle,
			 struct secmmu_watched *watched, struct mutex *lock,
			 struct secmmu_spaces *spaces);
void secmmu_oracle_unwatch(struct secmmu_oracle *oracle,
			   struct secmmu_watched *watched);
void secmmu_oracle_note(struct secmmu_chain *chain, unsigned long start,
			unsigned long last);
long secmmu_oracle_mark(struct secmmu_mirror *mirror);
long secmmu_oracle_check(struct secmmu_mirror *mirror,
			 struct secmmu_test_oracle *result);
long secmmu_oracle_page(struct secmmu_mirror *mirror,
			struct secmmu_test_page *page);

#else

struct secmmu_watched {
};

struct secmmu_oracle {
};

#define secmmu_oracle_init(oracle)	do { } while (0)
#define secmmu_oracle_destroy(oracle)	do { } while (0)
#define secmmu_oracle_watch(oracle, watched, lock, spaces) do { } while (0)
#define secmmu_oracle_unwatch(oracle, watched) do { } while (0)
#define secmmu_oracle_note(chain, start, last) do { } while (0)

#endif

#endif
