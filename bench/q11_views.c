// SPDX-License-Identifier: GPL-2.0
/* Q11: what do changes of view cost? */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "own_mirror.h"

#include <linux/secmmu_test.h>

#define PAGES		512ul
#define TIMES		256
#define MIRRORS		8u
#define LOADED_ENGINES	8u

/* The mirrors show the former; the one with domains shows the latter. */
static char *memory, *seen_often;
static int device;

/* A mirror with some domains, which all show everything. */
static int make_mirror(const char *shown, uint32_t domains)
{
	int mirror = mirror_create(device);

	for (uint32_t i = 1; i < domains; i++)
		mirror_need(domain_create(mirror, i), "create a domain");
	mirror_need(secmmu_set_slot_in(mirror, 0, 0, 0, (1u << domains) - 1, 0, shown,
				       PAGES * PAGE), "set a slot");
	return mirror;
}

/* --- Switches ------------------------------------------------------------------- */

enum change { STAY, DOMAIN, LOADED, ANEW, CHANGES };

static int engine, mirrors[MIRRORS];
/* A domain belongs to a mirror: this one, and an engine there. */
static int many_domains, domains;

static void switch_to(enum change change, unsigned int turn)
{
	switch (change) {
	case DOMAIN:
		mirror_need(domain_enter(domains, turn % 2), "enter a domain");
		break;
	case LOADED:
		mirror_need(engine_attach(engine, mirrors[turn % 2], 0), "attach");
		break;
	case ANEW:
		mirror_need(engine_attach(engine, mirrors[turn % MIRRORS], 0), "attach");
		break;
	default:
		break;
	}
}

static void measure_switches(void *data, struct bench_sample *sample)
{
	enum change change = *(const enum change *)data;
	int reader = change == DOMAIN ? domains : engine;
	uint64_t ns;

	for (unsigned int i = 0; i < MIRRORS; i++) {
		switch_to(change, i);
		mirror_read_word(reader, 0);
	}
	ns = clock_ns();
	for (unsigned int i = 0; i < TIMES; i++) {
		switch_to(change, i);
		mirror_read_word(reader, 0);
	}
	sample->value = (double)(clock_ns() - ns) / TIMES;
}

static void add_view(struct bench *bench, const char *what, const char *how, uint64_t pages,
		     void (*measure)(void *data, struct bench_sample *sample), void *data)
{
	bench_add(bench, &(struct bench_case) {
		.variant = { { "what", what }, { "how", how } },
		.pages = pages,
		.measure = measure,
		.data = data,
	});
}

static void add_switches(struct bench *bench)
{
	static enum change all[CHANGES] = { STAY, DOMAIN, LOADED, ANEW };
	static const char *const names[CHANGES] = {
		"read only", "another domain", "another mirror, loaded",
		"another mirror, not loaded",
	};

	for (unsigned int i = 0; i < MIRRORS; i++)
		mirrors[i] = make_mirror(memory, 1);
	engine = mirror_engine(mirrors[0], 0);
	many_domains = make_mirror(seen_often, SECMMU_MAX_DOMAINS);
	domains = mirror_engine(many_domains, 0);
	for (size_t i = 0; i < CHANGES; i++)
		add_view(bench, "switch and read", names[i], 0, measure_switches, &all[i]);
}

/* --- Write protection --------------------------------------------------------------- */

static int protected_mirror, protected_engine;

static void protect_pages(bool by_key, bool on)
{
	if (by_key)
		mirror_need(rights_set(protected_engine, on ? SECMMU_KEY_NO_WRITE(0) : 0),
			    "set rights");
	else
		mirror_need(secmmu_set_slot(protected_mirror, 0,
					    on ? SECMMU_SLOT_READONLY : 0, 0, memory,
					    PAGES * PAGE), "set a slot");
}

/* Forbid writing to pages that are all mapped, permit it again, and write to each. */
static void measure_protection(void *data, struct bench_sample *sample)
{
	bool by_key = *(const bool *)data;
	struct secmmu_stats before, after;
	static char page[PAGE];
	uint64_t ns;

	mirror_prefault(protected_mirror, 0, 0, PAGES * PAGE, SECMMU_PREFAULT_WRITE);
	mirror_stats(protected_mirror, &before);
	ns = clock_ns();
	protect_pages(by_key, true);
	protect_pages(by_key, false);
	for (uint64_t i = 0; i < PAGES; i++)
		if (pwrite(protected_engine, page, 8, i * PAGE) != 8)
			die("an engine cannot write");
	sample->value = (double)(clock_ns() - ns);
	bench_count(protected_mirror, &before, &after, sample);
}

static void add_protection(struct bench *bench)
{
	static bool by_key = true, by_slot;
	static const char what[] = "forbid, permit, write all";

	protected_mirror = make_mirror(memory, 1);
	protected_engine = mirror_engine(protected_mirror, 0);
	add_view(bench, what, "rights of a key", PAGES, measure_protection, &by_key);
	add_view(bench, what, "slot read-only", PAGES, measure_protection, &by_slot);
}

/* --- Idle domains -------------------------------------------------------------------- */

/* The first N domains have everything mapped. */
static void measure_event(void *data, struct bench_sample *sample)
{
	uint32_t idle = *(const uint32_t *)data;
	struct secmmu_stats before, after;
	uint64_t ns;

	for (uint32_t i = 0; i < idle; i++)
		mirror_prefault(many_domains, i, 0, PAGES * PAGE, SECMMU_PREFAULT_WRITE);
	mirror_stats(many_domains, &before);
	ns = clock_ns();
	discard_memory(seen_often, PAGES * PAGE);
	sample->value = (double)(clock_ns() - ns);
	bench_count(many_domains, &before, &after, sample);
}

static void add_idle_domains(struct bench *bench)
{
	static uint32_t idle[] = { 1, 2, 4, 8 };

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		add_view(bench, "discard", format("mapped in %u domains", idle[i]), PAGES,
			 measure_event, &idle[i]);
}

/* --- Changes of the mode --------------------------------------------------------------- */

static void measure_mode(void *data, struct bench_sample *sample)
{
	int mirror = *(const int *)data;
	struct secmmu_stats before, after;
	uint64_t ns;

	mirror_stats(mirror, &before);
	ns = clock_ns();
	for (unsigned int i = 0; i < TIMES; i++)
		mirror_need(tag_bits_set(mirror, i % 2 ? 15 : 6), "set tag bits");
	sample->value = (double)(clock_ns() - ns) / TIMES;
	bench_count(mirror, &before, &after, sample);
}

/* The policies of enum secmmu_test_refresh_policy; a normal build has the first one. */
static const char *const policies[] = { "sync", "compare", "gen-bump" };

/* Returns false if this build does not have the policy. */
static bool choose_policy(int mirror, uint32_t policy)
{
	struct secmmu_test_refresh arg = { .size = sizeof(arg), .policy = policy };

	return policy == SECMMU_REFRESH_SYNC ||
	       !ioctl(mirror, SECMMU_TEST_REFRESH, &arg);
}

static void add_modes(struct bench *bench)
{
	static int loaded[ARRAY_SIZE(policies)];

	for (uint32_t i = 0; i < ARRAY_SIZE(policies); i++) {
		loaded[i] = make_mirror(memory, 1);
		/* Idle, but loaded; engines for jobs do not freeze the mode. */
		for (unsigned int n = 0; n < LOADED_ENGINES; n++)
			mirror_engine(loaded[i], SECMMU_ENGINE_BACKGROUND);
		if (choose_policy(loaded[i], i))
			add_view(bench, "change the tag mode", policies[i], 0, measure_mode,
				 &loaded[i]);
	}
}

/* --- The cost of a policy without any change ------------------------------------------- */

/**
 * struct visits - an engine that goes from one mirror to another, and back
 * @engine: the engine, which has both loaded
 * @mirrors: the mirrors, of one policy
 */
struct visits {
	int engine;
	int mirrors[2];
};

static void measure_visits(void *data, struct bench_sample *sample)
{
	const struct visits *visits = data;
	uint64_t ns = clock_ns();

	for (unsigned int i = 0; i < TIMES; i++) {
		mirror_need(engine_attach(visits->engine, visits->mirrors[i % 2], 0), "attach");
		mirror_read_word(visits->engine, 0);
	}
	sample->value = (double)(clock_ns() - ns) / TIMES;
}

static void add_visits(struct bench *bench)
{
	static struct visits all[ARRAY_SIZE(policies)];

	for (uint32_t i = 0; i < ARRAY_SIZE(policies); i++) {
		for (unsigned int n = 0; n < 2; n++) {
			all[i].mirrors[n] = make_mirror(memory, 1);
			if (!choose_policy(all[i].mirrors[n], i))
				die("there is no policy %s", policies[i]);
		}
		all[i].engine = mirror_engine(all[i].mirrors[0], 0);
		add_view(bench, "switch and read", policies[i], 0, measure_visits, &all[i]);
	}
}

static void add_views(struct bench *bench)
{
	device = mirror_device();
	forbid_huge_pages();
	memory = memset(map_memory(PAGES * PAGE), 1, PAGES * PAGE);
	seen_often = memset(map_memory(PAGES * PAGE), 1, PAGES * PAGE);
	if (!bench->test_build) {
		add_switches(bench);
		add_protection(bench);
		add_idle_domains(bench);
	} else {
		add_visits(bench);
	}
	add_modes(bench);
}

static const struct target targets[] = {
	{ "forbidding and permitting by a key against by the slot",
	  "[what=forbid, permit, write all, how=rights of a key]",
	  "[what=forbid, permit, write all, how=slot read-only]", 1 },
	{ "coming back to a loaded mirror against loading it anew",
	  "[what=switch and read, how=another mirror, loaded]",
	  "[what=switch and read, how=another mirror, not loaded]", 1 },
	{ 0 }
};

BENCH_QUESTION(q11_views) = {
	.word = "views",
	.name = "Q11 views",
	.asks = "What do changes of view cost?",
	.text = "Changes of view: an engine goes to another domain or mirror and reads a word; "
		"512 mapped pages are write-protected and given back, by a key or by the "
		"slot, then written; 512 pages are discarded that some domains have mapped; "
		"the tag mode changes while eight idle engines have the mirror loaded "
		"(policies other than sync are in test builds).",
	.rows = { "what", "how", "build" },
	.across = "pages",
	.plot = "bars",
	.panels = { "what" },
	.targets = targets,
	.of_test_build = true,
	.add_cases = add_views,
};
