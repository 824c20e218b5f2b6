/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Calls of test builds (SECMMU_FEATURE_TEST): no interface, they change as the
 * tests do. Only root (CAP_SYS_ADMIN) may make them; other drivers and callers
 * get -ENOTTY and -EPERM. Structures start with their size, which must be exact.
 */
#ifndef _UAPI_LINUX_SECMMU_TEST_H
#define _UAPI_LINUX_SECMMU_TEST_H

#include <linux/secmmu.h>

/**
 * enum secmmu_gate - places in the driver where a thread can be held
 * @SECMMU_GATE_FAULT_LOOKED_UP: a fault knows its target, is not yet recorded
 * @SECMMU_GATE_FAULT_RECORDED: it is recorded, has not asked for the page
 * @SECMMU_GATE_FAULT_GOT: it has the page, no lock is held
 * @SECMMU_GATE_FAULT_LINKED: the table is linked, its lock not yet taken
 * @SECMMU_GATE_FAULT_CHECKED: the final check is passed, nothing installed yet;
 *	under the lock of the table
 * @SECMMU_GATE_FAULT_INSTALLED: installed, the record still there
 * @SECMMU_GATE_START_RECORDED: an event is recorded, not yet delivered
 * @SECMMU_GATE_START_WALKED: a round over the members is done, not yet judged
 * @SECMMU_GATE_ZAPPED: sptes were dropped, the flush is not done
 * @SECMMU_GATE_FLUSH_RAISED: the TLB generation is raised, the mask not read
 * @SECMMU_GATE_END: an event is about to be unrecorded
 * @SECMMU_GATE_WINDOW_MARKED: a window has set its CPU in the mask, has not read
 *	the generation; interrupts are off
 * @SECMMU_GATE_WINDOW_TRANSLATED: a window has its translation, has moved nothing;
 *	interrupts are off
 * @SECMMU_GATE_UPDATE: a registration between the two stores of the seqcount;
 *	under the registry lock
 * @SECMMU_GATE_SLOT_REPLACED: a slot has gone from the lookup, not its sptes
 * @SECMMU_GATE_LEAVE: a mirror has left the chain's list, not waited yet
 * @SECMMU_GATE_RELEASE: the mm is released, nothing dropped yet
 *
 * Threads wait asleep in the fault gates (but for LINKED and CHECKED), SLOT_REPLACED
 * and LEAVE, and spin in the others.
 */
enum secmmu_gate {
	SECMMU_GATE_FAULT_LOOKED_UP,
	SECMMU_GATE_FAULT_RECORDED,
	SECMMU_GATE_FAULT_GOT,
	SECMMU_GATE_FAULT_LINKED,
	SECMMU_GATE_FAULT_CHECKED,
	SECMMU_GATE_FAULT_INSTALLED,
	SECMMU_GATE_START_RECORDED,
	SECMMU_GATE_START_WALKED,
	SECMMU_GATE_ZAPPED,
	SECMMU_GATE_FLUSH_RAISED,
	SECMMU_GATE_END,
	SECMMU_GATE_WINDOW_MARKED,
	SECMMU_GATE_WINDOW_TRANSLATED,
	SECMMU_GATE_UPDATE,
	SECMMU_GATE_SLOT_REPLACED,
	SECMMU_GATE_LEAVE,
	SECMMU_GATE_RELEASE,
	SECMMU_NR_GATES
};

/**
 * struct secmmu_test_gate - arm a gate, wait for a thread in it, open it
 * @size: size of this structure
 * @gate: ARM: which gate
 * @post: number that ARM gives and the others take
 * @tid: ARM: the thread to hold, or zero for any; WAIT: the thread held
 * @address: ARM: a host address (events, faults) or a gpa (windows) that the
 *	passage must concern, or zero for any; sites without one ignore it
 * @skip: ARM: passages to let by first
 * @timeout_ms: ARM: the gate opens by itself after that long, 1 .. 3600000; WAIT:
 *	give up then (-ETIMEDOUT)
 *
 * Called on the device. A post holds one thread, once. OPEN lets it go, waits until
 * it has gone, and frees the post; -ETIME says that the gate had opened by itself,
 * so that the test proves nothing. -ENOSPC: all posts are in use.
 */
struct secmmu_test_gate {
	__u32 size;
	__u32 gate;
	__u32 post;
	__s32 tid;
	__u64 address;
	__u32 skip;
	__u32 timeout_ms;
};

#define SECMMU_TEST_GATE_ARM	_IO(SECMMU_IOC_TYPE, 0x80)
#define SECMMU_TEST_GATE_WAIT	_IO(SECMMU_IOC_TYPE, 0x81)
#define SECMMU_TEST_GATE_OPEN	_IO(SECMMU_IOC_TYPE, 0x82)

#define SECMMU_TEST_EVENT_BEGIN	(1U << 0)
#define SECMMU_TEST_EVENT_END	(1U << 1)

/**
 * struct secmmu_test_event - call the callbacks of the chain
 * @size: size of this structure
 * @flags: SECMMU_TEST_EVENT_BEGIN, _END, or both
 * @start: first address
 * @end: address behind the last
 *
 * Called on a mirror, whose mm it concerns. Nothing happens to the memory.
 */
struct secmmu_test_event {
	__u32 size;
	__u32 flags;
	__u64 start;
	__u64 end;
};

#define SECMMU_TEST_EVENT	_IO(SECMMU_IOC_TYPE, 0x83)

/**
 * struct secmmu_test_state - what is in flight on the mm of a mirror
 * @size: size of this structure
 * @events: events recorded one by one
 * @overflow: events beyond
 * @faults: faults recorded
 * @waiters: faults that wait for an event
 * @members: mirrors on the chain
 *
 * Called on a mirror.
 */
struct secmmu_test_state {
	__u32 size;
	__u32 events;
	__u32 overflow;
	__u32 faults;
	__u32 waiters;
	__u32 members;
};

#define SECMMU_TEST_STATE	_IO(SECMMU_IOC_TYPE, 0x84)

/**
 * struct secmmu_test_oracle - compare a mirror with the memory it mirrors
 * @size: size of this structure
 * @flags: must be zero
 * @sptes: sptes compared
 * @tlb_entries: live entries of engine TLBs compared
 * @stale: of both, those that map another page than the CPU does, or one that
 *	the CPU does not map
 * @too_wide: of both, those that permit writing where the CPU does not
 * @lost: sptes that were there at the last MARK, that no event, slot or end of
 *	the process has touched since, and that are gone
 * @unjudged: sptes that changed or had an event while they were looked at
 * @overflow: more events came since MARK than can be told apart: @lost is
 *	not known
 *
 * Called on a mirror. MARK notes what is there; CHECK fills the rest in.
 */
struct secmmu_test_oracle {
	__u32 size;
	__u32 flags;
	__u64 sptes;
	__u64 tlb_entries;
	__u64 stale;
	__u64 too_wide;
	__u64 lost;
	__u64 unjudged;
	__u64 overflow;
};

#define SECMMU_TEST_MARK	_IO(SECMMU_IOC_TYPE, 0x85)
#define SECMMU_TEST_CHECK	_IO(SECMMU_IOC_TYPE, 0x86)

#endif /* _UAPI_LINUX_SECMMU_TEST_H */
