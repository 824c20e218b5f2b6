// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "exitcode.h"
#include "json.h"
#include "mark.h"
#include "message.h"
#include "report.h"
#include "stamp.h"
#include "weather.h"

static const char *const fault_names[STAMP_FAULTS] = {
	[STAMP_CLEAN] = "nothing wrong",
	[STAMP_FOREIGN] = "a word that no stamp has there",
	[STAMP_CANARY] = "a word of the canary process",
	[STAMP_WRONG_PAGE] = "the stamp of another page",
	[STAMP_WRONG_OWNER] = "a stamp its owner did not write",
	[STAMP_OLD_EPOCH] = "a stamp from before a discard",
	[STAMP_NEW_EPOCH] = "a stamp of an epoch that has not begun",
	[STAMP_LOST] = "a completed write is lost",
	[STAMP_REVENANT] = "a stamp where a discard left zeroes",
	[STAMP_TORN] = "a torn stamp with nobody writing",
	[STAMP_GAP] = "an access succeeded that must not",
	[STAMP_ERROR] = "an access failed that must not fail",
	[STAMP_TABLE] = "the shared page state is corrupt",
	[STAMP_CHILD] = "a page of a child has changed, which is the child's own",
	[STAMP_UNLOGGED] = "a write is not in the dirty log",
};

/**
 * report_init - no violations yet
 * @report: set up
 */
void report_init(struct report *report)
{
	pthread_mutex_init(&report->lock, NULL);
	report->violations = 0;
}

/**
 * report_begin - the storm begins: from now on it is told how long violations took to come
 * @report: initialised
 */
void report_begin(struct report *report)
{
	report->began = clock_ns();
}

/**
 * report_violations - how many there are
 * @report: the report
 *
 * Return: violations so far.
 */
uint64_t report_violations(const struct report *report)
{
	return __atomic_load_n(&report->violations, __ATOMIC_RELAXED);
}

/* Counts a violation; true if it is to be described. Holds the lock then. */
static bool begin_violation(struct report *report, uint64_t *number)
{
	/* make replay stops here. */
	mark_here(MARK_WRONG);
	*number = __atomic_add_fetch(&report->violations, 1, __ATOMIC_RELAXED);
	if (*number == 1)
		__atomic_store_n(&report->first_us, (clock_ns() - report->began) / 1000,
				 __ATOMIC_RELAXED);
	die_status = EXIT_FAIL;
	if (*number > REPORT_DETAILS)
		return false;
	pthread_mutex_lock(&report->lock);
	return true;
}

/**
 * report_finding - count a violation and describe the first ones
 * @report: the report
 * @who: who saw it
 * @owner: owner of the page
 * @finding: the facts
 */
void report_finding(struct report *report, const char *who, uint32_t owner,
		    const struct stamp_finding *finding)
{
	/* From guest memory: not to be trusted as an index. */
	uint32_t fault = finding->fault;
	uint64_t number;

	if (!begin_violation(report, &number))
		return;
	printf("violation %" PRIu64 ": %s sees page %" PRIu32 " (owner %" PRIu32
	       "): %s; epoch %" PRIu32 ", allowed %" PRIu32 "..%" PRIu32
	       "; seq %" PRIu32 ", last complete %" PRIu32 "; word %" PRIu32
	       " = 0x%016" PRIx64 "\n",
	       number, who, finding->page, owner,
	       fault < STAMP_FAULTS ? fault_names[fault] : "unknown",
	       finding->epoch, finding->oldest, finding->newest,
	       finding->seen_seq, finding->seq, finding->word, finding->value);
	if (report->explain && number <= REPORT_EXPLAINED)
		report->explain(report->context, finding->page);
	pthread_mutex_unlock(&report->lock);
}

/**
 * report_line - count a violation that no page shows
 * @report: the report
 * @who: who saw it
 * @what: what happened
 */
void report_line(struct report *report, const char *who, const char *what)
{
	uint64_t number;

	if (!begin_violation(report, &number))
		return;
	printf("violation %" PRIu64 ": %s: %s\n", number, who, what);
	pthread_mutex_unlock(&report->lock);
}

/**
 * report_progress - the line printed once a second
 * @totals: the numbers so far
 */
void report_progress(const struct totals *totals)
{
	printf("[%3" PRIu64 "s] guest writes %" PRIu64 "  %s reads %" PRIu64
	       " writes %" PRIu64 "  events %" PRIu64 "  zapped %" PRIu64
	       " flushes %" PRIu64 " retries %" PRIu64 "  violations %" PRIu64
	       "\n",
	       totals->seconds, totals->guest_writes,
	       totals->counted ? "mirror" : "engine", totals->engine_reads,
	       totals->engine_writes, totals->events, totals->zapped,
	       totals->flushes, totals->retries, totals->violations);
	fflush(stdout);
}

/**
 * report_causes - print the causes of retries in the same line, if they are counted
 * @totals: the numbers
 */
void report_causes(const struct totals *totals)
{
	for (int cause = 0; cause < SUBJECT_CAUSES && totals->causes[cause]; cause++)
		printf("%s %s %" PRIu64, cause ? "," : "", totals->causes[cause],
		       totals->by_cause[cause]);
}

static void json_causes(const struct totals *totals, struct json *json)
{
	json_object(json, "retries_by_cause");
	for (int cause = 0; cause < SUBJECT_CAUSES && totals->causes[cause]; cause++)
		json_number(json, totals->causes[cause], totals->by_cause[cause]);
	json_end(json);
}

/**
 * report_proven - has enough happened for the absence of violations to mean something?
 * @totals: the numbers of a storm
 *
 * Return: true if so.
 */
bool report_proven(const struct totals *totals)
{
	return totals->guest_writes >= totals->need_writes &&
	       totals->events >= totals->need_events && !totals->silent &&
	       !totals->unreached && !totals->gave_up;
}

/**
 * report_exit_code - what a storm has come to
 * @totals: its numbers
 *
 * A violation is one, whatever happened after it.
 *
 * Return: the program's exit status.
 */
int report_exit_code(const struct totals *totals)
{
	if (totals->violations)
		return EXIT_FAIL;
	if (totals->signal)
		return EXIT_INTERRUPTED + totals->signal;
	return report_proven(totals) ? EXIT_PASS : EXIT_UNPROVEN;
}

static const char *verdict_word(const struct totals *totals)
{
	switch (report_exit_code(totals)) {
	case EXIT_PASS:
		return "PASS";
	case EXIT_FAIL:
		return "FAIL";
	case EXIT_UNPROVEN:
		return "UNPROVEN";
	default:
		return "INTERRUPTED";
	}
}

static void print_numbers(const struct totals *totals)
{
	printf("\nguest    %" PRIu64 " writes, %" PRIu64 " reads, %" PRIu64
	       " KVM exits (%" PRIu64 " in unmapped memory)\n",
	       totals->guest_writes, totals->guest_reads, totals->kvm_exits,
	       totals->kvm_faults);
	if (totals->exceptions)
		printf("guest    exceptions: %" PRIu64 "\n", totals->exceptions);
	printf("engines  %" PRIu64 " writes, %" PRIu64 " reads, %" PRIu64
	       " in unmapped memory; of %s\n", totals->engine_writes,
	       totals->engine_reads, totals->engine_faults,
	       totals->subject);
	printf("engines  half of the reads within %" PRIu64 " ns, 99 of 100 within %" PRIu64
	       " ns, 999 of 1000 within %" PRIu64 " ns\n", latency_within(&totals->latency, 500),
	       latency_within(&totals->latency, 990), latency_within(&totals->latency, 999));
	printf("process  %" PRIu64 " direct reads; %" PRIu64
	       " reads of host and engines were exact\n",
	       totals->direct_reads, totals->exact);
	printf("discards %" PRIu64 "; canary held %" PRIu64 " pages, %" PRIu64
	       " changed\n", totals->discards, totals->canary_pages,
	       totals->canary_changed);
	if (totals->counted)
		printf("mirror   %" PRIu64 " events, %" PRIu64 " zapped, %"
		       PRIu64 " flushes, %" PRIu64 " retries\n", totals->events,
		       totals->zapped, totals->flushes, totals->retries);
	if (totals->causes[0]) {
		printf("mirror   retries by cause:");
		report_causes(totals);
		putchar('\n');
	}
	if (totals->denied || totals->left)
		printf("engines  %" PRIu64 " accesses denied by keys, %" PRIu64
		       " moves out of a domain\n", totals->denied, totals->left);
	if (totals->refilled)
		printf("mirror   %" PRIu64 " pages came back by themselves\n", totals->refilled);
	if (!totals->counted)
		printf("mirror   counts no events; these are this program's own discards\n");
	if (totals->lost)
		printf("lost     %" PRIu64 " vCPUs, shut down by the emulator\n",
		       totals->lost);
}

/* What is missing, and what to do about it. */
static void print_unproven(const struct totals *totals)
{
	if (totals->guest_writes < totals->need_writes)
		printf("storm: unproven: %" PRIu64 " guest writes, needs %" PRIu64
		       "\n", totals->guest_writes, totals->need_writes);
	if (totals->events < totals->need_events)
		printf("storm: unproven: %" PRIu64 " events, needs %" PRIu64 "\n",
		       totals->events, totals->need_events);
	if (totals->silent)
		printf("storm: unproven: %" PRIu64 " vCPUs never said hello\n",
		       totals->silent);
	if (totals->unreached)
		printf("storm: unproven: an operation has not reached its path, see the table\n");
	if (totals->gave_up)
		printf("storm: unproven: a thread or the canary gave up, as said above\n");
	printf("storm: nothing was wrong in %" PRIu64
	       " s, but that proves too little; give it more time with --limit\n",
	       totals->seconds);
}

/**
 * report_summary - the end of a storm
 * @totals: its numbers
 *
 * Return: the program's exit status.
 */
int report_summary(const struct totals *totals)
{
	int status = report_exit_code(totals);

	print_numbers(totals);
	if (totals->violations)
		printf("storm: the first violation was seen after %" PRIu64 ".%06" PRIu64 " s\n",
		       totals->first_us / 1000000, totals->first_us % 1000000);
	weather_print(totals->weather);
	mix_print(totals->mix);
	if (status == EXIT_UNPROVEN)
		print_unproven(totals);
	else if (totals->signal)
		printf("storm: a signal (%s) ended it after %" PRIu64
		       " s; this is what was found until then, for a verdict run it to its end\n",
		       strsignal(totals->signal), totals->seconds);
	printf("storm: %s, %" PRIu64 " violations\n", verdict_word(totals),
	       totals->violations);
	fflush(stdout);
	return status;
}

/**
 * report_json - write the numbers for other programs
 * @path: the file
 * @totals: the numbers
 *
 * Return: 0, or -1 after a message.
 */
int report_json(const char *path, const struct totals *totals)
{
	const char *accel = getenv("SECMMU_ACCEL");
	struct json json;

	if (json_create(&json, path, "secmmu-run-1"))
		return -1;
	json_string(&json, "verdict", verdict_word(totals));
	json_string(&json, "subject", totals->subject);
	json_string(&json, "accel", accel ? accel : "unknown");
	json_number(&json, "cpus", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
	json_number(&json, "seconds", totals->seconds);
	json_number(&json, "seed", totals->seed);
	json_number(&json, "kvm_exits", totals->kvm_exits);
	json_number(&json, "exceptions", totals->exceptions);
	json_number(&json, "guest_writes", totals->guest_writes);
	json_number(&json, "mirror_reads", totals->engine_reads);
	json_number(&json, "mirror_writes", totals->engine_writes);
	json_number(&json, "events", totals->events);
	json_number(&json, "zapped", totals->zapped);
	json_number(&json, "flushes", totals->flushes);
	json_number(&json, "retries", totals->retries);
	json_causes(totals, &json);
	json_number(&json, "denied", totals->denied);
	json_number(&json, "left_domain", totals->left);
	json_number(&json, "refilled", totals->refilled);
	json_number(&json, "lost_vcpus", totals->lost);
	json_number(&json, "violations", totals->violations);
	if (totals->violations)
		json_number(&json, "first_violation_us", totals->first_us);
	else
		json_null(&json, "first_violation_us");
	json_object(&json, "read_latency_ns");
	json_number(&json, "p50", latency_within(&totals->latency, 500));
	json_number(&json, "p99", latency_within(&totals->latency, 990));
	json_number(&json, "p999", latency_within(&totals->latency, 999));
	json_end(&json);
	weather_json(totals->weather, &json);
	mix_json(totals->mix, &json);
	timeline_json(totals->timeline, &json);
	return json_finish(&json);
}
