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

/*
 * IGNORE_INVALIDATE: events are neither recorded nor delivered. So that stale
 * translations do not corrupt the kernel that tests them, faults keep their page
 * references: memory goes stale, not wild.
 */
enum secmmu_mutant {
	SECMMU_MUTANT_NONE,
	SECMMU_MUTANT_IGNORE_INVALIDATE,
	SECMMU_NR_MUTANTS
};

#ifdef CONFIG_SECMMU_TEST
#include <linux/compiler.h>

extern enum secmmu_mutant secmmu_mutant_on;

#define secmmu_mutant(which) \
	(unlikely(READ_ONCE(secmmu_mutant_on) == SECMMU_MUTANT_##which))
#else
#define secmmu_mutant(which) false
#endif

#endif
