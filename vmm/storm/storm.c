// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "agent.h"
#include "canary.h"
#include "exitcode.h"
#include "fixed.h"
#include "flushtable.h"
#include "report.h"
#include "storm.h"
#include "vcpu.h"
#include "watchdog.h"

#define DISCARDERS	2
#define MAX_AGENTS	(MAX_ENGINES + 1 + DISCARDERS)

#define GUEST_STOP_MS	2000
#define TURN_MS		100
#define SWEEP_PAGES	32768

/**
 * struct storm - everything a storm consists of
 * @options: what was asked for
 * @report: violations
 * @memory: guest memory
 * @vm: the machine
 * @vcpus: its vCPUs
 * @fixed: what the guest must not have changed
 * @lost: vCPUs that the emulator has shut down
 * @silent: vCPUs that were taken out before the guest greeted on them
 * @mirror: the mirror, unless there is none
 * @views: its tags, domains and keys
 * @oracle: the judge
 * @canary: the canary process
 * @agents: engines, then the inspector, then discarders
 * @nr_agents: how many
 * @stop: agents finish when this is true
 * @guest_work: what the guest has done until @stop; for the watchdog
 * @steps: taken on the way to the end; for the watchdog
 */
struct storm {
	const struct storm_options *options;
	struct report report;
	struct memory memory;
	struct vm vm;
	struct vcpu vcpus[MAX_VCPUS];
	struct fixed fixed;
	uint64_t lost;
	uint64_t silent;
	struct mirror mirror;
	struct views views;
	struct oracle oracle;
	struct canary canary;
	struct agent agents[MAX_AGENTS];
	uint32_t nr_agents;
	bool stop;
	uint64_t guest_work;
	uint64_t steps;
};

static void on_violation(void *context, unsigned int index)
{
	struct storm *storm = context;
	struct stamp_finding finding =
		storm->oracle.mailbox->vcpus[index].finding;
	char who[16];

	snprintf(who, sizeof(who), "vCPU %u", index);
	report_finding(&storm->report, who,
		       oracle_owner(&storm->oracle, finding.page), &finding);
}

/* No guest has a reason for an exception: a violation, even if it goes on. */
static void on_trouble(void *context, unsigned int index, const char *what)
{
	struct storm *storm = context;

	(void)index;
	report_line(&storm->report, "guest", what);
}

/*
 * A triple fault, though the guest handles every exception: where it finds neither
 * handler nor stack nor page tables. QEMU's emulation of nested virtualization does
 * that now and then, with or without the driver; elsewhere it is not known to happen.
 * The storm can do without the vCPU, unless it is the guest's memory that was broken.
 */
static void on_shut_down(void *context, unsigned int index)
{
	const char *accel = getenv("SECMMU_ACCEL");
	bool emulated = accel && !strcmp(accel, "tcg");
	struct storm *storm = context;
	bool intact = fixed_intact(&storm->fixed);
	char what[96];

	snprintf(what, sizeof(what),
		 "vCPU %u: triple fault; code, descriptors and page tables are %s",
		 index, intact ? "intact" : "damaged");
	if (!emulated || !intact) {
		report_line(&storm->report, "guest", what);
		return;
	}
	printf("lost to the emulator: %s\n", what);
	__atomic_add_fetch(&storm->lost, 1, __ATOMIC_RELAXED);
}

static const struct vcpu_ops vcpu_ops = {
	.violation = on_violation,
	.exception = on_trouble,
	.crashed = on_trouble,
	.shut_down = on_shut_down,
};

static int add_agent(struct storm *storm, const char *name, uint32_t number,
		     uint32_t participant)
{
	struct agent *agent = &storm->agents[storm->nr_agents];

	*agent = (struct agent) {
		.oracle = &storm->oracle,
		.stop = &storm->stop,
		.seed = storm->options->seed,
		.participant = participant,
	};
	snprintf(agent->name, sizeof(agent->name), "%s %" PRIu32, name, number);
	if (storm->options->mirrored ?
	    view_create(&agent->view, &storm->views, &agent->engine, &storm->mirror) :
	    engine_create_unmirrored(&agent->engine, &storm->memory))
		return -1;
	if (storm->options->mirrored)
		agent->mirror = &storm->mirror;
	storm->nr_agents++;
	return 0;
}

static int create_agents(struct storm *storm)
{
	uint32_t engines = storm->options->engines;
	uint32_t participant = storm->options->vcpus;

	for (uint32_t i = 0; i < engines; i++)
		if (add_agent(storm, "engine", i, participant++))
			return -1;
	if (add_agent(storm, "inspector", 0, participant++))
		return -1;
	for (uint32_t i = 0; i < DISCARDERS; i++)
		if (add_agent(storm, "discarder", i, participant++))
			return -1;
	return 0;
}

static int create_vcpus(struct storm *storm)
{
	if (vm_create(&storm->vm, &storm->memory) ||
	    vm_load_image(&storm->vm))
		return -1;
	for (uint32_t i = 0; i < storm->options->vcpus; i++)
		if (vcpu_create(&storm->vcpus[i], &storm->vm, i, &vcpu_ops,
				storm))
			return -1;
	return fixed_take(&storm->fixed, &storm->memory);
}

static int storm_create(struct storm *storm)
{
	const struct storm_options *options = storm->options;

	/* Before there is anything to inherit. */
	if (canary_start(&storm->canary))
		return -1;
	if (options->mirrored && mirror_open(&storm->mirror))
		return -1;
	if (memory_create(&storm->memory, options->memory, options->backing))
		return -1;
	if (oracle_init(&storm->oracle, &storm->memory,
			options->vcpus + options->engines, options->seed,
			&storm->report))
		return -1;
	storm->oracle.mailbox->mistake = options->mistake;
	storm->views.tags = options->tags;
	storm->views.domains = options->domains;
	storm->views.keys = options->keys;
	if (create_vcpus(storm))
		return -1;
	if (options->mirrored &&
	    (mirror_create(&storm->mirror, SECMMU_FLUSH_RANGE, 0) ||
	     views_create(&storm->views, &storm->mirror) ||
	     views_add_memory(&storm->views, &storm->mirror, &storm->memory)))
		return -1;
	if (create_agents(storm))
		return -1;
	if (!options->mirrored)
		return 0;
	return mirror_check_slots(&storm->agents[0].engine, &storm->memory);
}

/* Something on the way to the end is over: the next may take as long. */
static void take_step(struct storm *storm)
{
	__atomic_add_fetch(&storm->steps, 1, __ATOMIC_RELAXED);
}

static void storm_destroy(struct storm *storm)
{
	for (uint32_t i = 0; i < storm->nr_agents; i++) {
		engine_close(&storm->agents[i].engine);
		take_step(storm);
	}
	for (uint32_t i = 0; i < MAX_VCPUS; i++)
		vcpu_destroy(&storm->vcpus[i]);
	take_step(storm);
	vm_destroy(&storm->vm);
	take_step(storm);
	mirror_close(&storm->mirror);
	take_step(storm);
	oracle_destroy(&storm->oracle);
	fixed_free(&storm->fixed);
	memory_destroy(&storm->memory);
	canary_stop(&storm->canary);
}

static int storm_start(struct storm *storm)
{
	uint32_t inspector = storm->options->engines;

	for (uint32_t i = 0; i < storm->options->vcpus; i++)
		if (vcpu_start(&storm->vcpus[i]))
			return -1;
	for (uint32_t i = 0; i < storm->nr_agents; i++)
		if (agent_start(&storm->agents[i], i < inspector ?
				agent_engine : i == inspector ?
				agent_inspector : agent_discarder))
			return -1;
	return 0;
}

/* It has not greeted yet, and nothing else was said of it. */
static bool is_silent(const struct vcpu *vcpu)
{
	return vcpu->started && !vcpu_greeted(vcpu) && !vcpu_finished(vcpu);
}

/* The guest stops by itself; a vCPU that does not is taken out. */
static void stop_guest(struct storm *storm)
{
	uint32_t vcpus = storm->options->vcpus;

	__atomic_store_n(&storm->oracle.mailbox->stop, 1, __ATOMIC_RELEASE);
	for (int ms = 0; ms < GUEST_STOP_MS; ms += 10) {
		uint32_t finished = 0;

		for (uint32_t i = 0; i < vcpus; i++)
			finished += vcpu_finished(&storm->vcpus[i]);
		if (finished == vcpus)
			break;
		usleep(10000);
	}
	for (uint32_t i = 0; i < vcpus; i++) {
		storm->silent += is_silent(&storm->vcpus[i]);
		vcpu_stop(&storm->vcpus[i]);
		take_step(storm);
	}
}

/*
 * Discarders wait for owners, so the guest goes on until they have gone: a vCPU
 * taken out within a write would be waited for in vain.
 */
static void storm_stop(struct storm *storm)
{
	__atomic_store_n(&storm->stop, true, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < storm->nr_agents; i++) {
		agent_join(&storm->agents[i]);
		take_step(storm);
	}
	stop_guest(storm);
}

/* Everybody is still: every page must be exactly what was last written. */
static void sweep(struct storm *storm)
{
	struct agent *inspector = &storm->agents[storm->options->engines];
	uint32_t step = 1 + storm->memory.pages / SWEEP_PAGES;

	/* Large memories by samples: this shall not take longer than the storm. */
	for (uint32_t page = 0; page < storm->memory.pages; page += step) {
		agent_read_page(inspector, page);
		agent_inspect_page(inspector, page);
		if (report_violations(&storm->report) >= REPORT_LIMIT)
			break;
	}
}

static uint64_t peek(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static int collect(struct storm *storm, struct totals *totals)
{
	const struct mailbox *mailbox = storm->oracle.mailbox;
	struct secmmu_stats stats;

	*totals = (struct totals) {
		.seconds = totals->seconds,
		.seed = storm->options->seed,
		.mirrored = storm->options->mirrored,
		.exact = peek(&storm->oracle.exact),
		.silent = storm->silent,
		.need_writes = storm->options->writes,
		.need_events = storm->options->events,
	};
	for (uint32_t i = 0; i < storm->options->vcpus; i++) {
		totals->guest_writes += peek(&mailbox->vcpus[i].writes);
		totals->guest_reads += peek(&mailbox->vcpus[i].reads);
		totals->kvm_exits += peek(&storm->vcpus[i].exits);
		totals->kvm_faults += peek(&storm->vcpus[i].faults);
		totals->exceptions += peek(&storm->vcpus[i].exceptions);
		totals->silent += is_silent(&storm->vcpus[i]);
	}
	for (uint32_t i = 0; i < storm->nr_agents; i++) {
		const struct agent *agent = &storm->agents[i];

		totals->engine_reads += peek(&agent->reads);
		totals->direct_reads += peek(&agent->inspected);
		totals->engine_writes += peek(&agent->writes);
		totals->engine_faults += peek(&agent->faults);
		totals->denied += peek(&agent->denied);
		totals->discards += peek(&agent->operations);
		totals->gave_up |= __atomic_load_n(&agent->failed, __ATOMIC_ACQUIRE);
	}
	totals->canary_pages = canary_report(&storm->canary, &storm->report);
	totals->canary_changed = storm->canary.reported;
	totals->lost = __atomic_load_n(&storm->lost, __ATOMIC_RELAXED);
	totals->violations = report_violations(&storm->report);
	totals->events = totals->discards;
	if (!storm->options->mirrored)
		return 0;
	if (mirror_stats(&storm->mirror, &stats))
		return -1;
	totals->events = stats.events;
	totals->zapped = stats.zapped;
	totals->flushes = stats.flushes;
	totals->retries = stats.retries;
	totals->left = stats.left;
	return 0;
}

static bool storm_over(const struct storm *storm)
{
	uint32_t finished = 0;

	if (watchdog_interrupted() || report_violations(&storm->report) >= REPORT_LIMIT)
		return true;
	for (uint32_t i = 0; i < storm->options->vcpus; i++)
		finished += vcpu_finished(&storm->vcpus[i]);
	if (finished == storm->options->vcpus)
		return true;
	for (uint32_t i = 0; i < storm->nr_agents; i++)
		if (__atomic_load_n(&storm->agents[i].failed, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Its time is up, if it has proved enough; later it is in any case. */
static bool time_is_up(const struct storm *storm, const struct totals *totals,
		       uint64_t ms)
{
	const struct storm_options *options = storm->options;

	if (ms < options->seconds * 1000ull)
		return false;
	return report_proven(totals) || ms >= options->limit * 1000ull;
}

static void note_guest_work(struct storm *storm)
{
	const struct mailbox *mailbox = storm->oracle.mailbox;
	uint64_t work = 0;

	for (uint32_t i = 0; i < storm->options->vcpus; i++)
		work += peek(&mailbox->vcpus[i].writes) +
			peek(&mailbox->vcpus[i].reads);
	__atomic_store_n(&storm->guest_work, work, __ATOMIC_RELAXED);
}

/* The main thread: moves the window, prints, and watches. */
static int watch(struct storm *storm, struct totals *totals)
{
	const struct storm_options *options = storm->options;
	struct prng prng;
	uint64_t start, ms = 0;

	prng_init(&prng, options->seed, MAX_PARTICIPANTS);
	start = now_ms();
	while (!time_is_up(storm, totals, ms) && !storm_over(storm)) {
		usleep(TURN_MS * 1000);
		oracle_set_hot(&storm->oracle,
			       prng_below(&prng, storm->memory.pages));
		note_guest_work(storm);
		ms = now_ms() - start;
		if (ms / 1000 == totals->seconds)
			continue;
		totals->seconds = ms / 1000;
		if (collect(storm, totals))
			return -1;
		report_progress(totals);
	}
	return 0;
}

/* All is at rest: a test build of the driver says what it thinks of the mirror. */
static int judge(struct storm *storm)
{
	struct secmmu_test_oracle result;
	int ret;

	if (!storm->options->mirrored)
		return 0;
	ret = mirror_judge(&storm->mirror, &result);
	if (ret)
		return ret < 0 ? -1 : 0;
	printf("oracle   %llu sptes and %llu TLB entries compared, %llu in motion\n",
	       result.sptes, result.tlb_entries, result.unjudged);
	if (result.stale)
		report_line(&storm->report, "oracle", "stale translations");
	if (result.too_wide)
		report_line(&storm->report, "oracle",
			    "translations that permit too much");
	return 0;
}

static int storm_measure(struct storm *storm, struct totals *totals)
{
	int ret;

	watchdog_hold_signals(true);
	ret = storm_start(storm);
	watchdog_hold_signals(false);
	if (!ret)
		ret = watch(storm, totals);
	storm_stop(storm);
	if (ret)
		return ret;
	sweep(storm);
	canary_stop(&storm->canary);
	take_step(storm);
	if (judge(storm))
		return -1;
	take_step(storm);
	return collect(storm, totals);
}

/*
 * The guest goes on until the agents have ended. From then on it does not count, or it
 * would hide one that does not end.
 */
static uint64_t storm_progress(void *context)
{
	const struct storm *storm = context;
	uint64_t sum = peek(&storm->steps) + peek(&storm->guest_work);

	for (uint32_t i = 0; i < storm->nr_agents; i++) {
		const struct agent *agent = &storm->agents[i];

		sum += peek(&agent->reads) + peek(&agent->inspected) +
		       peek(&agent->writes) + peek(&agent->faults) +
		       peek(&agent->operations) + peek(&agent->denied);
	}
	return sum;
}

static uint64_t storm_violations(void *context)
{
	const struct storm *storm = context;

	return report_violations(&storm->report);
}

static int start_watchdog(struct storm *storm)
{
	const struct watchdog watchdog = {
		.title = "storm",
		.patience = storm->options->stuck_after,
		.progress = storm_progress,
		.violations = storm_violations,
		.context = storm,
	};

	return watchdog_start(&watchdog);
}

/* Tells how it went, and returns the exit status. */
static int conclude(const struct storm_options *options, struct totals *totals,
		    const char *table)
{
	bool unwritten;
	int status;

	totals->signal = watchdog_interrupted();
	unwritten = options->json && report_json(options->json, totals, table);
	status = report_summary(totals);
	return unwritten && status == EXIT_PASS ? EXIT_CANNOT : status;
}

static void print_options(const struct storm_options *options)
{
	printf("storm: seed %" PRIu64 ", %" PRIu64 " MiB %s, %" PRIu32
	       " vCPUs, %" PRIu32 " engines, %" PRIu32 " s, %s%s%s%s\n",
	       options->seed, options->memory >> 20,
	       options->backing == MEMORY_MEMFD ? "memfd" : "anon",
	       options->vcpus, options->engines, options->seconds,
	       options->mirrored ? "mirrored" : "no mirror",
	       options->tags ? ", tags" : "", options->domains ? ", domains" : "",
	       options->keys ? ", keys" : "");
}

/**
 * storm_run - run a storm and tell how it went
 * @options: what storm to run
 *
 * Return: the program's exit status, enum exit_code.
 */
int storm_run(const struct storm_options *options)
{
	struct storm *storm = calloc(1, sizeof(*storm));
	struct totals totals = { 0 };
	int status = EXIT_CANNOT, ret = -1;
	char *table = NULL;

	if (!storm) {
		report_error("out of memory");
		return status;
	}
	if (options->json && report_writable(options->json))
		goto free;
	if (options->flush_table) {
		table = flushtable_read(options->flush_table);
		if (!table)
			goto free;
	}
	/* No thread may map memory for itself: it could land in a gap. */
	mallopt(M_ARENA_MAX, 1);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	storm->options = options;
	storm->vm.kvm = -1;
	storm->vm.fd = -1;
	storm->mirror.fd = -1;
	storm->mirror.device = -1;
	report_init(&storm->report);
	if (!storm_create(storm)) {
		print_options(options);
		ret = start_watchdog(storm);
		if (!ret)
			ret = storm_measure(storm, &totals);
	}
	storm_destroy(storm);
	watchdog_stop();
	if (!ret)
		status = conclude(options, &totals, table ? table : "[]");
	else if (report_violations(&storm->report))
		status = EXIT_FAIL;
free:
	free(table);
	free(storm);
	return status;
}
