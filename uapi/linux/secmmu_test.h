/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Calls of test builds (SECMMU_FEATURE_TEST). They are no interface: they change as the
 * tests do. Other builds answer -ENOTTY. Callers need CAP_SYS_ADMIN (-EPERM otherwise).
 * Structures start with their size, which must be exact (-EINVAL otherwise).
 */
#ifndef _UAPI_LINUX_SECMMU_TEST_H
#define _UAPI_LINUX_SECMMU_TEST_H

#include <linux/secmmu.h>

/**
 * enum secmmu_gate - places in the driver where a thread can be held
 * @SECMMU_GATE_FAULT_LOOKED_UP: a fault knows its target, and is not recorded yet
 * @SECMMU_GATE_FAULT_RECORDED: a fault is recorded, and has not asked for the page
 * @SECMMU_GATE_FAULT_GOT: a fault has the page, and holds no lock
 * @SECMMU_GATE_FAULT_LINKED: a fault has linked the table, and has not locked it
 * @SECMMU_GATE_FAULT_CHECKED: a fault has looked at its record for the last time, and has
 *	installed nothing; under the lock of the table
 * @SECMMU_GATE_FAULT_INSTALLED: a fault has installed its sptes, and is still recorded
 * @SECMMU_GATE_START_ENTERED: an event is about to be recorded
 * @SECMMU_GATE_START_RECORDED: an event is recorded, and not delivered yet
 * @SECMMU_GATE_START_WALKED: a walk has finished a round over the members, and has not
 *	checked whether the round is valid
 * @SECMMU_GATE_ZAPPED: an invalidation has dropped sptes, and has not flushed
 * @SECMMU_GATE_FLUSH_RAISED: a flush has raised the TLB generation, and has not read the
 *	mask
 * @SECMMU_GATE_END: an event is about to end
 * @SECMMU_GATE_WINDOW_MARKED: a window has set its CPU in the mask, and has not read
 *	the generation; interrupts are off
 * @SECMMU_GATE_WINDOW_TRANSLATED: a window has its translation, and has moved nothing;
 *	interrupts are off
 * @SECMMU_GATE_UPDATE_TORN: a change of slots is between the two stores of the seqcount;
 *	under the registry lock. While a thread is held here, the tree of slots by host
 *	address looks empty to searches without a lock, as a rotation may make parts of it
 *	look
 * @SECMMU_GATE_SLOT_REPLACED: the lookup no longer finds a slot; its sptes are still there
 * @SECMMU_GATE_LEAVE: a mirror has left the chain's list, and has not waited yet
 * @SECMMU_GATE_RELEASE: the mm is released; nothing has been dropped yet
 * @SECMMU_GATE_KEY_ALLOC: a key is about to be allocated
 * @SECMMU_GATE_ATTACH: an engine is about to load an address space
 * @SECMMU_GATE_DIRECT_GOT: an access past the mirror has its page
 * @SECMMU_GATE_DIRECT_CHECKED: an access past the mirror has found its target unchanged, in
 *	a window, and has moved nothing; interrupts are off
 * @SECMMU_GATE_STRANGER: the start callback of another driver, of a blockable event
 * @SECMMU_GATE_SET_TAG: the mirror has a new mode, and engines have the old one; under the
 *	loaded lock
 * @SECMMU_GATE_REPLACE: slots are about to change; under the configuration lock
 * @SECMMU_GATE_SLOT_FOUND: a lookup has found a slot, and has not returned it
 * @SECMMU_GATE_DROP: an spte is about to be dropped; under the lock of the table
 * @SECMMU_GATE_SPLIT: the entries of a large spte stand in a leaf table that is about to
 *	take its place; under the lock of the table
 * @SECMMU_GATE_AGE: aging has come to a mirror, and has looked at no spte
 * @SECMMU_GATE_DIRTY_LOG: the call has looked at the sptes, and has not emptied the
 *	bitmap of the dirty log; under the configuration lock
 * @SECMMU_NR_GATES: how many there are
 *
 * A held thread sleeps in the fault gates (except LINKED and CHECKED), SLOT_REPLACED,
 * LEAVE, ATTACH, DIRECT_GOT, STRANGER, REPLACE and DIRTY_LOG, and in START_RECORDED if the
 * event is blockable. It spins in all others.
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
 * @post: number that ARM returns and WAIT and OPEN take, below SECMMU_TEST_POSTS
 * @tid: ARM: the thread to hold, or zero for any; WAIT: the thread held
 * @address: ARM: an address in the page that the thread must be about, in the host
 *	(events, faults) or in the guest (windows), or zero for any; gates without an
 *	address ignore it
 * @skip: ARM: number of matching threads to let pass first
 * @timeout_ms: ARM: time until the gate opens by itself, 1 .. 3600000; WAIT: time until
 *	the call gives up (-ETIMEDOUT)
 *
 * Called on the device. A post holds one thread, once. OPEN lets it go, waits until
 * it has gone, and frees the post. -ETIME from OPEN: the gate has opened by itself, and
 * the test proves nothing. -ENOSPC from ARM: all posts are in use.
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
/* A non-blockable event, like those of the OOM killer. */
#define SECMMU_TEST_EVENT_NONBLOCK	(1U << 2)
#define SECMMU_TEST_EVENT_AGE_CLEAR	(1U << 3)
#define SECMMU_TEST_EVENT_AGE_TEST	(1U << 4)

/**
 * struct secmmu_test_event - call the callbacks of the chain
 * @size: size of this structure
 * @flags: any of SECMMU_TEST_EVENT_BEGIN, _END, _AGE_CLEAR and _AGE_TEST; with or
 *	without _NONBLOCK
 * @start: first address; _AGE_TEST asks for this one only
 * @end: address behind the last
 * @young: the answer of the aging: 0 or 1
 * @reserved: ignored
 *
 * Called on a mirror; calls the callbacks for its mm. Nothing happens to the memory. An
 * error is that of the start callback, which must not return one.
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
 * @overflow: events beyond the preallocated records
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
 * @stale: number of both that map a page that the CPU does not map there
 * @too_wide: number of both that permit writing where the CPU does not
 * @lost: sptes that were there at the last MARK and are gone, although no event, no
 *	change of slots and no end of the process has touched them
 * @unjudged: number of both that changed or had an event while the oracle looked, or that
 *	the CPU does not map while another thread holds mmap_lock
 * @overflow: not zero if more events came since MARK than the oracle can remember; @lost
 *	is then unknown
 *
 * Called on a mirror. MARK notes which sptes are there; CHECK fills in all fields.
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
 * struct secmmu_test_page - count the references to a page, and see whether it is dirty
 * @size: size of this structure
 * @refs: references to the page, the CPU's mapping included
 * @dirty: the page itself is marked dirty, whatever the CPU's entry says: 0 or 1
 * @reserved: ignored
 * @address: its address in the mirrored process; -EFAULT if no page is mapped there
 *
 * Called on a mirror. The kernel holds more references for a while after it has moved a
 * page between its lists.
 */
struct secmmu_test_page {
	__u32 size;
	__u32 refs;
	__u32 dirty;
	__u32 reserved;
	__u64 address;
};

#define SECMMU_TEST_PAGE	_IO(SECMMU_IOC_TYPE, 0x87)

/* Historical users of MMU notifiers; driver/test/history.h says what they do. */
#define SECMMU_TEST_GRU		0U
#define SECMMU_TEST_XPMEM	1U
#define SECMMU_TEST_EMM		2U
#define SECMMU_TEST_KINDS	3U

/* Pages of an event for which XPMEM flushes once; once more for the rest. */
#define SECMMU_TEST_PAST_BATCH	32U

/**
 * struct secmmu_test_subscribe - let a historical user join the chain
 * @size: size of this structure
 * @kind: SECMMU_TEST_GRU, ...
 * @start: first address of the range that it looks at
 * @end: address behind the last
 * @fd: returns its descriptor; closing the descriptor ends the subscription
 * @reserved: ignored
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
 * struct secmmu_test_past - make a historical user act, and return its state
 * @size: size of this structure
 * @flags: _FAULT: get a translation first, which may wait; _USE: then use it
 * @address: XPMEM: the address to translate
 * @active: GRU: number of events that it takes to be in flight
 * @lowest: GRU: the lowest value that @active ever had
 * @begins: begins it has seen
 * @ends: ends it has seen
 * @present: GRU, EMM: it has a translation
 * @young: EMM: it has used its translation
 * @held: XPMEM: pages it refers to; it flushes the mirror's engines before it drops them
 * @pages: XPMEM: number of pages to get from @address on
 *
 * Called on the descriptor of a historical user.
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
 * enum secmmu_test_refresh_policy - how a change of the mode (SECMMU_SET_TAG_BITS) reaches
 *	the engines that have the mirror loaded
 * @SECMMU_REFRESH_SYNC: the change writes the mode into them, as in a normal build
 * @SECMMU_REFRESH_COMPARE: each window copies the mirror's mode
 * @SECMMU_REFRESH_GEN_BUMP: the change raises the TLB generation; a window that
 *	finds a new generation copies the mirror's mode
 */
enum secmmu_test_refresh_policy {
	SECMMU_REFRESH_SYNC,
	SECMMU_REFRESH_COMPARE,
	SECMMU_REFRESH_GEN_BUMP,
};

/**
 * struct secmmu_test_refresh - choose the policy for changes of the mode
 * @size: size of this structure
 * @policy: one of enum secmmu_test_refresh_policy
 *
 * Called on a mirror. The mode can change again afterwards, even if it was frozen.
 */
struct secmmu_test_refresh {
	__u32 size;
	__u32 policy;
};

#define SECMMU_TEST_REFRESH	_IO(SECMMU_IOC_TYPE, 0x8b)

/**
 * enum secmmu_test_failure - what has failed on demand
 * @SECMMU_TEST_FAIL_NOTHING: nothing
 * @SECMMU_TEST_FAIL_ALLOCATION: a request for memory
 * @SECMMU_TEST_FAIL_COPY: a copy from or to user space
 */
enum secmmu_test_failure {
	SECMMU_TEST_FAIL_NOTHING,
	SECMMU_TEST_FAIL_ALLOCATION,
	SECMMU_TEST_FAIL_COPY,
};

/**
 * struct secmmu_test_fail - make one request in the calling thread fail
 * @size: size of this structure
 * @nth: the @nth request from now on that can fail in a call of the driver will fail,
 *	once; zero: stop, and return the result in @hit
 * @hit: enum secmmu_test_failure, what has failed
 * @reserved: ignored
 *
 * Called on the device. This works for one thread at a time, the last that has called it;
 * another thread has nothing to stop (-ESRCH). The calls of this header never fail by it.
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
 * @fd: returns its descriptor; closing the descriptor ends the subscription
 *
 * Called on the device. The stranger is no mirror and on no chain; the core calls it before
 * the chain. Its start callback passes SECMMU_GATE_STRANGER.
 */
struct secmmu_test_stranger {
	__u32 size;
	__s32 fd;
};

#define SECMMU_TEST_STRANGER	_IO(SECMMU_IOC_TYPE, 0x8c)

#endif /* _UAPI_LINUX_SECMMU_TEST_H */
