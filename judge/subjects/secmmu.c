// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of this project: a mirror, and an engine for each accessor. Engines can vary the
 * tags of their addresses, their domain, and their rights by keys: Documentation/views.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/secmmu_test.h>
#include "client.h"
#include "inside.h"
#include "prng.h"
#include "subject.h"

/* How the negative control is made of a test build. */
#define MUTANT_FILE	"/sys/module/secmmu/parameters/mutant"
#define MUTANT		"ignore-invalidate"

#define TAG_BITS	15
#define TAG_SHIFT	(63 - TAG_BITS)

/* Each slot that is not read-only has one of these, and each domain shows some of them. */
#define KEYS		4
#define DOMAINS		4

#define SLOTS		8

/* Few: an event drops more, often. */
#define ARRAY_BATCH	4

/**
 * struct secmmu - the instance
 * @mirror: descriptor of the mirror
 * @refilled: the mirror brings back what an event of a whole block has dropped
 * @batch: so many dropped entries make it flush; 0: once an event
 * @tags: addresses carry tags
 * @domains: domains show some slots; engines move between them, leave the mirror and come back
 * @keys: slots have keys; engines change their rights
 * @key: the keys, by their index
 * @slots: where which key is needed; a length of 0: no slot
 */
struct secmmu {
	int mirror;
	bool refilled;
	unsigned int batch;
	bool tags;
	bool domains;
	bool keys;
	uint32_t key[KEYS];
	struct {
		uint64_t gpa;
		uint64_t length;
		uint32_t key;
	} slots[SLOTS];
};

/**
 * struct engine - an accessor
 * @secmmu: its instance
 * @fd: descriptor of the engine
 * @tag: put on every gpa
 * @rights: its register
 */
struct engine {
	const struct secmmu *secmmu;
	int fd;
	uint64_t tag;
	uint32_t rights;
};

static int fail_probe(int error, char *why, size_t size)
{
	if (error == -EACCES || error == -EPERM)
		snprintf(why, size, "no permission to open " SECMMU_DEVICE);
	else if (error == -ENOENT || error == -ENODEV || error == -ENXIO)
		snprintf(why, size, "no " SECMMU_DEVICE ": load the driver: modprobe secmmu, "
			 "or insmod secmmu.ko");
	else
		snprintf(why, size, "cannot open " SECMMU_DEVICE ": %s", strerror(-error));
	return error;
}

static int secmmu_probe(char *why, size_t size)
{
	struct secmmu_info info = { .size = sizeof(info) };
	int device = secmmu_open();
	int ret;

	if (device < 0)
		return fail_probe(device, why, size);
	ret = secmmu_call(device, SECMMU_GET_INFO, &info, sizeof(info));
	close(device);
	if (ret < 0 || info.abi_version != SECMMU_ABI_VERSION) {
		snprintf(why, size, SECMMU_DEVICE " has ABI version %u, not %u",
			 info.abi_version, SECMMU_ABI_VERSION);
		return -EPROTO;
	}
	return 0;
}

static int broken_probe(char *why, size_t size)
{
	int ret = secmmu_probe(why, size);
	int fd;

	if (ret)
		return ret;
	if (!inside_or_told()) {
		snprintf(why, size, "refused outside of the test VM, for it switches on a seeded bug");
		return -EPERM;
	}
	fd = open(MUTANT_FILE, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, MUTANT, strlen(MUTANT)) < 0) {
		snprintf(why, size, "no test build of the driver");
		ret = -ENODEV;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Returns the descriptor of a mirror, or a negative errno. */
static int make_mirror(bool refilled, unsigned int batch)
{
	struct secmmu_create_mirror mirror = {
		.size = sizeof(mirror),
		.flags = refilled ? SECMMU_MIRROR_REFILL : 0,
		.flush_policy = batch ? SECMMU_FLUSH_ARRAY : SECMMU_FLUSH_RANGE,
		.flush_batch = batch,
	};
	int device = secmmu_open();
	int ret;

	if (device < 0)
		return device;
	ret = secmmu_call(device, SECMMU_CREATE_MIRROR, &mirror, sizeof(mirror));
	close(device);
	return ret;
}

static int secmmu_create(void **subject)
{
	struct secmmu *secmmu;
	int mirror = make_mirror(false, 0);

	if (mirror < 0)
		return mirror;
	secmmu = calloc(1, sizeof(*secmmu));
	if (!secmmu) {
		close(mirror);
		return -ENOMEM;
	}
	secmmu->mirror = mirror;
	*subject = secmmu;
	return 0;
}

static void secmmu_destroy(void *subject)
{
	struct secmmu *secmmu = subject;

	close(secmmu->mirror);
	free(secmmu);
}

/* Two of three domains show a slot. */
static uint32_t slot_domains(const struct secmmu *secmmu, unsigned int id)
{
	return secmmu->domains ? 0xe & ~(2u << id % (DOMAINS - 1)) : 0;
}

/* Read-only slots are in all domains, and need no key. */
static int secmmu_slot_set(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			   void *hva, size_t length)
{
	bool readonly = flags & SLOT_READONLY;
	struct secmmu *secmmu = subject;
	uint32_t key = readonly ? 0 : secmmu->key[id % KEYS];
	int ret;

	if (id >= SLOTS)
		return -EINVAL;
	ret = secmmu_set_slot_in(secmmu->mirror, id, (readonly ? SECMMU_SLOT_READONLY : 0) |
				 (flags & SLOT_LOG_DIRTY ? SECMMU_SLOT_LOG_DIRTY : 0), key,
				 readonly ? 0 : slot_domains(secmmu, id), gpa, hva, length);
	if (ret < 0)
		return ret;
	secmmu->slots[id].gpa = gpa;
	secmmu->slots[id].length = length;
	secmmu->slots[id].key = key;
	return 0;
}

static int secmmu_slot_delete(void *subject, unsigned int id)
{
	struct secmmu *secmmu = subject;

	secmmu->slots[id].length = 0;
	return secmmu_delete_slot(secmmu->mirror, id);
}

static int secmmu_accessor_open(void *subject, void **accessor)
{
	struct secmmu *secmmu = subject;
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return -ENOMEM;
	engine->secmmu = secmmu;
	engine->fd = secmmu_create_engine_with(secmmu->mirror, secmmu->domains ?
					       SECMMU_ENGINE_LEAVE_DOMAIN : 0);
	if (engine->fd < 0) {
		int ret = engine->fd;

		free(engine);
		return ret;
	}
	*accessor = engine;
	return 0;
}

static void secmmu_accessor_close(void *accessor)
{
	struct engine *engine = accessor;

	close(engine->fd);
	free(engine);
}

static ssize_t secmmu_read(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	const struct engine *engine = accessor;

	return gpa_read(engine->fd, buffer, length, gpa | engine->tag);
}

static ssize_t secmmu_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	const struct engine *engine = accessor;

	return gpa_write(engine->fd, buffer, length, gpa | engine->tag);
}

/* A call that stops early has got on; it says so, or what keeps it. */
static int prefault_range(void *accessor, uint64_t gpa, size_t length, bool write)
{
	struct secmmu_prefault range = {
		.size = sizeof(range),
		.flags = write ? SECMMU_PREFAULT_WRITE : 0,
		.gpa = gpa,
		.length = length,
	};
	const struct engine *engine = accessor;
	int ret = 0;

	while (range.length && !ret)
		ret = secmmu_call(engine->secmmu->mirror, SECMMU_PREFAULT, &range, sizeof(range));
	return ret;
}

static int get_dirty(void *subject, unsigned int id, uint64_t *bitmap, size_t pages)
{
	const struct secmmu *secmmu = subject;

	return secmmu_dirty_log(secmmu->mirror, id, 0, pages, bitmap);
}

static struct secmmu_stats get_stats(int mirror)
{
	struct secmmu_stats stats = { 0 };

	/* Fails for no live mirror. */
	secmmu_get_stats(mirror, &stats);
	return stats;
}

/* All engines' together: fine for a check, which has one at work. */
static uint64_t count_misses(void *accessor)
{
	const struct engine *engine = accessor;

	return get_stats(engine->secmmu->mirror).faults;
}

static void get_counters(void *subject, struct subject_counters *counters)
{
	const struct secmmu *secmmu = subject;
	struct secmmu_stats stats = get_stats(secmmu->mirror);

	*counters = (struct subject_counters) {
		.events = stats.events,
		.zapped = stats.zapped,
		.flushes = stats.flushes,
		.retries = stats.retries,
		.causes = { "event", "self", "slot", "table" },
		.by_cause = { stats.retries_event, stats.retries_self, stats.retries_slot,
			      stats.retries_table },
		.left = stats.left,
		.refilled = stats.refilled,
	};
}

/* Made anew, which is why these come first: tags, domains and keys are a mirror's. */
static int vary_mirror(struct secmmu *secmmu)
{
	int mirror = make_mirror(secmmu->refilled, secmmu->batch);

	if (mirror < 0)
		return mirror;
	close(secmmu->mirror);
	secmmu->mirror = mirror;
	return 0;
}

static int vary_domains(struct secmmu *secmmu)
{
	int ret = 0;

	for (uint32_t i = 1; i < DOMAINS && ret >= 0; i++)
		ret = domain_create(secmmu->mirror, i);
	secmmu->domains = true;
	return ret < 0 ? ret : 0;
}

static int vary_keys(struct secmmu *secmmu)
{
	for (uint32_t i = 1; i < KEYS; i++) {
		int key = key_alloc(secmmu->mirror);

		if (key < 0)
			return key;
		secmmu->key[i] = (uint32_t)key;
	}
	secmmu->keys = true;
	return 0;
}

static int secmmu_vary(void *subject, const char *what)
{
	struct secmmu *secmmu = subject;

	if (!strcmp(what, "refill")) {
		secmmu->refilled = true;
		return vary_mirror(secmmu);
	}
	if (!strcmp(what, "array")) {
		secmmu->batch = ARRAY_BATCH;
		return vary_mirror(secmmu);
	}
	if (!strcmp(what, "tags")) {
		secmmu->tags = true;
		return tag_bits_set(secmmu->mirror, TAG_BITS);
	}
	if (!strcmp(what, "domains"))
		return vary_domains(secmmu);
	if (!strcmp(what, "keys"))
		return vary_keys(secmmu);
	return -EINVAL;
}

static int change_domain(const struct engine *engine, struct prng *prng)
{
	uint32_t domain = prng_below(prng, DOMAINS);

	if (prng_below(prng, 2))
		return domain_enter(engine->fd, domain);
	return engine_detach(engine->fd) ?:
	       engine_attach(engine->fd, engine->secmmu->mirror, domain);
}

/* Mostly everything is allowed, or a storm proves little. */
static uint32_t draw_rights(const struct secmmu *secmmu, struct prng *prng)
{
	uint32_t rights = 0;

	for (uint32_t i = 1; i < KEYS; i++)
		if (!prng_below(prng, 4))
			rights |= prng_below(prng, 2) ? SECMMU_KEY_NO_WRITE(secmmu->key[i]) :
							SECMMU_KEY_NO_ACCESS(secmmu->key[i]);
	return rights;
}

static int change_engine(void *accessor, uint64_t random)
{
	struct engine *engine = accessor;
	const struct secmmu *secmmu = engine->secmmu;
	struct prng prng;
	int ret = 0;

	prng_init(&prng, random, 0);
	if (secmmu->tags)
		engine->tag = (uint64_t)prng_below(&prng, 1u << TAG_BITS) << TAG_SHIFT;
	if (secmmu->domains)
		ret = change_domain(engine, &prng);
	if (ret || !secmmu->keys)
		return ret;
	engine->rights = draw_rights(secmmu, &prng);
	return rights_set(engine->fd, engine->rights);
}

static bool engine_denies(void *accessor, uint64_t gpa, bool write)
{
	const struct engine *engine = accessor;

	for (unsigned int i = 0; i < SLOTS; i++) {
		uint32_t key = engine->secmmu->slots[i].key;

		if (gpa - engine->secmmu->slots[i].gpa < engine->secmmu->slots[i].length)
			return engine->rights & (SECMMU_KEY_NO_ACCESS(key) |
						 (write ? SECMMU_KEY_NO_WRITE(key) : 0));
	}
	return false;
}

/* A test build says what it thinks of the mirror. */
static int inspect_mirror(void *subject, char *text, size_t size)
{
	struct secmmu_test_oracle result = { .size = sizeof(result) };
	const struct secmmu *secmmu = subject;
	int ret;

	do {
		ret = secmmu_call(secmmu->mirror, SECMMU_TEST_CHECK, &result, sizeof(result));
	} while (ret == -EINTR);
	/* No test build, or not for us to ask. */
	if (ret == -ENOTTY || ret == -EPERM)
		return 0;
	if (ret < 0)
		snprintf(text, size, "cannot compare mirror and memory: %s", strerror(-ret));
	else
		snprintf(text, size, "%llu sptes and %llu TLB entries compared, %llu in motion, "
			 "%s, %s", result.sptes, result.tlb_entries, result.unjudged,
			 result.stale ? "some stale" : "none stale",
			 result.too_wide ? "some permit too much" : "none permits too much");
	return ret < 0 || result.stale || result.too_wide;
}

#define OPERATIONS					\
	.limits = SUBJECT_NO_EACCES,			\
	.high = true,					\
	.ages = true,					\
	.late_writes = true,				\
	.create = secmmu_create,			\
	.destroy = secmmu_destroy,			\
	.slot_set = secmmu_slot_set,			\
	.slot_delete = secmmu_slot_delete,		\
	.accessor_open = secmmu_accessor_open,		\
	.accessor_close = secmmu_accessor_close,	\
	.read = secmmu_read,				\
	.write = secmmu_write,				\
	.prefault = prefault_range,			\
	.dirty = get_dirty,				\
	.misses = count_misses,				\
	.counters = get_counters,			\
	.vary = secmmu_vary,				\
	.change = change_engine,			\
	.denies = engine_denies,			\
	.inspect = inspect_mirror

SUBJECT(secmmu) = {
	.name = "secmmu",
	.summary = "the driver of this project, an engine for each accessor",
	.probe = secmmu_probe,
	OPERATIONS
};

/* The negative control: the bug stays switched on, so this one comes last. */
SUBJECT(secmmu_broken) = {
	.name = "secmmu-broken",
	.summary = "the same with the seeded bug " MUTANT ", to be convicted",
	.probe = broken_probe,
	OPERATIONS
};
