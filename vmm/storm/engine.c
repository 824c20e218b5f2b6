// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "engine.h"
#include "message.h"
#include "own_mirror.h"

#define TAG_BITS	15
#define TAG_SHIFT	(63 - TAG_BITS)

static uint32_t slot_key(const struct features *features, uint32_t slot)
{
	return features->keys ? features->key[slot % FEATURE_KEYS] : 0;
}

/* Two of three domains show a slot. */
static uint32_t slot_domains(const struct features *features, uint32_t slot)
{
	return features->domains ? 0xe & ~(2u << slot % (FEATURE_DOMAINS - 1)) : 0;
}

/**
 * features_show - hand guest memory to the mirror, by domains and under keys
 * @features: with the flags set; the keys are filled in
 * @mirror: the mirror, without engines
 * @memory: guest memory
 *
 * The engines may look at the fixed region, but not change it; it has no key.
 */
void features_show(struct features *features, int mirror, const struct memory *memory)
{
	if (features->tags)
		mirror_need(tag_bits_set(mirror, TAG_BITS), "set tag bits");
	for (uint32_t i = 1; features->domains && i < FEATURE_DOMAINS; i++)
		mirror_need(domain_create(mirror, i), "create a domain");
	for (uint32_t i = 1; features->keys && i < FEATURE_KEYS; i++)
		features->key[i] = (uint32_t)mirror_need(key_alloc(mirror),
							 "allocate a key");
	for (uint32_t i = 0; i < MEMORY_SLOTS; i++) {
		const struct memory_slot *slot = &memory->slots[i];
		bool fixed = i == MEMORY_FIXED_SLOT;

		mirror_need(secmmu_set_slot_in(mirror, i, fixed ? SECMMU_SLOT_READONLY : 0,
					       fixed ? 0 : slot_key(features, i),
					       fixed ? 0 : slot_domains(features, i),
					       slot->gpa, slot->hva, slot->length),
			    "set a mirror slot");
	}
}

/**
 * engine_open - make an engine, or something that behaves like one
 * @engine: filled in
 * @mirror: its mirror, or -1: accesses go through /proc/self/mem then, where the kernel
 *	looks every page up afresh, so it cannot be stale, and unmapped memory is an
 *	error, not a signal
 * @memory: guest memory
 * @features: of the mirror
 */
void engine_open(struct engine *engine, int mirror, const struct memory *memory,
		 const struct features *features)
{
	*engine = (struct engine) {
		.mirror = mirror,
		.memory = memory,
		.features = features,
	};
	if (mirror >= 0)
		engine->fd = mirror_engine(mirror, SECMMU_ENGINE_LEAVE_DOMAIN);
	else
		engine->fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (engine->fd < 0)
		die("cannot open /proc/self/mem: %s", strerror(errno));
}

/* The file offset of a gpa, or -ENXIO. */
static off_t engine_offset(const struct engine *engine, uint64_t gpa,
			   size_t length)
{
	const void *hva;

	if (engine->mirror >= 0)
		return (off_t)(gpa | engine->tag);
	hva = memory_range(engine->memory, gpa, length);
	return hva ? (off_t)(uintptr_t)hva : -ENXIO;
}

/* Unmapped memory by the driver's numbers, whatever was asked for it. */
static ssize_t engine_result(const struct engine *engine, ssize_t ret)
{
	return ret == -EIO && engine->mirror < 0 ? -EFAULT : ret;
}

/**
 * engine_read - read guest memory as the engine sees it
 * @engine: the engine
 * @gpa: guest physical address
 * @buffer: where to put it
 * @length: bytes, in one slot
 *
 * Return: bytes read, perhaps fewer, or a negative errno as in secmmu.h.
 */
ssize_t engine_read(const struct engine *engine, uint64_t gpa, void *buffer,
		    size_t length)
{
	off_t offset = engine_offset(engine, gpa, length);

	return offset < 0 ? offset :
	       engine_result(engine, gpa_read(engine->fd, buffer, length, (__u64)offset));
}

/**
 * engine_write - write guest memory as the engine sees it
 * @engine: the engine
 * @gpa: guest physical address
 * @buffer: what to write
 * @length: bytes, in one slot
 *
 * Return: bytes written, perhaps fewer, or a negative errno as in secmmu.h.
 */
ssize_t engine_write(const struct engine *engine, uint64_t gpa,
		     const void *buffer, size_t length)
{
	off_t offset = engine_offset(engine, gpa, length);

	return offset < 0 ? offset :
	       engine_result(engine, gpa_write(engine->fd, buffer, length, (__u64)offset));
}

static void expect_result(const char *what, ssize_t done, ssize_t expected)
{
	if (done != expected)
		die("%s gives %zd, not %zd", what, done, expected);
}

/**
 * engine_check_slots - does the mirror know what it was told?
 * @engine: an engine of it, after features_show()
 */
void engine_check_slots(const struct engine *engine)
{
	const struct memory_slot *arena = &engine->memory->slots[MEMORY_ARENA_SLOT];
	const void *image = memory_range(engine->memory, GUEST_IMAGE_GPA,
					 GUEST_PAGE_SIZE);
	char page[GUEST_PAGE_SIZE];

	expect_result("reading the guest image",
		      engine_read(engine, GUEST_IMAGE_GPA, page, sizeof(page)), sizeof(page));
	if (!image || memcmp(page, image, sizeof(page)))
		die("the mirror shows another guest image");
	expect_result("writing the read-only slot",
		      engine_write(engine, GUEST_IMAGE_GPA, page, sizeof(page)), -EACCES);
	expect_result("reading between two slots",
		      engine_read(engine, arena->gpa + arena->length, page, sizeof(page)), -ENXIO);
}

static int change_domain(const struct engine *engine, struct prng *prng)
{
	uint32_t domain = prng_below(prng, FEATURE_DOMAINS);

	if (prng_below(prng, 2))
		return domain_enter(engine->fd, domain);
	return engine_detach(engine->fd) ?:
	       engine_attach(engine->fd, engine->mirror, domain);
}

/* Mostly everything is allowed, or the storm proves little. */
static uint32_t draw_rights(const struct features *features, struct prng *prng)
{
	uint32_t rights = 0;

	for (uint32_t i = 1; i < FEATURE_KEYS; i++)
		if (!prng_below(prng, 4))
			rights |= prng_below(prng, 2) ?
				  SECMMU_KEY_NO_WRITE(features->key[i]) :
				  SECMMU_KEY_NO_ACCESS(features->key[i]);
	return rights;
}

/**
 * engine_change - take another tag, another domain, other rights
 * @engine: the engine, not in a transfer
 * @prng: decides
 *
 * Return: 0, or -1 after a message.
 */
int engine_change(struct engine *engine, struct prng *prng)
{
	const struct features *features = engine->features;
	int err = 0;

	if (features->tags)
		engine->tag = (uint64_t)prng_below(prng, 1u << TAG_BITS) << TAG_SHIFT;
	if (features->domains)
		err = change_domain(engine, prng);
	if (err)
		return say("cannot change the domain: %s", strerror(-err));
	if (!features->keys)
		return 0;
	engine->rights = draw_rights(features, prng);
	err = rights_set(engine->fd, engine->rights);
	return err ? say("cannot set rights: %s", strerror(-err)) : 0;
}

/**
 * engine_denies - must a transfer fail?
 * @engine: the engine
 * @slot: where
 * @write: which way
 *
 * Return: true if it must.
 */
bool engine_denies(const struct engine *engine, uint32_t slot, bool write)
{
	uint32_t key = slot_key(engine->features, slot);

	return engine->rights & (SECMMU_KEY_NO_ACCESS(key) |
				 (write ? SECMMU_KEY_NO_WRITE(key) : 0));
}
