// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "attach.h"
#include "attachreport.h"
#include "compare.h"
#include "exitcode.h"
#include "freeze.h"
#include "report.h"
#include "runs.h"
#include "target.h"

/* Between two passes the process is left alone, and may change things. */
#define PAUSE_MS	100
#define PROGRESS_MS	2000
/* Progress may have to be made in the midst of a large reservation. */
#define PIECE_BYTES	(1ull << 30)

/**
 * struct attach - a process under observation
 * @options: what was asked for
 * @target: the process
 * @mirror: its mirror
 * @limit: first address that the mirror does not show
 * @compare: reads through it, and judges what is read
 * @freeze: the process while it is stopped
 * @still: it is stopped
 * @now: the pages to be read, as this pass has found them
 * @before: ... and the pass before. Most can go stale only after they were read
 * @todo: both: the mirror must notice too what is there no more
 * @facts: the results
 * @began: when the first pass began
 * @told: when progress was told
 */
struct attach {
	const struct attach_options *options;
	struct target target;
	struct mirror mirror;
	uint64_t limit;
	struct compare compare;
	struct freeze freeze;
	bool still;
	struct runs now;
	struct runs before;
	struct runs todo;
	struct attach_facts facts;
	uint64_t began;
	uint64_t told;
};

/* The signal that ends the watch, or zero. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	interrupted = signal;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tell_progress(struct attach *attach, uint64_t address)
{
	const struct attach_facts *facts = &attach->facts;
	uint64_t now = now_ms();

	if (now - attach->told < PROGRESS_MS)
		return;
	attach->told = now;
	fprintf(stderr, "[%3" PRIu64 "s] pass %u at 0x%" PRIx64 ": %" PRIu64
		" pages %s", (now - attach->began) / 1000, facts->passes + 1,
		address, facts->pages, facts->verified ? "compared" : "read");
	if (facts->verified)
		fprintf(stderr, ", %" PRIu64 " changing, %" PRIu64 " stale",
			facts->changing, facts->stale);
	fputc('\n', stderr);
}

/* Finds the pages of an area that are to be read. */
static int find_pages(struct attach *attach, struct area *area)
{
	uint64_t start = area->start;
	int err = 0;

	if (area->end > attach->limit) {
		area->refuses = true;
		return 0;
	}
	/* Let it prove that it refuses, once. */
	if (area->refuses)
		return runs_add(&attach->now, start, start + PAGE_BYTES);
	if (attach->options->all && !area->waits)
		return runs_add(&attach->now, start, area->end);
	while (area->populated && !err && start < area->end) {
		uint64_t end = start + PIECE_BYTES;

		if (end > area->end)
			end = area->end;
		err = runs_add_present(&attach->now, attach->compare.witness.pagemap,
				       start, end);
		tell_progress(attach, start);
		start = end;
	}
	return err;
}

/* What is there to be read? */
static int find_all(struct attach *attach)
{
	struct areas *areas = &attach->facts.areas;
	struct runs before = attach->before;
	int err = areas_read(areas, attach->target.proc);

	if (err)
		return err;
	areas_clip(areas, attach->options->start, attach->options->end);
	if (!areas->count && !attach->facts.passes) {
		report_error("nothing is mapped in this range");
		return -ENXIO;
	}
	attach->before = attach->now;
	attach->now = before;
	runs_clear(&attach->now);
	for (size_t i = 0; i < areas->count && !err; i++)
		err = find_pages(attach, &areas->list[i]);
	return err ? err : runs_unite(&attach->todo, &attach->now,
				      &attach->before);
}

static void count(struct attach *attach, struct area *area, uint64_t address,
		  enum verdict verdict)
{
	struct attach_facts *facts = &attach->facts;

	if (verdict == VERDICT_ABSENT)
		facts->absent++;
	if (verdict == VERDICT_REFUSED ||
	    (verdict == VERDICT_ABSENT && (area->refuses || area == &facts->gone))) {
		facts->refused++;
		area->refused++;
	}
	if (verdict == VERDICT_REFUSED || verdict == VERDICT_ABSENT)
		return;
	facts->pages++;
	area->read++;
	if (verdict == VERDICT_CHANGING) {
		area->changing++;
		facts->changing++;
	}
	if (verdict == VERDICT_STALE) {
		area->stale++;
		facts->stale++;
		attachreport_finding(facts, &attach->compare.finding, area,
				     attach->still);
	}
	tell_progress(attach, address);
}

/* Reads a run of pages, area by area; @next is the first area that may have it. */
static int read_run(struct attach *attach, const struct run *run, size_t *next)
{
	struct attach_facts *facts = &attach->facts;
	const struct areas *areas = &facts->areas;
	enum verdict verdicts[COMPARE_PAGES];
	uint64_t at = run->start;

	while (at < run->end && facts->stale < REPORT_LIMIT) {
		struct area *area = &facts->gone;
		unsigned int flags = COMPARE_REFUSES;
		uint64_t end = run->end;
		int done;

		while (*next < areas->count && areas->list[*next].end <= at)
			++*next;
		if (*next < areas->count && areas->list[*next].start <= at) {
			area = &areas->list[*next];
			flags = (area->refuses ? COMPARE_REFUSES : 0) |
				(area->own ? COMPARE_OWN : 0) |
				(attach->still && area->own ? COMPARE_STILL : 0);
			end = area->end < end ? area->end : end;
		} else if (*next < areas->count) {
			end = areas->list[*next].start < end ?
			      areas->list[*next].start : end;
		}
		/* Never ask the process itself for a page. */
		attach->compare.fills = attach->options->all && !area->waits;
		if (end - at > COMPARE_PAGES * PAGE_BYTES)
			end = at + COMPARE_PAGES * PAGE_BYTES;
		done = compare_pages(&attach->compare, at,
				     (unsigned int)((end - at) / PAGE_BYTES),
				     flags, verdicts);
		if (done == -EINTR)
			continue;
		if (done < 0)
			return done;
		for (int i = 0; i < done; i++, at += PAGE_BYTES)
			count(attach, area, at, verdicts[i]);
	}
	return 0;
}

static int pass(struct attach *attach)
{
	struct attach_facts *facts = &attach->facts;
	size_t next = 0;
	int err = 0;

	if (attach->options->stop)
		err = freeze_begin(&attach->freeze, attach->target.proc);
	if (err)
		return err;
	attach->still = attach->options->stop;
	facts->gone = (struct area) { .name = "(no longer mapped)" };
	err = find_all(attach);
	for (size_t i = 0; i < attach->todo.count && !err; i++)
		err = read_run(attach, &attach->todo.list[i], &next);
	if (attach->still)
		freeze_end(&attach->freeze);
	attach->still = false;
	if (!err)
		facts->passes++;
	return err;
}

static bool is_over(const struct attach *attach)
{
	const struct attach_facts *facts = &attach->facts;
	uint64_t ms = now_ms() - attach->began;

	if (interrupted || facts->stale >= REPORT_LIMIT)
		return true;
	return !facts->verified ? facts->passes :
	       facts->passes >= ATTACH_PASSES &&
	       ms >= attach->options->seconds * 1000ull;
}

/* Once: what was begun is finished. Twice: at once. */
static void catch_interrupts(void)
{
	const struct sigaction interrupt = {
		.sa_handler = on_interrupt,
		.sa_flags = (int)SA_RESETHAND,
	};

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
}

static int watch(struct attach *attach)
{
	int err;

	attach->began = now_ms();
	attach->told = attach->began;
	do {
		if (attach->facts.passes)
			usleep(PAUSE_MS * 1000);
		err = pass(attach);
	} while (!err && !is_over(attach));
	attach->facts.seconds = (now_ms() - attach->began) / 1000;
	attach->facts.signal = interrupted;
	return err;
}

/* One engine that only looks, and one for pages that want a fault. */
static int open_engines(struct attach *attach)
{
	struct compare *compare = &attach->compare;

	compare->mirror = &attach->mirror;
	if (engine_create(&compare->quiet, &attach->mirror, SECMMU_ENGINE_NOFAULT))
		return -1;
	return engine_create(&compare->engine, &attach->mirror, 0);
}

static int open_all(struct attach *attach)
{
	if (mirror_open(&attach->mirror) ||
	    target_open(&attach->target, attach->options->pid) ||
	    mirror_create_of(&attach->mirror, attach->target.pid))
		return -1;
	/* It was mirrored after its folder was opened: the folder is its own. */
	if (!target_alive(&attach->target))
		return report_error("process %d has just ended",
				    attach->target.pid);
	if (witness_open(&attach->compare.witness, attach->target.proc,
			 attach->target.pid, attach->options->verify))
		return -1;
	attach->limit = mirror_set_identity(&attach->mirror);
	if (!attach->limit)
		return -1;
	attach->facts.merged = target_merged(&attach->target);
	return open_engines(attach);
}

static void close_all(struct attach *attach)
{
	engine_close(&attach->compare.engine);
	engine_close(&attach->compare.quiet);
	mirror_close(&attach->mirror);
	witness_close(&attach->compare.witness);
	target_close(&attach->target);
	runs_free(&attach->now);
	runs_free(&attach->before);
	runs_free(&attach->todo);
	areas_free(&attach->facts.areas);
}

/* Says how it went, and returns the exit status. */
static int conclude(struct attach *attach, int err)
{
	struct attach_facts *facts = &attach->facts;

	if (err == -ESRCH)
		report_error("process %d has %s in pass %u", facts->pid,
			     target_alive(&attach->target) ?
			     "executed another program" : "ended",
			     facts->passes + 1);
	else if (err)
		return EXIT_CANNOT;
	facts->complete = !err && facts->stale < REPORT_LIMIT;
	facts->merged_after = target_merged(&attach->target);
	if (mirror_stats(&attach->mirror, &facts->stats))
		return EXIT_CANNOT;
	attachreport_print(facts);
	if (attach->options->json &&
	    attachreport_json(attach->options->json, facts))
		return EXIT_CANNOT;
	if (facts->stale)
		return EXIT_FAIL;
	if (facts->signal)
		return EXIT_INTERRUPTED + facts->signal;
	if (err)
		return EXIT_UNPROVEN;
	if (!facts->pages) {
		report_error("the process has no page there; --all reads the others too");
		return EXIT_UNPROVEN;
	}
	return EXIT_PASS;
}

/**
 * attach_run - look at a process through a mirror
 * @options: which, and how
 *
 * Return: the program's exit status, see exitcode.h.
 */
int attach_run(const struct attach_options *options)
{
	struct attach attach = {
		.options = options,
		.target.proc = -1,
		.mirror = { .device = -1, .fd = -1 },
		.compare = {
			.quiet.fd = -1,
			.engine.fd = -1,
			.witness = { .mem = -1, .pagemap = -1 },
			.single = !options->verify,
		},
		.facts.verified = options->verify,
		.facts.filled = options->all,
	};
	int status = EXIT_CANNOT;

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (options->json && report_writable(options->json))
		return status;
	if (!open_all(&attach)) {
		if (getrandom(&attach.compare.prng.state, sizeof(uint64_t), 0) < 0)
			attach.compare.prng.state = now_ms();
		attach.facts.pid = attach.target.pid;
		attach.facts.command = attach.target.name;
		catch_interrupts();
		printf("process %d (%s), mirrored up to 0x%" PRIx64 "\n",
		       attach.target.pid, attach.target.name, attach.limit);
		status = conclude(&attach, watch(&attach));
	}
	close_all(&attach);
	return status;
}
