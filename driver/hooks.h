/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests need inside the driver. A normal build has none of it: there each hook is a
 * macro for nothing, and driver/test/ need not exist. Test builds (CONFIG_SECMMU_TEST)
 * take the hooks from test/hooks.h:
 *
 * - gates, where a test can hold a thread, or have threads take random times
 *   (test/delay.h): secmmu_gate() where the thread may sleep, secmmu_gate_spin() where it
 *   may not, secmmu_gate_event() where that depends;
 *   secmmu_gate_range() where sptes of a range of host addresses are about to go, which
 *   the oracle notes too; secmmu_gate_torn() while a tree changes under readers;
 * - secmmu_patience(): SECMMU_PATIENCE, or less for a while, so that storms go past mirrors;
 * - secmmu_test_call(): ioctls of linux/secmmu_test.h;
 * - secmmu_refresh*(): other ways to have a new mode reach the engines, to compare.
 */
#ifndef SECMMU_HOOKS_H
#define SECMMU_HOOKS_H

#ifdef CONFIG_SECMMU_TEST
#include "test/hooks.h"
#else

#define secmmu_gate(name, address)			do { } while (0)
#define secmmu_gate_spin(name, address)			do { } while (0)
#define secmmu_gate_event(name, address, may_sleep)	do { } while (0)
#define secmmu_gate_range(name, chain, start, last, may_sleep) do { } while (0)
#define secmmu_gate_torn(root)				do { } while (0)

#define secmmu_patience()				SECMMU_PATIENCE

#define SECMMU_TEST_FEATURES				0
#define secmmu_test_call(file, cmd, user)		(-ENOTTY)
#define secmmu_test_exit()				do { } while (0)

struct secmmu_looked { };

#define secmmu_refresh(mirror, space, gen)		do { } while (0)
#define secmmu_refresh_set(mirror)			do { } while (0)
#define secmmu_refresh_is_sync(mirror)			true

#endif

#endif
