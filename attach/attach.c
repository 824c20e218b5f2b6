// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "attach.h"
#include "client.h"
#include "clock.h"
#include "compare.h"
#include "domain.h"
#include "exitcode.h"
#include "freeze.h"
#include "interrupt.h"
#include "json.h"
#include "message.h"
#include "own_mirror.h"
#include "facts.h"
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
 * @domain: the guest that it runs, if asked for one
 * @slots: that the mirror has, of a guest
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
	struct domain domain;
	uint32_t slots;
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

static void tell_progress(struct attach *attach, uint64_t address)
{
	const struct attach_facts *facts = &attach->facts;
	uint64_t now = clock_ms();

	if (attach->options->quiet || now - attach->told < PROGRESS_MS)
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
	if (area->refuses) {
		runs_add(&attach->now, start, start + PAGE_BYTES);
		return 0;
	}
	if (attach->options->all && !area->waits) {
		runs_add(&attach->now, start, area->end);
		return 0;
	}
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
	if (attach->options->domain)
		layout_cut(&attach->domain.layout, areas);
	else
		areas_clip(areas, attach->options->start, attach->options->end);
	if (!areas->count && !attach->facts.passes)
		die("nothing is mapped in this range");
	attach->before = attach->now;
	attach->now = before;
	runs_clear(&attach->now);
	for (size_t i = 0; i < areas->count && !err; i++)
		err = find_pages(attach, &areas->list[i]);
	runs_unite(&attach->todo, &attach->now, &attach->before);
	return err;
}

static void count_page(struct attach *attach, struct area *area, uint64_t address,
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
		facts_finding(facts, &attach->compare.finding, area,
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

	while (at < run->end && facts->stale < ATTACH_LIMIT) {
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
		/* The rest of its QEMU is not the guest's. */
		if (area == &facts->gone && attach->options->domain) {
			at = end;
			continue;
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
			count_page(attach, area, at, verdicts[i]);
	}
	return 0;
}

/* Zero, or -ESRCH if the guest has ended. */
static int set_slots(struct attach *attach)
{
	const struct layout *layout = &attach->domain.layout;
	struct areas areas = { 0 };
	int mirror = attach->compare.mirror, err = areas_read(&areas, attach->target.proc);

	if (err)
		return err;
	if (!layout_covered(layout, &areas))
		die("the memory of domain %s is not where QEMU tells", attach->domain.name);
	areas_clip(&areas, 0, 0);
	free(areas.list);
	for (uint32_t i = 0; i < attach->slots; i++)
		mirror_need(secmmu_delete_slot(mirror, i), "delete a slot");
	attach->slots = (uint32_t)layout->count;
	for (uint32_t i = 0; i < attach->slots; i++) {
		const struct place *place = &layout->list[i];

		mirror_need(secmmu_set_slot(mirror, i, place->rom ? SECMMU_SLOT_READONLY : 0,
					    place->gpa, (void *)(uintptr_t)place->hva,
					    place->length), "set a slot");
		printf("slot %u: guest 0x%" PRIx64 "-0x%" PRIx64 " %s at 0x%" PRIx64 "%s\n", i,
		       place->gpa, place->gpa + place->length - 1, place->region, place->hva,
		       place->rom ? ", read-only" : "");
	}
	return 0;
}

/* Lets gpas be the guest's, as its memory lies now, which stands still meanwhile. */
static int show_guest(struct attach *attach)
{
	int err;

	if (!domain_changed(&attach->domain))
		return 0;
	domain_suspend(&attach->domain);
	domain_locate(&attach->domain);
	err = set_slots(attach);
	domain_resume(&attach->domain);
	return err;
}

static int make_pass(struct attach *attach)
{
	struct attach_facts *facts = &attach->facts;
	size_t next = 0;
	int err = 0;

	if (attach->options->domain)
		err = show_guest(attach);
	if (attach->options->stop && !err)
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
	uint64_t ms = clock_ms() - attach->began;

	if (interrupt_signal() || facts->stale >= ATTACH_LIMIT)
		return true;
	return !facts->verified ? facts->passes :
	       facts->passes >= ATTACH_PASSES &&
	       ms >= attach->options->seconds * 1000ull;
}

static int watch_process(struct attach *attach)
{
	int err;

	attach->began = clock_ms();
	attach->told = attach->began;
	do {
		if (attach->facts.passes)
			usleep(PAUSE_MS * 1000);
		err = make_pass(attach);
	} while (!err && !is_over(attach));
	attach->facts.seconds = (clock_ms() - attach->began) / 1000;
	attach->facts.signal = interrupt_signal();
	return err;
}

/* Returns the mirror, or ends the program with what to do. */
static int mirror_process(int device, pid_t pid)
{
	int mirror = secmmu_create_mirror_of(device, pid);

	if (mirror == -EPERM)
		die("no permission to mirror process %d: that takes CAP_SYS_PTRACE in its user namespace, as root has it",
		    pid);
	if (mirror == -ESRCH)
		die("process %d has no memory to mirror: it is a kernel thread, or ending",
		    pid);
	if (mirror < 0)
		die("cannot mirror process %d: %s", pid, strerror(-mirror));
	return mirror;
}

/*
 * Lets gpas be addresses of the process: one slot over all that it can have, as far as
 * gpas reach. Returns the first address beyond.
 */
static uint64_t show_all_memory(int mirror)
{
	/* Kernels keep the last page of an address space free, or do not. */
	static const uint64_t kept_free[] = { 0, 4096 };
	int err = 0;

	for (int bits = SECMMU_GPA_BITS; bits > 32; bits--) {
		for (size_t i = 0; i < 2; i++) {
			uint64_t length = (1ull << bits) - kept_free[i];

			err = secmmu_set_slot(mirror, 0, 0, 0, NULL, length);
			if (!err)
				return length;
			/* Beyond the address space, that is. */
			if (err != -EINVAL)
				break;
		}
	}
	die("cannot set a mirror slot: %s", strerror(-err));
}

static int open_dump(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		die("cannot write %s: %s", path, strerror(errno));
	return fd;
}

static void open_all(struct attach *attach)
{
	struct compare *compare = &attach->compare;
	struct target *target = &attach->target;

	compare->device = mirror_device();
	target_open(target, attach->options->domain ? domain_open(&attach->domain) :
			    attach->options->pid);
	compare->mirror = mirror_process(compare->device, target->pid);
	/* It was mirrored after its folder was opened: the folder is its own. */
	if (!target_alive(target) ||
	    (attach->options->domain && !domain_is(&attach->domain, target->proc)))
		die("process %d has just ended", target->pid);
	witness_open(&compare->witness, target->proc, target->pid,
		     attach->options->verify);
	attach->limit = attach->options->domain ? UINT64_MAX :
			show_all_memory(compare->mirror);
	attach->facts.merged = target_merged(target);
	/* One that only looks, and one for pages that want a fault. */
	compare->quiet = mirror_engine(compare->mirror, SECMMU_ENGINE_NOFAULT);
	compare->engine = mirror_engine(compare->mirror, 0);
}

/* Says how it went, and returns the exit status. */
static int conclude_attach(struct attach *attach, int err)
{
	struct attach_facts *facts = &attach->facts;

	if (err == -ESRCH)
		say("process %d has %s in pass %u", facts->pid,
		    target_alive(&attach->target) ?
		    "executed another program" : "ended",
		    facts->passes + 1);
	else if (err)
		return EXIT_CANNOT;
	facts->complete = !err && facts->stale < ATTACH_LIMIT;
	facts->merged_after = target_merged(&attach->target);
	mirror_stats(attach->compare.mirror, &facts->stats);
	facts_print(facts);
	if (attach->options->json &&
	    facts_json(attach->options->json, facts))
		return EXIT_CANNOT;
	if (facts->stale)
		return EXIT_FAIL;
	if (facts->signal)
		return EXIT_INTERRUPTED + facts->signal;
	if (err)
		return EXIT_UNPROVEN;
	if (!facts->pages) {
		say("the process has no page there; --all reads the others too");
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
		.compare.single = !options->verify,
		.facts.verified = options->verify,
		.facts.filled = options->all,
		.facts.brief = options->brief,
		.facts.domain = options->domain,
		.domain = {
			.name = options->domain,
			.uri = options->connect,
			.start = options->start,
			.end = options->end,
		},
		.compare.dump = options->dump ? open_dump(options->dump) : -1,
	};

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (options->json && json_writable(options->json))
		return EXIT_CANNOT;
	open_all(&attach);
	if (getrandom(&attach.compare.prng.state, sizeof(uint64_t), 0) < 0)
		attach.compare.prng.state = clock_ms();
	if (options->domain)
		attach.compare.layout = &attach.domain.layout;
	attach.facts.pid = attach.target.pid;
	attach.facts.command = attach.target.name;
	interrupt_catch();
	if (options->domain)
		printf("domain %s, process %d (%s), mirrored\n", options->domain,
		       attach.target.pid, attach.target.name);
	else
		printf("process %d (%s), mirrored up to 0x%" PRIx64 "\n",
		       attach.target.pid, attach.target.name, attach.limit);
	return conclude_attach(&attach, watch_process(&attach));
}
