// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU (here: an engine) leaves an address space but keeps it loaded. Meanwhile the
 * address tag mode of that space changes. The CPU comes back, finds the TLB generation
 * as it left it, and takes that for "nothing has changed".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/secmmu_test.h>
#include "demo.h"
#include "mirror.h"
#include "report.h"

#define GPA		0x10000000ull
#define LENGTH		0x1000u
#define TAG_BITS	6
#define TAG		(21ull << (63 - TAG_BITS))
#define WORD		0x0123456789abcdefull
#define MUTANT		"/sys/module/secmmu/parameters/mutant"

/**
 * struct policy - how engines learn of another mode
 * @name: its name
 * @number: enum secmmu_test_refresh_policy
 * @stale: the bug: the engine is expected to follow the old mode
 * @flushes: the change is expected to move the TLB generation
 */
static const struct policy {
	const char *name;
	uint32_t number;
	bool stale;
	bool flushes;
} policies[] = {
	{ "none", SECMMU_REFRESH_SYNC, true, false },
	{ "compare", SECMMU_REFRESH_COMPARE, false, false },
	{ "gen-bump", SECMMU_REFRESH_GEN_BUMP, false, true },
	{ "sync", SECMMU_REFRESH_SYNC, false, false },
};

static int generation(const struct mirror *mirror, uint64_t *gen)
{
	struct secmmu_test_state state = { .size = sizeof(state) };

	if (ioctl(mirror->fd, SECMMU_TEST_STATE, &state))
		return report_error("cannot read the TLB generation: %s",
				    strerror(errno));
	*gen = state.tlb_gen;
	return 0;
}

static int set_tag_bits(const struct mirror *mirror, uint32_t bits)
{
	int err = tag_bits_set(mirror->fd, bits);

	if (err)
		return report_error("cannot set tag bits: %s", strerror(-err));
	return 0;
}

static int choose(const struct mirror *mirror, uint32_t policy)
{
	struct secmmu_test_refresh refresh = {
		.size = sizeof(refresh),
		.policy = policy,
	};

	if (!ioctl(mirror->fd, SECMMU_TEST_REFRESH, &refresh))
		return 0;
	if (errno == ENOTTY)
		return report_error("this takes a test build of the driver: make modules TEST=1");
	return report_error("cannot choose a policy: %s", strerror(errno));
}

/* The bug is a seeded one, of builds that have any. */
static bool switch_bug(bool on)
{
	FILE *file = fopen(MUTANT, "we");
	bool done = file && fputs(on ? "mode-not-synced" : "none", file) >= 0;

	if (file && fclose(file))
		done = false;
	return done;
}

static int leave(const struct engine *engine)
{
	int err = engine_detach(engine->fd);

	if (err)
		return report_error("the engine cannot leave: %s", strerror(-err));
	return 0;
}

static int come_back(const struct engine *engine, const struct mirror *mirror)
{
	int err = engine_attach(engine->fd, mirror->fd, 0);

	if (err)
		return report_error("the engine cannot come back: %s", strerror(-err));
	return 0;
}

/* What the engine's kernel thread reads there; *@error: zero, or why it cannot. */
static int look(const struct engine *engine, uint64_t gpa, uint64_t *word, int *error)
{
	long long done = job_start(engine->fd, 0, gpa, sizeof(*word), word);

	if (!done)
		done = job_wait(engine->fd, error);
	if (done < 0)
		return report_error("the engine does not work: %s", strerror((int)-done));
	return 0;
}

/* One policy. Returns 0 if all was as expected, 1 if not, -1 after a message. */
static int show(const struct policy *policy, const struct mirror *mirror,
		const struct engine *engine)
{
	uint64_t before, after, word = 0;
	bool stale, moved;
	int error;

	if (choose(mirror, SECMMU_REFRESH_SYNC) || set_tag_bits(mirror, 0) ||
	    choose(mirror, policy->number) || look(engine, GPA, &word, &error))
		return -1;
	if (error || word != WORD)
		return report_error("the engine does not read what is there");
	word = 0;
	if (generation(mirror, &before) || leave(engine) ||
	    set_tag_bits(mirror, TAG_BITS) || generation(mirror, &after) ||
	    come_back(engine, mirror) || look(engine, GPA | TAG, &word, &error))
		return -1;
	stale = error == ENXIO;
	moved = before != after;
	printf("%-9s  TLB generation %" PRIu64 " -> %" PRIu64 "  %s\n", policy->name,
	       before, after, stale ? "old mode: the tagged address is refused" :
	       word == WORD ? "new mode: the tagged address is right" : "another page!");
	return stale != policy->stale || moved != policy->flushes ||
	       (!stale && word != WORD);
}

static int show_all(const struct mirror *mirror, uint64_t *memory)
{
	struct engine engine;
	int unexpected = 0;

	*memory = WORD;
	if (mirror_set_slot(mirror, 0, 0, GPA, memory, LENGTH) ||
	    engine_create(&engine, mirror, SECMMU_ENGINE_BACKGROUND))
		return -1;
	printf("An engine reads 0x%llx, leaves, the mode changes from 0 to %d tag bits,\n"
	       "the engine comes back and reads 0x%llx.\n\n", GPA, TAG_BITS, GPA | TAG);
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		int ret;

		if (policies[i].stale && !switch_bug(true)) {
			printf("%-9s  not shown: this build has no seeded bugs\n",
			       policies[i].name);
			continue;
		}
		ret = show(&policies[i], mirror, &engine);
		if (policies[i].stale)
			switch_bug(false);
		if (ret < 0) {
			unexpected = -1;
			break;
		}
		unexpected += ret;
	}
	engine_close(&engine);
	return unexpected;
}

/**
 * demo_lam_switch - show how engines learn, or do not, of another tag mode
 *
 * Return: the program's exit status: 0 if all was as expected, 1 if not, 2 if it
 * could not run.
 */
int demo_lam_switch(void)
{
	void *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mirror mirror;
	int ret;

	if (memory == MAP_FAILED) {
		report_error("out of memory");
		return 2;
	}
	if (mirror_open(&mirror))
		return 2;
	ret = mirror_create(&mirror, SECMMU_FLUSH_RANGE, 0) ? -1 :
	      show_all(&mirror, memory);
	mirror_close(&mirror);
	if (ret < 0)
		return 2;
	printf("\ndemo: %s\n", ret ? "NOT as expected" :
	       "as expected: equal TLB generations do not prove an equal mode");
	return ret != 0;
}
