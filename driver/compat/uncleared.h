/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECMMU_COMPAT_UNCLEARED_H
#define SECMMU_COMPAT_UNCLEARED_H

/*
 * For an array on the stack that is written before it is read: a kernel that clears the
 * stack (CONFIG_INIT_STACK_ALL_ZERO) need not clear this. Compilers that cannot do the
 * former do not know the attribute.
 */
#if __has_attribute(uninitialized)
#define secmmu_uncleared	__attribute__((uninitialized))
#else
#define secmmu_uncleared
#endif

#endif
