// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU (here: an engine) leaves an address space but keeps it loaded. Meanwhile the
 * address tag mode of that space changes. The CPU comes back, finds the TLB generation
 * as it left it, and takes that for "nothing has changed".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <linux/secmmu_test.h>
#include "demo.h"
#include "message.h"
#include "own_mirror.h"

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

static uint64_t read_generation(int mirror)
{
	struct secmmu_test_state state = { .size = sizeof(state) };

	mirror_need(secmmu_call(mirror, SECMMU_TEST_STATE, &state, sizeof(state)),
		    "read the TLB generation");
	return state.tlb_gen;
}

static void choose_policy(int mirror, uint32_t policy)
{
	struct secmmu_test_refresh refresh = {
		.size = sizeof(refresh),
		.policy = policy,
	};

	mirror_need(secmmu_call(mirror, SECMMU_TEST_REFRESH, &refresh, sizeof(refresh)),
		    "choose a policy");
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

/* What the engine's kernel thread reads there. Zero, or why it cannot. */
static int read_word(int engine, uint64_t gpa, uint64_t *word)
{
	long long done;
	int error;

	mirror_need(job_start(engine, 0, gpa, sizeof(*word), word), "start a job");
	done = job_wait(engine, &error);
	mirror_need(done < 0 ? (int)done : 0, "wait for a job");
	return error;
}

/* One policy. Was all as expected? */
static bool show_policy(const struct policy *policy, int mirror, int engine)
{
	uint64_t before, after, word = 0;
	bool stale;

	choose_policy(mirror, SECMMU_REFRESH_SYNC);
	mirror_need(tag_bits_set(mirror, 0), "set tag bits");
	choose_policy(mirror, policy->number);
	if (read_word(engine, GPA, &word) || word != WORD)
		die("the engine does not read what is there");
	word = 0;
	before = read_generation(mirror);
	mirror_need(engine_detach(engine), "let the engine leave");
	mirror_need(tag_bits_set(mirror, TAG_BITS), "set tag bits");
	after = read_generation(mirror);
	mirror_need(engine_attach(engine, mirror, 0), "let the engine come back");
	stale = read_word(engine, GPA | TAG, &word) == ENXIO;
	printf("%-9s  TLB generation %" PRIu64 " -> %" PRIu64 "  %s\n", policy->name,
	       before, after, stale ? "old mode: the tagged address is refused" :
	       word == WORD ? "new mode: the tagged address is right" : "another page!");
	return stale == policy->stale && (before != after) == policy->flushes &&
	       (stale || word == WORD);
}

/**
 * demo_lam_switch - show how engines learn, or do not, of another tag mode
 *
 * Return: the program's exit status: 0 if all was as expected, 1 if not.
 */
int demo_lam_switch(void)
{
	uint64_t *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int device = mirror_device(), mirror, engine;
	bool expected = true;

	if (memory == MAP_FAILED)
		die("out of memory");
	mirror_need_test_build(device);
	*memory = WORD;
	mirror = mirror_create(device);
	mirror_slot(mirror, 0, GPA, memory, LENGTH);
	engine = mirror_engine(mirror, SECMMU_ENGINE_BACKGROUND);
	printf("An engine reads 0x%llx, leaves, the mode changes from 0 to %d tag bits,\n"
	       "the engine comes back and reads 0x%llx.\n\n", GPA, TAG_BITS, GPA | TAG);
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		if (policies[i].stale && !switch_bug(true)) {
			printf("%-9s  not shown: this build has no seeded bugs\n",
			       policies[i].name);
		} else {
			expected &= show_policy(&policies[i], mirror, engine);
			if (policies[i].stale)
				switch_bug(false);
		}
	}
	printf("\ndemo: %s\n", expected ?
	       "as expected: equal TLB generations do not prove an equal mode" :
	       "NOT as expected");
	return !expected;
}
