/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a mirror: per CPU, because windows count in them.
 *
 * A writer may be preempted between two counters but never inside one. A sum taken while
 * writers run has every increment that happened before it.
 */
#ifndef SECMMU_STATS_H
#define SECMMU_STATS_H

#include <linux/percpu.h>

enum secmmu_counter {
	SECMMU_COUNT_ZAP_EVENTS,
	SECMMU_COUNT_ZAPPED,
	SECMMU_COUNT_FLUSHES,
	SECMMU_COUNT_ASSISTS,
	SECMMU_COUNT_INTERRUPTS,
	SECMMU_COUNT_FAULTS,
	SECMMU_COUNT_FAULT_PAGES,
	SECMMU_COUNT_RETRIES_EVENT,
	SECMMU_COUNT_RETRIES_SELF,
	SECMMU_COUNT_RETRIES_SLOT,
	SECMMU_COUNT_RETRIES_TABLE,
	SECMMU_COUNT_WAITS,
	SECMMU_COUNT_WAIT_NS,
	SECMMU_COUNT_READS,
	SECMMU_COUNT_WRITES,
	SECMMU_COUNT_SPLITS,
	SECMMU_COUNT_UNSPLIT,
	SECMMU_COUNT_LEFT,
	SECMMU_COUNT_DIRECT,
	SECMMU_COUNT_REFILLED,
	SECMMU_NR_COUNTERS
};

struct secmmu_counters {
	u64 n[SECMMU_NR_COUNTERS];
};

static inline void secmmu_count(struct secmmu_counters __percpu *counters,
				enum secmmu_counter which, u64 by)
{
	this_cpu_add(counters->n[which], by);
}

static inline u64 secmmu_counter_sum(struct secmmu_counters __percpu *counters,
				     enum secmmu_counter which)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(counters, cpu)->n[which]);
	return sum;
}

#endif
