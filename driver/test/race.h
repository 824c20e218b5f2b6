/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A data race on purpose, for a kernel with KCSAN that must be seen to report it:
 * secmmu/planted_race in debugfs, where a number says how often the writer is to count
 * a variable up that nothing protects. Two writers race. In a normal build it is
 * nothing.
 */
#ifndef SECMMU_TEST_RACE_H
#define SECMMU_TEST_RACE_H

struct dentry;

#ifdef CONFIG_SECMMU_TEST
void secmmu_race_add(struct dentry *folder);
#else
#define secmmu_race_add(folder)	do { } while (0)
#endif

#endif
