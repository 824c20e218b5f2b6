// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "exitcode.h"
#include "inside.h"
#include "interrupt.h"
#include "json.h"
#include "message.h"
#include "operation.h"
#include "parts.h"
#include "watchdog.h"

#define GUEST_STOP_MS	2000
#define TURN_MS		100
#define SWEEP_PAGES	32768

static void on_violation(void *context, unsigned int index)
{
	struct storm *storm = context;
	struct stamp_finding finding =
		storm->judge.mailbox->vcpus[index].finding;
	char who[16];

	snprintf(who, sizeof(who), "vCPU %u", index);
	report_finding(&storm->report, who,
		       judge_owner(&storm->judge, finding.page), &finding);
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
	struct storm *storm = context;
	bool intact = fixed_intact(&storm->fixed);
	char what[96];

	/* It has stopped within a write, perhaps, and nobody shall wait for that. */
	__atomic_store_n(&storm->judge.mailbox->participants[index].busy, 0, __ATOMIC_RELEASE);
	snprintf(what, sizeof(what),
		 "vCPU %u: triple fault; code, descriptors and page tables are %s",
		 index, intact ? "intact" : "damaged");
	if (!is_emulated() || !intact) {
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

static void add_agent(struct storm *storm, const char *name, uint32_t number,
		      uint32_t participant)
{
	struct agent *agent = &storm->agents[storm->nr_agents];

	*agent = (struct agent) {
		.judge = &storm->judge,
		.mix = &storm->mix,
		.weather = &storm->weather,
		.history = &storm->views.history,
		.vm = &storm->vm,
		.stop = &storm->stop,
		.seed = storm->options->seed,
		.participant = participant,
	};
	snprintf(agent->name, sizeof(agent->name), "%s %" PRIu32, name, number);
	engine_open(&agent->engine, &storm->instances[number % storm->options->mirrors]);
	storm->nr_agents++;
}

static void direct_discarder(struct storm *storm, struct agent *agent, uint32_t number)
{
	agent->scratch = memory_scratch(&storm->memory, number);
	if (storm->options->script) {
		agent->script = &storm->script;
		agent->part = &storm->script.parts[number];
	}
	if (storm->options->record) {
		agent->written = &storm->written.parts[number];
		script_reserve(agent->written);
	}
}

/* Any of them may have a part in a script. */
static uint32_t discarders_wanted(const struct storm_options *options)
{
	return options->script ? SCRIPT_THREADS : options->discarders;
}

static void create_agents(struct storm *storm)
{
	uint32_t engines = storm->options->engines;
	uint32_t participant = storm->options->vcpus;

	for (uint32_t i = 0; i < engines; i++)
		add_agent(storm, "engine", i, participant++);
	add_agent(storm, "inspector", 0, participant++);
	for (uint32_t i = 0; i < discarders_wanted(storm->options); i++) {
		add_agent(storm, "discarder", i, participant++);
		direct_discarder(storm, &storm->agents[storm->nr_agents - 1], i);
	}
}

static void create_vcpus(struct storm *storm)
{
	vm_create(&storm->vm, &storm->memory);
	for (uint32_t i = 0; i < storm->options->vcpus; i++)
		vcpu_create(&storm->vcpus[i], &storm->vm, i, &vcpu_ops, storm);
	fixed_take(&storm->fixed, &storm->memory);
}

/* What engines vary is said before there are slots. */
static void show_memory(const struct storm_options *options, struct instance *instance)
{
	if (options->refill)
		instance_vary(instance, "refill");
	if (options->array)
		instance_vary(instance, "array");
	if (options->tags)
		instance_vary(instance, "tags");
	if (options->domains)
		instance_vary(instance, "domains");
	if (options->keys)
		instance_vary(instance, "keys");
	instance_show(instance);
}

static void create_instances(struct storm *storm)
{
	instance_probe(storm->options->subject);
	for (uint32_t i = 0; i < storm->options->mirrors; i++)
		instance_create(&storm->instances[i], storm->options->subject, &storm->memory);
}

/* From now on a violation is told with what all views have. */
static void watch_views(struct storm *storm)
{
	struct views *views = &storm->views;

	history_start(&views->history);
	views->judge = &storm->judge;
	for (; views->nr_engines < storm->options->mirrors; views->nr_engines++)
		engine_open(&views->engines[views->nr_engines],
			    &storm->instances[views->nr_engines]);
	storm->report.explain = views_print;
	storm->report.context = views;
}

static void storm_create(struct storm *storm)
{
	const struct storm_options *options = storm->options;

	/* Before there is anything to inherit. */
	canary_start(&storm->canary);
	storm->mix = options->mix;
	if (options->script) {
		script_read(&storm->script, options->script);
		mix_of_script(&storm->mix, &storm->script);
	}
	memory_create(&storm->memory, options->memory, options->backing, options->file);
	create_instances(storm);
	script_check(&storm->script, &storm->memory);
	mix_prepare(&storm->mix, &storm->instances[0]);
	judge_init(&storm->judge, &storm->memory, options->vcpus + options->engines,
		   options->seed, options->hot, &storm->report);
	storm->judge.aim = options->aim;
	weather_init(&storm->weather, &storm->judge, &storm->mix, options->swarm, options->seed);
	storm->judge.vcpus = options->vcpus;
	storm->judge.mailbox->mistake = options->mistake;
	create_vcpus(storm);
	for (uint32_t i = 0; i < options->mirrors; i++)
		show_memory(options, &storm->instances[i]);
	create_agents(storm);
	watch_views(storm);
	instance_check_slots(&storm->instances[0], &storm->agents[0].engine);
}

/* Something on the way to the end is over: the next may take as long. */
static void take_step(struct storm *storm)
{
	__atomic_add_fetch(&storm->steps, 1, __ATOMIC_RELAXED);
}

static void storm_destroy(struct storm *storm)
{
	storm->report.explain = NULL;
	while (storm->views.nr_engines)
		engine_close(&storm->views.engines[--storm->views.nr_engines]);
	for (uint32_t i = 0; i < storm->nr_agents; i++) {
		engine_close(&storm->agents[i].engine);
		take_step(storm);
	}
	for (uint32_t i = 0; i < storm->options->vcpus; i++)
		vcpu_destroy(&storm->vcpus[i]);
	take_step(storm);
	vm_destroy(&storm->vm);
	take_step(storm);
	for (uint32_t i = 0; i < storm->options->mirrors; i++) {
		instance_destroy(&storm->instances[i]);
		take_step(storm);
	}
	judge_destroy(&storm->judge);
	fixed_free(&storm->fixed);
	memory_destroy(&storm->memory);
	canary_stop(&storm->canary);
	script_free(&storm->script);
	script_free(&storm->written);
}

static void storm_start(struct storm *storm)
{
	uint32_t inspector = storm->options->engines;

	for (uint32_t i = 0; i < storm->options->vcpus; i++)
		vcpu_start(&storm->vcpus[i]);
	for (uint32_t i = 0; i < storm->nr_agents; i++)
		agent_start(&storm->agents[i], i < inspector ? agent_engine :
			    i == inspector ? agent_inspector : agent_discarder);
}

/* The guest stops by itself; a vCPU that does not is taken out. */
static void stop_guest(struct storm *storm)
{
	uint32_t vcpus = storm->options->vcpus;

	__atomic_store_n(&storm->judge.mailbox->stop, 1, __ATOMIC_RELEASE);
	for (int ms = 0; ms < GUEST_STOP_MS; ms += 10) {
		uint32_t finished = 0;

		for (uint32_t i = 0; i < vcpus; i++)
			finished += vcpu_finished(&storm->vcpus[i]);
		if (finished == vcpus)
			break;
		usleep(10000);
	}
	for (uint32_t i = 0; i < vcpus; i++) {
		storm->silent += storm_vcpu_silent(&storm->vcpus[i]);
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
static void sweep_pages(struct storm *storm)
{
	struct agent *inspector = &storm->agents[storm->options->engines];
	uint32_t step = 1 + storm->memory.pages / SWEEP_PAGES;

	/* Large memories by samples: this shall not take longer than the storm. */
	for (uint32_t page = 0; page < storm->memory.pages; page += step) {
		agent_sweep_page(inspector, page);
		agent_inspect_page(inspector, page);
		take_step(storm);
		if (report_violations(&storm->report) >= storm->options->violations)
			break;
	}
}

/* Engines go on without vCPUs that the emulator has lost, unless the guest had to write more. */
static bool guest_is_over(struct storm *storm, struct totals *totals)
{
	uint32_t finished = 0;

	for (uint32_t i = 0; i < storm->options->vcpus; i++)
		finished += vcpu_finished(&storm->vcpus[i]);
	if (finished < storm->options->vcpus)
		return false;
	if (finished > __atomic_load_n(&storm->lost, __ATOMIC_RELAXED))
		return true;
	storm_count(storm, totals);
	return totals->guest_writes < totals->need_writes;
}

static bool storm_over(struct storm *storm, struct totals *totals)
{
	if (interrupt_signal() ||
	    report_violations(&storm->report) >= storm->options->violations ||
	    guest_is_over(storm, totals))
		return true;
	for (uint32_t i = 0; i < storm->nr_agents; i++)
		if (__atomic_load_n(&storm->agents[i].failed, __ATOMIC_ACQUIRE))
			return true;
	return false;
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

/* The main thread: moves the window, prints, and watches. */
static void watch_storm(struct storm *storm, struct totals *totals)
{
	uint64_t start, ms = 0;

	start = clock_ms();
	while (!time_is_up(storm, totals, ms) && !storm_over(storm, totals)) {
		usleep(TURN_MS * 1000);
		weather_change(&storm->weather, storm->turns);
		__atomic_add_fetch(&storm->turns, 1, __ATOMIC_RELAXED);
		storm_note_vcpus(storm);
		ms = clock_ms() - start;
		if (ms / 1000 == totals->seconds)
			continue;
		totals->seconds = ms / 1000;
		storm_count(storm, totals);
		timeline_note(&storm->timeline, ms, totals);
		live_show(&storm->live, &storm->report, totals);
	}
}

/* All is at rest: the subject says what it thinks of itself, if it does. */
static void inspect_subject(struct storm *storm)
{
	const struct subject_ops *ops = storm->options->subject;

	if (!ops->inspect || storm->options->outside)
		return;
	for (uint32_t i = 0; i < storm->options->mirrors; i++) {
		char text[256] = "";

		if (ops->inspect(storm->instances[i].subject, text, sizeof(text)))
			report_line(&storm->report, "oracle", text);
		else if (*text)
			printf("oracle   %s\n", text);
	}
}

static void storm_measure(struct storm *storm, struct totals *totals)
{
	report_begin(&storm->report);
	watchdog_hold_signals(true);
	storm_start(storm);
	watchdog_hold_signals(false);
	watch_storm(storm, totals);
	storm_stop(storm);
	sweep_pages(storm);
	canary_stop(&storm->canary);
	take_step(storm);
	inspect_subject(storm);
	take_step(storm);
	storm_count(storm, totals);
}

static uint64_t storm_violations(void *context)
{
	const struct storm *storm = context;

	return report_violations(&storm->report);
}

static void start_watchdog(struct storm *storm)
{
	const struct watchdog watchdog = {
		.title = "storm",
		.patience = storm->options->stuck_after,
		.progress = storm_progress,
		.laggards = storm_laggards,
		.violations = storm_violations,
		.context = storm,
	};

	watchdog_start(&watchdog);
}

/* The same choices of all threads again; how they meet is another matter. */
static void print_repetition(const struct storm_options *options)
{
	printf("storm: to repeat its choices: secmmu-vmm storm %s%s --subject %s --seed %"
	       PRIu64 " --memory %" PRIu64 "M --backing %s%s%s --vcpus %" PRIu32 " --engines %" PRIu32
	       " --mirrors %" PRIu32 " --discarders %" PRIu32 " --hot %" PRIu32 "%s%s --seconds %" PRIu32
	       "%s%s%s%s%s\n", options->script ? "" : "--mix ",
	       options->script ?: options->mix.text,
	       options->subject->name, options->seed,
	       options->memory >> 20, options->backing == MEMORY_MEMFD ? "memfd" : "anon",
	       options->file ? " --file " : "", options->file ?: "",
	       options->vcpus, options->engines, options->mirrors, options->discarders, options->hot,
	       options->aim ? " --aim" : "", options->swarm ? " --swarm" : "", options->seconds,
	       options->refill ? " --refill" : "", options->array ? " --array" : "",
	       options->tags ? " --tags" : "", options->domains ? " --domains" : "",
	       options->keys ? " --keys" : "");
}

/* Tells how it went, and returns the exit status. */
static int conclude_storm(const struct storm_options *options, struct totals *totals)
{
	bool unwritten;
	int status;

	totals->signal = interrupt_signal();
	unwritten = options->json && report_json(options->json, totals);
	if (totals->violations)
		print_repetition(options);
	status = report_summary(totals);
	return unwritten && status == EXIT_PASS ? EXIT_CANNOT : status;
}

static void print_options(const struct storm_options *options)
{
	printf("storm: seed %" PRIu64 ", %" PRIu64 " MiB %s, %" PRIu32
	       " vCPUs, %" PRIu32 " engines, %" PRIu32 " s, %s%s%s%s%s%s\n",
	       options->seed, options->memory >> 20,
	       options->backing == MEMORY_MEMFD ? "memfd" : "anon",
	       options->vcpus, options->engines, options->seconds,
	       options->subject->name,
	       options->refill ? ", refill" : "",
	       options->array ? ", array" : "",
	       options->tags ? ", tags" : "",
	       options->domains ? ", domains" : "",
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
	bool unrecorded = false;
	int status;

	if (!storm)
		die("out of memory");
	if (options->json && json_writable(options->json))
		return EXIT_CANNOT;
	/* No thread may map memory for itself: it could land in a gap. */
	mallopt(M_ARENA_MAX, 1);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	storm->options = options;
	report_init(&storm->report);
	storm_create(storm);
	print_options(options);
	start_watchdog(storm);
	storm_measure(storm, &totals);
	if (options->record)
		unrecorded = script_write(&storm->written, options->record);
	storm_destroy(storm);
	watchdog_stop();
	status = conclude_storm(options, &totals);
	return unrecorded && status == EXIT_PASS ? EXIT_CANNOT : status;
}
