/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The switch of generated mutants, included into every file of the copy of the driver
 * that has them. Each place leaves its number in a section of the module: a place that
 * the compiler has dropped is no mutant. It also notes that it was reached: a test that
 * never comes by need not be run.
 */
#ifndef SECMMU_AUTO_SWITCH_H
#define SECMMU_AUTO_SWITCH_H

#include <linux/compiler.h>
#include <linux/types.h>

#define SECMMU_AUTO_PLACES	8192

extern int secmmu_auto_on;
extern bool secmmu_auto_reached[];

#define secmmu_auto(n)							\
({									\
	asm __inline volatile(".pushsection secmmu_auto,\"\",@progbits\n" \
			      "\t.long %c0\n\t.popsection" : : "i" (n)); \
	if (!READ_ONCE(secmmu_auto_reached[n]))				\
		WRITE_ONCE(secmmu_auto_reached[n], true);		\
	unlikely(READ_ONCE(secmmu_auto_on) == (n));			\
})

#endif
