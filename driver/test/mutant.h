/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mutants: seeded bugs, for tests that must be seen to fail.
 *
 * Those are patches in mutants/, applied to a copy of the driver. A test build
 * (CONFIG_SECMMU_TEST) of that copy switches one on by writing its name to the
 * module parameter "mutant", "none" switches it off. Mirrors made before keep
 * what they have: switch before making any. driver/Makefile has the compiler include
 * this header into every file of a test build; a normal build knows nothing of it.
 */
#ifndef SECMMU_TEST_MUTANT_H
#define SECMMU_TEST_MUTANT_H

#include <linux/compiler.h>

#define MUTANT(id, name, property, killer, precedent) SECMMU_MUTANT_##id,

enum secmmu_mutant {
	SECMMU_MUTANT_NONE,
#include "mutants.def"
	SECMMU_NR_MUTANTS
};

#undef MUTANT

/*
 * No linux/jump_label.h: it may bring printk.h along, which must come after the pr_fmt()
 * of a file.
 */
struct static_key_false;
extern struct static_key_false secmmu_mutating;
extern enum secmmu_mutant secmmu_mutant_on;

#define secmmu_mutant(which)						\
	(static_branch_unlikely(&secmmu_mutating) &&			\
	 READ_ONCE(secmmu_mutant_on) == SECMMU_MUTANT_##which)

#endif
