/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mutants: seeded bugs, for tests that must be seen to fail.
 *
 * A test build (CONFIG_SECMMU_TEST) switches one on by writing its name to the
 * module parameter "mutant", "none" switches it off. Mirrors made before keep
 * what they have: switch before making any. A normal build contains none.
 */
#ifndef SECMMU_TEST_MUTANT_H
#define SECMMU_TEST_MUTANT_H

#define MUTANT(id, name, property, killer, precedent) SECMMU_MUTANT_##id,

enum secmmu_mutant {
	SECMMU_MUTANT_NONE,
#include "mutants.def"
	SECMMU_NR_MUTANTS
};

#undef MUTANT

#ifdef CONFIG_SECMMU_TEST
#include <linux/compiler.h>
#include <linux/jump_label.h>

struct page;
struct secmmu_spans;

/* Spans of which none has a log. */
extern struct secmmu_spans secmmu_mutant_no_spans;

DECLARE_STATIC_KEY_FALSE(secmmu_mutating);
extern enum secmmu_mutant secmmu_mutant_on;

#define secmmu_mutant(which)						\
	(static_branch_unlikely(&secmmu_mutating) &&			\
	 READ_ONCE(secmmu_mutant_on) == SECMMU_MUTANT_##which)

void secmmu_mutant_dirty_late(struct page *page);

#else
#define secmmu_mutant(which)			false
#define secmmu_mutant_no_spans			(*(struct secmmu_spans *)NULL)
#define secmmu_mutant_dirty_late(page)		do { } while (0)
#endif

#endif
