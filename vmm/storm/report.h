/* SPDX-License-Identifier: GPL-2.0 */
/* What the program tells: errors, violations, progress, the summary. */
#ifndef VMM_REPORT_H
#define VMM_REPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "hypercall.h"
#include "judge/subject.h"
#include "latency.h"
#include "mix.h"
#include "timeline.h"

/* The first so many violations are described. */
#define REPORT_DETAILS		20
/* Of these, the first so many with the views of the page. */
#define REPORT_EXPLAINED	5
/* So many end a storm, unless it is told otherwise. */
#define REPORT_LIMIT		100

/* Below these a storm proves nothing, unless it is told otherwise. */
#define REPORT_MIN_WRITES	10000
#define REPORT_MIN_EVENTS	1000

/**
 * struct report - the violations so far
 * @lock: keeps the lines of two violations apart
 * @violations: their number; read by anyone
 * @began: when the storm began, in nanoseconds
 * @first_us: when the first one was seen, in microseconds since then
 * @explain: tells more about a page, with the lock held; or NULL
 * @context: argument of @explain
 */
struct report {
	pthread_mutex_t lock;
	uint64_t violations;
	uint64_t began;
	uint64_t first_us;
	void (*explain)(void *context, uint32_t page);
	void *context;
};

/**
 * struct totals - the numbers of a storm
 * @seconds: how long it ran
 * @seed: its seed
 * @subject: what was under test
 * @counted: it counts events and what comes of them
 * @kvm_exits: KVM_RUN returns
 * @kvm_faults: of these, -EFAULT
 * @exceptions: of these, exceptions in the guest
 * @guest_writes: stamps the vCPUs wrote
 * @guest_reads: pages they judged
 * @engine_reads: pages the engines read
 * @engine_writes: stamps they wrote
 * @engine_faults: accesses that met unmapped memory
 * @direct_reads: pages judged through the process's own mapping
 * @exact: reads that met no writer, so that every word was determined
 * @discards: operations of the discarders
 * @events: of the mm, as the subject counts them; else @discards
 * @zapped: sptes dropped
 * @flushes: TLB flushes
 * @retries: fault rounds repeated
 * @causes: names of causes that are counted, as in struct subject_counters
 * @by_cause: rounds repeated for that cause
 * @denied: engine accesses that keys forbade
 * @left: times an engine left its domain
 * @refilled: sptes that the subject brought back by itself
 * @canary_pages: pages the canary process has held
 * @canary_changed: of these, pages somebody else wrote to
 * @latency: of the engines' reads
 * @timeline: how it went, or NULL
 * @lost: vCPUs that the emulator has shut down
 * @silent: vCPUs that never greeted, and that nothing else is said of
 * @unreached: an operation that --mix names has not reached its path
 * @mix: the operations
 * @weather: what came before them
 * @gave_up: a thread or the canary process could not go on, for a reason that is no violation
 * @signal: the number of the signal that ended the storm early, or 0
 * @need_writes: fewer @guest_writes prove nothing
 * @need_events: nor do fewer @events
 * @violations: number of violations
 * @first_us: when the first one was seen, in microseconds since the storm began
 */
struct totals {
	uint64_t seconds;
	uint64_t seed;
	const char *subject;
	bool counted;
	uint64_t kvm_exits;
	uint64_t kvm_faults;
	uint64_t exceptions;
	uint64_t guest_writes;
	uint64_t guest_reads;
	uint64_t engine_reads;
	uint64_t engine_writes;
	uint64_t engine_faults;
	uint64_t direct_reads;
	uint64_t exact;
	uint64_t discards;
	uint64_t events;
	uint64_t zapped;
	uint64_t flushes;
	uint64_t retries;
	const char *causes[SUBJECT_CAUSES];
	uint64_t by_cause[SUBJECT_CAUSES];
	uint64_t denied;
	uint64_t left;
	uint64_t refilled;
	uint64_t canary_pages;
	uint64_t canary_changed;
	struct latency latency;
	const struct timeline *timeline;
	uint64_t lost;
	uint64_t silent;
	bool unreached;
	const struct mix *mix;
	const struct weather *weather;
	bool gave_up;
	int signal;
	uint64_t need_writes;
	uint64_t need_events;
	uint64_t violations;
	uint64_t first_us;
};

void report_init(struct report *report);
void report_begin(struct report *report);
uint64_t report_violations(const struct report *report);
void report_finding(struct report *report, const char *who, uint32_t owner,
		    const struct stamp_finding *finding);
void report_line(struct report *report, const char *who, const char *what);
void report_progress(const struct totals *totals);
void report_causes(const struct totals *totals);
bool report_proven(const struct totals *totals);
int report_exit_code(const struct totals *totals);
int report_summary(const struct totals *totals);
int report_json(const char *path, const struct totals *totals);

#endif /* VMM_REPORT_H */
