/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LITMUS_LKMM_H
#define LITMUS_LKMM_H

#include "relation.h"

/**
 * struct execution - one way in which a program could go
 * @all: its events: accesses, halves of read-modify-writes and of spin_lock(), fences
 * @reads: accesses that read; spin_lock() is one that reads and one that writes
 * @writes: accesses that write, the initial values and spin_unlock() among them
 * @acquire: reads with acquire semantics, those of spin_lock() among them
 * @release: writes with release semantics, spin_unlock() among them
 * @lock_reads: the reads of spin_lock()
 * @lock_writes: the writes of spin_lock()
 * @unlocks: spin_unlock()
 * @rmw_events: both halves of atomic operations
 * @no_return: reads of atomic operations that return nothing
 * @full: halves of atomic operations that are full barriers, and smp_mb()
 * @rmb: smp_rmb()
 * @wmb: smp_wmb()
 * @before_atomic: smp_mb__before_atomic()
 * @after_atomic: smp_mb__after_atomic()
 * @after_spinlock: smp_mb__after_spinlock()
 * @po: program order, within each thread; initial values are in no thread
 * @same_place: both access the same location
 * @same_thread: both are in the same thread
 * @rmw: from the read to the write of an atomic operation or of spin_lock()
 * @rf: from the write to what reads from it
 * @co: the order in which the writes to each location take effect
 */
struct execution {
	set_t all, reads, writes, acquire, release, lock_reads, lock_writes, unlocks;
	set_t rmw_events, no_return, full, rmb, wmb;
	set_t before_atomic, after_atomic, after_spinlock;
	struct relation po, same_place, same_thread, rmw, rf, co;
};

/**
 * lkmm_coherent() - does each location have one order that all see?
 * @x: the execution
 *
 * No value depends on itself in an execution that is coherent.
 */
bool lkmm_coherent(const struct execution *x);

/**
 * lkmm_permits() - may it go this way by the kernel's memory model?
 * @x: a coherent execution
 *
 * The rules are those of tools/memory-model in Linux 7.3 as far as they concern marked
 * accesses and spinlocks, in programs without branches and dependencies: atomicity of
 * read-modify-writes, happens-before and propagation. RCU, SRCU and plain accesses are
 * left out.
 */
bool lkmm_permits(const struct execution *x);

#endif
