/* SPDX-License-Identifier: GPL-2.0 */
/*
 * No-ops by which a program in the guest tells QEMU's plugin (testvm/plugin/) where it is.
 * Anywhere else they do nothing.
 */
#ifndef TESTVM_MARK_H
#define TESTVM_MARK_H

/* The displacement of a no-op of eight bytes; the lowest byte is enum mark. */
#define MARK_MAGIC	0x5ec33300
#define MARK_LENGTH	8
#define MARK_OPCODE	{ 0x0f, 0x1f, 0x84, 0x00 }

enum mark {
	MARK_OVER = 1,		/* the run's digest is complete */
	MARK_BEGIN = 2,		/* a scenario begins: the next schedule */
	MARK_END = 3,		/* it has ended: no schedule */
	MARK_WRONG = 4,		/* something wrong has been seen */
	MARK_RANGES = 5,	/* ranges of code follow, instead of those told before */
};

/*
 * Another no-op says where CPUs may give way: MARK_LOW or MARK_HIGH, then the lowest 32 bits
 * of the address at which a range begins or ends. Ranges lie in the highest two GiB, as the
 * code of the kernel does.
 */
#define MARK_LOW	{ 0x0f, 0x1f, 0x84, 0x21 }
#define MARK_HIGH	{ 0x0f, 0x1f, 0x84, 0x22 }

/*
 * On arm64 a constant moved to the register that is always zero is a no-op. Its lowest byte is
 * enum mark; there are no ranges.
 */
#define MARK_ARM64_LENGTH	4
#define MARK_ARM64_SHIFT	5
#define MARK_ARM64(mark)	(0xd28bc01f | (mark) << MARK_ARM64_SHIFT)

/* A constant, of enum mark. */
#ifdef __x86_64__
#define mark_here(mark)							\
	asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long %c0"		\
		     : : "i"(MARK_MAGIC | (mark)) : "memory")
#elif defined(__aarch64__)
#define mark_here(mark)	asm volatile(".inst %c0" : : "i"(MARK_ARM64(mark)) : "memory")
#else
#define mark_here(mark)	((void)(mark))
#endif

#endif
