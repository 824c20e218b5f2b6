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

#include <linux/secmmu_test.h>

struct secmmu_chain;
struct secmmu_mirror;

void secmmu_test_exit(void);
void secmmu_oracle_note(struct secmmu_chain *chain, unsigned long start,
			unsigned long last);
long secmmu_oracle_mark(struct secmmu_mirror *mirror);
long secmmu_oracle_check(struct secmmu_mirror *mirror,
			 struct secmmu_test_oracle *result);
long secmmu_oracle_page(struct secmmu_mirror *mirror,
			struct secmmu_test_page *page);

#endif
