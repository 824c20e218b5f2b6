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
 * @SECMMU_GATE_FAULT_CHECKED: it has looked at its record for the last time, nothing is
 *	installed yet; under the lock of the table
 * @SECMMU_GATE_FAULT_INSTALLED: installed, the record still there
 * @SECMMU_GATE_START_ENTERED: an event is about to be recorded
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
 * @SECMMU_GATE_UPDATE_TORN: slots change, likewise; while a thread is held here, the
 *	tree of slots by host address looks empty to those who search without a lock,
 *	as a rotation may make parts of it look
 * @SECMMU_GATE_SLOT_REPLACED: a slot has gone from the lookup, not its sptes
 * @SECMMU_GATE_LEAVE: a mirror has left the chain's list, not waited yet
 * @SECMMU_GATE_RELEASE: the mm is released, nothing dropped yet
 * @SECMMU_GATE_KEY_ALLOC: a key is about to be allocated
 * @SECMMU_GATE_ATTACH: an engine is about to load an address space
 * @SECMMU_GATE_DIRECT_GOT: an access past the mirror has its page
 * @SECMMU_GATE_DIRECT_CHECKED: ... and has found its target unchanged, in a window, has
 *	moved nothing; interrupts are off
 * @SECMMU_GATE_STRANGER: the start callback of another driver, of a blockable event
 * @SECMMU_GATE_SET_TAG: the mirror has a new mode, engines do not; under the loaded
 *	lock
 * @SECMMU_GATE_REPLACE: slots are about to change, nothing has; under the configuration
 *	lock
 * @SECMMU_GATE_SLOT_FOUND: a slot was looked up; the caller has not seen the answer
 * @SECMMU_GATE_DROP: an spte is about to be exchanged for nothing; under the lock of
 *	the table
 * @SECMMU_GATE_SPLIT: a large spte was copied to a leaf table that is about to take
 *	its place; under the lock of the table
 * @SECMMU_GATE_AGE: an aging comes to a mirror, has looked at no spte
 * @SECMMU_GATE_DIRTY_LOG: the bitmap of a dirty log is emptied, no spte was looked at;
 *	under the configuration lock
 *
 * Threads wait asleep in the fault gates (but for LINKED and CHECKED), SLOT_REPLACED,
 * LEAVE, ATTACH, DIRECT_GOT, STRANGER, REPLACE and DIRTY_LOG, in START_RECORDED if the
 * event is blockable, and spin in the others.
 */
enum secmmu_gate {
	SECMMU_GATE_FAULT_LOOKED_UP,
	SECMMU_GATE_FAULT_RECORDED,
	SECMMU_GATE_FAULT_GOT,
	SECMMU_GATE_FAULT_LINKED,
	SECMMU_GATE_FAULT_CHECKED,
	SECMMU_GATE_FAULT_INSTALLED,
	SECMMU_GATE_START_ENTERED,
	SECMMU_GATE_START_RECORDED,
	SECMMU_GATE_START_WALKED,
	SECMMU_GATE_ZAPPED,
	SECMMU_GATE_FLUSH_RAISED,
	SECMMU_GATE_END,
	SECMMU_GATE_WINDOW_MARKED,
	SECMMU_GATE_WINDOW_TRANSLATED,
	SECMMU_GATE_UPDATE,
	SECMMU_GATE_UPDATE_TORN,
	SECMMU_GATE_SLOT_REPLACED,
	SECMMU_GATE_LEAVE,
	SECMMU_GATE_RELEASE,
	SECMMU_GATE_KEY_ALLOC,
	SECMMU_GATE_ATTACH,
	SECMMU_GATE_SET_TAG,
	SECMMU_GATE_DIRECT_GOT,
	SECMMU_GATE_DIRECT_CHECKED,
	SECMMU_GATE_STRANGER,
	SECMMU_GATE_REPLACE,
	SECMMU_GATE_SLOT_FOUND,
	SECMMU_GATE_DROP,
	SECMMU_GATE_SPLIT,
	SECMMU_GATE_AGE,
	SECMMU_GATE_DIRTY_LOG,
	SECMMU_NR_GATES
};

/* Gates that can be armed at the same time. */
#define SECMMU_TEST_POSTS	16

/**
 * struct secmmu_test_gate - arm a gate, wait for a thread in it, open it
 * @size: size of this structure
 * @gate: ARM: which gate
 * @post: number that ARM gives and the others take, below SECMMU_TEST_POSTS
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
/* One that may not sleep, as of the OOM killer. */
#define SECMMU_TEST_EVENT_NONBLOCK	(1U << 2)
#define SECMMU_TEST_EVENT_AGE_CLEAR	(1U << 3)
#define SECMMU_TEST_EVENT_AGE_TEST	(1U << 4)

/**
 * struct secmmu_test_event - call the callbacks of the chain
 * @size: size of this structure
 * @flags: SECMMU_TEST_EVENT_BEGIN, _END, _AGE_CLEAR, _AGE_TEST, or several; with
 *	_NONBLOCK or without
 * @start: first address; the only one that _AGE_TEST asks for
 * @end: address behind the last
 * @young: what the aging has answered: 0 or 1
 * @reserved: not looked at
 *
 * Called on a mirror, whose mm it concerns. Nothing happens to the memory. Fails as
 * the callback does, which must not.
 */
struct secmmu_test_event {
	__u32 size;
	__u32 flags;
	__u64 start;
	__u64 end;
	__u32 young;
	__u32 reserved;
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
 * @tlb_gen: the TLB generation of the mirror
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
	__u64 tlb_gen;
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
 * @unjudged: sptes that changed or had an event while they were looked at, or are not
 *	mapped by the CPU while another thread holds mmap_lock
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

/**
 * struct secmmu_test_page - who refers to a page, and is it marked dirty?
 * @size: size of this structure
 * @refs: references to the page, the CPU's mapping included
 * @dirty: the page itself says so, whatever the CPU's entry says: 0 or 1
 * @reserved: not looked at
 * @address: its address in the mirrored process; -EFAULT if no page is mapped
 *
 * Called on a mirror. Pages that the kernel has just moved between its lists have
 * more references for a while.
 */
struct secmmu_test_page {
	__u32 size;
	__u32 refs;
	__u32 dirty;
	__u32 reserved;
	__u64 address;
};

#define SECMMU_TEST_PAGE	_IO(SECMMU_IOC_TYPE, 0x87)

/* Historical users of MMU notifiers: what they do, see driver/test/history.h. */
#define SECMMU_TEST_GRU		0U
#define SECMMU_TEST_XPMEM	1U
#define SECMMU_TEST_EMM		2U
#define SECMMU_TEST_KINDS	3U

/* XPMEM flushes once for so many pages of an event, and once for the rest. */
#define SECMMU_TEST_PAST_BATCH	32U

/**
 * struct secmmu_test_subscribe - let a historical user join the chain
 * @size: size of this structure
 * @kind: SECMMU_TEST_GRU, ...
 * @start: first address of what it looks at
 * @end: address behind the last
 * @fd: its descriptor; closing it ends it
 * @reserved: not looked at
 *
 * Called on a mirror, which lives at least as long as the descriptor.
 */
struct secmmu_test_subscribe {
	__u32 size;
	__u32 kind;
	__u64 start;
	__u64 end;
	__s32 fd;
	__u32 reserved;
};

#define SECMMU_TEST_SUBSCRIBE	_IO(SECMMU_IOC_TYPE, 0x88)

#define SECMMU_TEST_PAST_FAULT	(1U << 0)
#define SECMMU_TEST_PAST_USE	(1U << 1)

/**
 * struct secmmu_test_past - make a historical user act, and look at it
 * @size: size of this structure
 * @flags: _FAULT: get a translation first, which may wait; _USE: then use it
 * @address: XPMEM: where to get it
 * @active: GRU: the events that it thinks are in flight
 * @lowest: ... and the lowest number it has ever thought so
 * @begins: begins it has seen
 * @ends: ends it has seen
 * @present: GRU, EMM: it has a translation
 * @young: EMM: ... and has used it
 * @held: XPMEM: pages it refers to; the mirror's engines are flushed before it lets go
 * @pages: XPMEM: for how many pages from @address on to get one
 *
 * Called on the descriptor of one.
 */
struct secmmu_test_past {
	__u32 size;
	__u32 flags;
	__u64 address;
	__s32 active;
	__s32 lowest;
	__u32 begins;
	__u32 ends;
	__u32 present;
	__u32 young;
	__u32 held;
	__u32 pages;
};

#define SECMMU_TEST_PAST	_IO(SECMMU_IOC_TYPE, 0x89)

/**
 * enum secmmu_test_refresh_policy - how engines that have a mirror loaded learn of
 *	another mode (SECMMU_SET_TAG_BITS)
 * @SECMMU_REFRESH_SYNC: it is written into them, as in a normal build
 * @SECMMU_REFRESH_COMPARE: each window compares
 * @SECMMU_REFRESH_GEN_BUMP: the change raises the TLB generation; a window that
 *	finds another generation looks
 */
enum secmmu_test_refresh_policy {
	SECMMU_REFRESH_SYNC,
	SECMMU_REFRESH_COMPARE,
	SECMMU_REFRESH_GEN_BUMP,
};

/**
 * struct secmmu_test_refresh - choose that policy
 * @size: size of this structure
 * @policy: one of enum secmmu_test_refresh_policy
 *
 * Called on a mirror, before its mode is changed, which is possible again afterwards
 * if it was frozen.
 */
struct secmmu_test_refresh {
	__u32 size;
	__u32 policy;
};

#define SECMMU_TEST_REFRESH	_IO(SECMMU_IOC_TYPE, 0x8b)

/**
 * enum secmmu_test_failure - what can fail on demand
 * @SECMMU_TEST_FAIL_NOTHING: nothing has
 * @SECMMU_TEST_FAIL_ALLOCATION: what asks for memory
 * @SECMMU_TEST_FAIL_COPY: a copy from or to user space
 */
enum secmmu_test_failure {
	SECMMU_TEST_FAIL_NOTHING,
	SECMMU_TEST_FAIL_ALLOCATION,
	SECMMU_TEST_FAIL_COPY,
};

/**
 * struct secmmu_test_fail - let something fail in the calling thread
 * @size: size of this structure
 * @nth: of the things that can fail in the driver's calls, the one that will, once,
 *	counted from here on; zero: end that, and tell what came of it
 * @hit: enum secmmu_test_failure, when it is ended
 * @reserved: not looked at
 *
 * Called on the device. One thread has this at a time, the last that has asked for it;
 * for others there is nothing to end: -ESRCH. These calls themselves do not fail.
 */
struct secmmu_test_fail {
	__u32 size;
	__u32 nth;
	__u32 hit;
	__u32 reserved;
};

#define SECMMU_TEST_FAIL	_IO(SECMMU_IOC_TYPE, 0x8a)

/**
 * struct secmmu_test_stranger - let a stranger subscribe to the caller's memory
 * @size: size of this structure
 * @fd: its descriptor; closing it ends it
 *
 * Called on the device. It is no mirror and on no chain; the core calls it first. Its
 * start callback passes SECMMU_GATE_STRANGER.
 */
struct secmmu_test_stranger {
	__u32 size;
	__s32 fd;
};

#define SECMMU_TEST_STRANGER	_IO(SECMMU_IOC_TYPE, 0x8c)

#endif /* _UAPI_LINUX_SECMMU_TEST_H */
