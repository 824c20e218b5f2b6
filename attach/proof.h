/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does a mirror show a page that the process has not, or refuse one that it has?
 *
 * One look at each does not tell. munmap(2) takes an area out of the process's tree,
 * lets readers of mmap_lock in, and only then announces the change and clears the page
 * table. Meanwhile the kernel denies the page to every outsider, and the process's own
 * TLBs, and so a mirror that is right, still have it, for as long as the process is
 * kept from running. And between any two looks the page may come and go. So there is
 * a bracket around the mirror's look:
 *
 *	1. count the events that the process's memory has had
 *	2. look through the mirror, whatever it shows
 *	3. does the process have the page?
 *	4. take mmap_lock for writing, and let it go
 *	5. what does the mirror show?
 *	6. does the process have the page?
 *	7. as 4
 *	8. as 1
 *
 * The mirror is convicted if 3 and 6 agree, 5 says the opposite, and 1 and 8 are equal.
 * If 3, 5 and 6 agree it is cleared. Otherwise the bracket is tried again, PROOF_TRIES
 * times; then nothing is proved.
 *
 * Why no mirror that is right is convicted of showing a page: a thread that takes an
 * area out of the tree, or read permission from it, holds mmap_lock, for writing or
 * downgraded, until the page table follows and the event is counted. So nothing that
 * began before 3 is left to be done behind 4, and a page that is missing in 3 is missing
 * in the mirror too, unless the process gets it anew. If the mirror shows it in 5, the
 * process got it after 3; by 6 it is gone again. The event that announces this came
 * after the mirror's fault had installed the page, and was counted before 6 if the page
 * table was cleared by then, or before 7 was over if only the area was gone. So 8
 * differs from 1.
 *
 * Why none is convicted of refusing a page: the fault of 2 waited for every event that
 * was under way on the page, and none has come since 1. So what is there in 3 stays
 * until 8, and the fault of 5 finds it.
 *
 * The driver does 4 when a mirror is created: it looks the chain of the process's memory
 * up under mmap_lock for writing. It counts the events too. It may be heard in its own
 * case: that can acquit a broken driver, but not convict a right one.
 */
#ifndef ATTACH_PROOF_H
#define ATTACH_PROOF_H

#include "compare.h"

#define PROOF_TRIES	64

int proof_of_access(const struct compare *compare, uint64_t page, bool *proved);

#endif /* ATTACH_PROOF_H */
