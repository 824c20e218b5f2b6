/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The switch of generated mutants, included into every file of the copy of the driver
 * that has them. Each place leaves its number in a section of the module: a place that
 * the compiler has dropped is no mutant.
 */
#ifndef SECMMU_AUTO_SWITCH_H
#define SECMMU_AUTO_SWITCH_H

#include <linux/compiler.h>

extern int secmmu_auto_on;

#define secmmu_auto(n)							\
({									\
	asm __inline volatile(".pushsection secmmu_auto,\"\",@progbits\n" \
			      "\t.long %c0\n\t.popsection" : : "i" (n)); \
	unlikely(READ_ONCE(secmmu_auto_on) == (n));			\
})

#endif
