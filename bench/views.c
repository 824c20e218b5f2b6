// SPDX-License-Identifier: GPL-2.0
/*
 * Q11: what do changes of view cost?
 *
 * An engine switches between mirrors that it has loaded, or loads one anew, or moves
 * between domains, and reads a word; it changes its rights, where another way to the
 * same end is to write-protect the slot; an event drops pages that several domains have
 * mapped, all idle; the tag mode changes while engines have the mirror loaded.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench.h"
#include "mirror.h"

#include <linux/secmmu_test.h>

#define PAGE		4096ul
#define PAGES		512ul
#define TIMES		256
#define MIRRORS		8u
#define LOADED_ENGINES	8u

/* What the mirrors show; what only the one with domains shows. */
static char *memory, *seen_often;
static int device;

static void read_word(int engine)
{
	uint64_t word;

	if (pread(engine, &word, sizeof(word), 0) != sizeof(word))
		bench_die("cannot read: %s", strerror(errno));
}

/* A mirror of some memory, in which so many domains show everything. */
static int make_mirror(const char *shown, uint32_t domains)
{
	int mirror = mirror_create(device, SECMMU_FLUSH_RANGE, 0);

	for (uint32_t i = 1; i < domains; i++)
		mirror_need(domain_create(mirror, i), "create a domain");
	mirror_need(secmmu_set_slot_in(mirror, 0, 0, 0, (1u << domains) - 1, 0, shown,
				       PAGES * PAGE), "set a slot");
	return mirror;
}

static void count(int mirror, const struct secmmu_stats *before,
		  struct bench_sample *sample)
{
	struct secmmu_stats after;

	mirror_stats(mirror, &after);
	sample->counted = true;
	sample->flushes = after.flushes - before->flushes;
	sample->interrupts = after.interrupts - before->interrupts;
}

/* --- Switches ------------------------------------------------------------------- */

enum change { STAY, DOMAIN, LOADED, ANEW };

/**
 * struct switches - an engine that goes from one address space to another and reads
 * @change: how far it goes
 */
struct switches {
	enum change change;
};

static int engine, mirrors[MIRRORS];
/* Domains are one mirror's: it, and an engine there. */
static int many_domains, domains;

static void switch_to(enum change change, unsigned int turn)
{
	switch (change) {
	case STAY:
		break;
	case DOMAIN:
		mirror_need(domain_enter(domains, turn % 2), "enter a domain");
		break;
	case LOADED:
		mirror_need(engine_attach(engine, mirrors[turn % 2], 0), "attach");
		break;
	case ANEW:
		mirror_need(engine_attach(engine, mirrors[turn % MIRRORS], 0), "attach");
		break;
	}
}

static void measure_switches(void *data, struct bench_sample *sample)
{
	const struct switches *switches = data;
	int reader = switches->change == DOMAIN ? domains : engine;
	uint64_t ns;

	for (unsigned int i = 0; i < MIRRORS; i++) {
		switch_to(switches->change, i);
		read_word(reader);
	}
	ns = bench_now();
	for (unsigned int i = 0; i < TIMES; i++) {
		switch_to(switches->change, i);
		read_word(reader);
	}
	sample->value = (double)(bench_now() - ns) / TIMES;
}

static void add_switches(struct bench *bench)
{
	static struct switches all[] = { { STAY }, { DOMAIN }, { LOADED }, { ANEW } };
	static const char *const names[] = {
		"read only", "another domain", "another mirror, loaded",
		"another mirror, not loaded",
	};

	for (unsigned int i = 0; i < MIRRORS; i++)
		mirrors[i] = make_mirror(memory, 1);
	engine = mirror_engine(mirrors[0], 0);
	many_domains = make_mirror(seen_often, SECMMU_MAX_DOMAINS);
	domains = mirror_engine(many_domains, 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct bench_case one = {
			.variant = bench_text("\"what\":\"switch and read\",\"how\":\"%s\"",
					      names[i]),
			.threads = 1,
			.measure = measure_switches,
			.data = &all[i],
		};

		bench_add(bench, &one);
	}
}

/* --- Write protection --------------------------------------------------------------- */

static int protected_mirror, protected_engine;

static void protect_by_slot(bool protect)
{
	mirror_need(secmmu_set_slot(protected_mirror, 0,
				    protect ? SECMMU_SLOT_READONLY : 0, 0, memory,
				    PAGES * PAGE), "set a slot");
}

static void protect_by_key(bool protect)
{
	mirror_need(rights_set(protected_engine, protect ? SECMMU_KEY_NO_WRITE(0) : 0),
		    "set rights");
}

/* Off and on again, with all pages mapped; and what it takes to use them after that. */
static void measure_protection(void *data, struct bench_sample *sample)
{
	void (*protect)(bool on) = *(void (**)(bool on))data;
	static char page[PAGE];
	struct secmmu_stats before;
	uint64_t ns;

	mirror_prefault(protected_mirror, 0, PAGES * PAGE, SECMMU_PREFAULT_WRITE);
	mirror_stats(protected_mirror, &before);
	ns = bench_now();
	protect(true);
	protect(false);
	for (uint64_t i = 0; i < PAGES; i++)
		if (pwrite(protected_engine, page, 8, i * PAGE) != 8)
			bench_die("cannot write: %s", strerror(errno));
	sample->value = (double)(bench_now() - ns);
	count(protected_mirror, &before, sample);
}

static void add_protection(struct bench *bench)
{
	static void (*ways[])(bool on) = { protect_by_key, protect_by_slot };
	static const char *const names[] = { "rights of a key", "slot read-only" };

	protected_mirror = make_mirror(memory, 1);
	protected_engine = mirror_engine(protected_mirror, 0);
	for (size_t i = 0; i < 2; i++) {
		struct bench_case one = {
			.variant = bench_text("\"what\":\"forbid, permit, write all\",\"how\":\"%s\"",
					      names[i]),
			.pages = PAGES,
			.threads = 1,
			.measure = measure_protection,
			.data = &ways[i],
		};

		bench_add(bench, &one);
	}
}

/* --- Idle domains -------------------------------------------------------------------- */

/* How many domains have everything mapped, domain 0 included. */
struct idle {
	uint32_t domains;
};

static void map_in_all(const struct idle *idle)
{
	for (uint32_t i = 0; i < idle->domains; i++)
		mirror_prefault_in(many_domains, i, 0, PAGES * PAGE,
				   SECMMU_PREFAULT_WRITE);
}

static void measure_event(void *data, struct bench_sample *sample)
{
	const struct idle *idle = data;
	struct secmmu_stats before;
	uint64_t ns;

	map_in_all(idle);
	mirror_stats(many_domains, &before);
	ns = bench_now();
	if (madvise(seen_often, PAGES * PAGE, MADV_DONTNEED))
		bench_die("cannot discard: %s", strerror(errno));
	sample->value = (double)(bench_now() - ns);
	count(many_domains, &before, sample);
}

static void add_idle(struct bench *bench)
{
	static struct idle all[] = {
		{ .domains = 1 }, { .domains = 2 }, { .domains = 4 }, { .domains = 8 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct bench_case one = {
			.variant = bench_text("\"what\":\"discard\",\"how\":\"mapped in %u domains\"",
					      all[i].domains),
			.pages = PAGES,
			.threads = 1,
			.measure = measure_event,
			.data = &all[i],
		};

		bench_add(bench, &one);
	}
}

/* --- Changes of the mode --------------------------------------------------------------- */

/**
 * struct mode - a mirror that engines have loaded, and how they learn of its mode
 * @mirror: the mirror
 * @policy: enum secmmu_test_refresh_policy; a normal build has one
 */
struct mode {
	int mirror;
	uint32_t policy;
};

static void measure_mode(void *data, struct bench_sample *sample)
{
	const struct mode *mode = data;
	struct secmmu_stats before;
	uint64_t ns;

	mirror_stats(mode->mirror, &before);
	ns = bench_now();
	for (unsigned int i = 0; i < TIMES; i++)
		mirror_need(tag_bits_set(mode->mirror, i % 2 ? 15 : 6), "set tag bits");
	sample->value = (double)(bench_now() - ns) / TIMES;
	count(mode->mirror, &before, sample);
}

static const char *const policies[] = { "sync", "compare", "gen-bump" };

#define POLICIES	(sizeof(policies) / sizeof(*policies))

/* Can this build do otherwise than sync? */
static bool choose(int mirror, uint32_t policy)
{
	struct secmmu_test_refresh arg = { .size = sizeof(arg), .policy = policy };

	return policy == SECMMU_REFRESH_SYNC ||
	       !ioctl(mirror, SECMMU_TEST_REFRESH, &arg);
}

/* All policies in a test build, else the one that there is. */
static void add_modes(struct bench *bench)
{
	static struct mode all[POLICIES];

	for (uint32_t i = 0; i < POLICIES; i++) {
		struct bench_case one = {
			.threads = 1,
			.measure = measure_mode,
			.data = &all[i],
		};

		all[i] = (struct mode) { make_mirror(memory, 1), i };
		/* Idle, but loaded; engines for jobs do not freeze the mode. */
		for (unsigned int n = 0; n < LOADED_ENGINES; n++)
			mirror_engine(all[i].mirror, SECMMU_ENGINE_BACKGROUND);
		if (!choose(all[i].mirror, i))
			continue;
		one.variant = bench_text("\"what\":\"change the tag mode\",\"how\":\"%s\"",
					 policies[i]);
		bench_add(bench, &one);
	}
}

/* --- What a policy costs those who change nothing ------------------------------------- */

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
	uint64_t ns = bench_now();

	for (unsigned int i = 0; i < TIMES; i++) {
		mirror_need(engine_attach(visits->engine, visits->mirrors[i % 2], 0), "attach");
		read_word(visits->engine);
	}
	sample->value = (double)(bench_now() - ns) / TIMES;
}

/* All policies; only a test build has them. */
static void add_visits(struct bench *bench)
{
	static struct visits all[POLICIES];

	for (uint32_t i = 0; i < POLICIES; i++) {
		struct bench_case one = {
			.variant = bench_text("\"what\":\"switch and read\",\"how\":\"%s\"",
					      policies[i]),
			.threads = 1,
			.measure = measure_visits,
			.data = &all[i],
		};

		for (unsigned int n = 0; n < 2; n++) {
			all[i].mirrors[n] = make_mirror(memory, 1);
			if (!choose(all[i].mirrors[n], i))
				bench_die("there is no policy %s", policies[i]);
		}
		all[i].engine = mirror_engine(all[i].mirrors[0], 0);
		bench_add(bench, &one);
	}
}

static char *make_memory(void)
{
	char *made = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (made == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	memset(made, 1, PAGES * PAGE);
	return made;
}

int main(int argc, char **argv)
{
	struct bench bench = {
		.name = "Q11 views",
		.about = "What do switches, domains, keys and changes of the tag mode cost?",
	};

	bench_init(&bench, argc, argv);
	bench_pin(0);
	device = mirror_device();
	if (bench.test_build)
		mirror_need_test_build(device);
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		bench_die("huge pages stay on: %s", strerror(errno));
	memory = make_memory();
	seen_often = make_memory();
	if (!bench.test_build) {
		add_switches(&bench);
		add_protection(&bench);
		add_idle(&bench);
	} else {
		add_visits(&bench);
	}
	add_modes(&bench);
	bench_run(&bench);
	return 0;
}
