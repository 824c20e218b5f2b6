// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "report.h"
#include "views.h"

#define TAG_BITS	15
#define TAG_SHIFT	(63 - TAG_BITS)

/**
 * views_create - tell a mirror what there shall be
 * @views: with the flags set
 * @mirror: the mirror, without engines
 *
 * Return: 0, or -1 after a message.
 */
int views_create(struct views *views, const struct mirror *mirror)
{
	struct secmmu_set_tag_bits tags = { .size = sizeof(tags), .tag_bits = TAG_BITS };

	if (views->tags && ioctl(mirror->fd, SECMMU_SET_TAG_BITS, &tags))
		return report_error("cannot set tag bits: %s", strerror(errno));
	for (uint32_t i = 1; views->domains && i < VIEW_DOMAINS; i++) {
		struct secmmu_domain domain = { .size = sizeof(domain), .domain = i };

		if (ioctl(mirror->fd, SECMMU_CREATE_DOMAIN, &domain))
			return report_error("cannot create domain %u: %s", i,
					    strerror(errno));
	}
	for (uint32_t i = 1; views->keys && i < VIEW_KEYS; i++) {
		struct secmmu_key key = { .size = sizeof(key) };

		int ret = ioctl(mirror->fd, SECMMU_KEY_ALLOC, &key);

		if (ret < 0)
			return report_error("cannot allocate a key: %s",
					    strerror(errno));
		views->key[i] = (uint32_t)ret;
	}
	return 0;
}

static uint32_t slot_key(const struct views *views, uint32_t slot)
{
	return views->keys ? views->key[slot % VIEW_KEYS] : 0;
}

/* Two of three domains show a slot. */
static uint32_t slot_domains(const struct views *views, uint32_t slot)
{
	return views->domains ? 0xe & ~(2u << slot % (VIEW_DOMAINS - 1)) : 0;
}

/**
 * views_add_memory - hand all guest memory to the mirror
 * @views: of the mirror
 * @mirror: the mirror
 * @memory: guest memory
 *
 * Return: 0, or -1 after a message.
 */
int views_add_memory(const struct views *views, const struct mirror *mirror,
		     const struct memory *memory)
{
	if (mirror_add_memory(mirror, memory))
		return -1;
	/* The fixed region stays as it is: nothing is asked of it. */
	for (uint32_t i = 0; i < MEMORY_SLOTS; i++) {
		const struct memory_slot *slot = &memory->slots[i];
		struct secmmu_set_slot set = {
			.size = sizeof(set),
			.slot = i,
			.key = (uint16_t)slot_key(views, i),
			.domains = (uint16_t)slot_domains(views, i),
			.gpa = slot->gpa,
			.hva = (uintptr_t)slot->hva,
			.length = slot->length,
		};

		if (i != MEMORY_FIXED_SLOT && ioctl(mirror->fd, SECMMU_SET_SLOT, &set))
			return report_error("cannot set mirror slot %u: %s", i,
					    strerror(errno));
	}
	return 0;
}

/**
 * view_create - make an engine that takes part
 * @view: filled in
 * @views: of the mirror
 * @engine: filled in
 * @mirror: the mirror
 *
 * Return: 0, or -1 after a message.
 */
int view_create(struct view *view, const struct views *views,
		struct engine *engine, const struct mirror *mirror)
{
	*view = (struct view) { .views = views };
	return engine_create(engine, mirror, SECMMU_ENGINE_LEAVE_DOMAIN);
}

static int change_domain(const struct engine *engine, const struct mirror *mirror,
			 struct prng *prng)
{
	struct secmmu_domain enter = { .size = sizeof(enter) };
	struct secmmu_attach attach = { .size = sizeof(attach), .mirror = mirror->fd };
	struct secmmu_detach detach = { .size = sizeof(detach) };

	enter.domain = prng_below(prng, VIEW_DOMAINS);
	attach.domain = enter.domain;
	if (prng_below(prng, 2))
		return ioctl(engine->fd, SECMMU_ENTER_DOMAIN, &enter);
	if (ioctl(engine->fd, SECMMU_DETACH, &detach))
		return -1;
	return ioctl(engine->fd, SECMMU_ATTACH, &attach);
}

/**
 * view_change - another tag, another domain, other rights
 * @view: the engine's
 * @engine: the engine, not in a transfer
 * @mirror: its mirror
 * @prng: decides
 *
 * Return: 0, or -1 after a message.
 */
int view_change(struct view *view, struct engine *engine,
		const struct mirror *mirror, struct prng *prng)
{
	const struct views *views = view->views;

	if (views->tags)
		engine->tag = (uint64_t)prng_below(prng, 1u << TAG_BITS) << TAG_SHIFT;
	if (views->domains && change_domain(engine, mirror, prng))
		return report_error("cannot change the domain: %s", strerror(errno));
	if (views->keys) {
		struct secmmu_rights rights = { .size = sizeof(rights) };

		/* Mostly everything is allowed, or the storm proves little. */
		for (uint32_t i = 1; i < VIEW_KEYS; i++)
			if (!prng_below(prng, 4))
				rights.rights |= prng_below(prng, 2) ?
					SECMMU_KEY_NO_WRITE(views->key[i]) :
					SECMMU_KEY_NO_ACCESS(views->key[i]);
		if (ioctl(engine->fd, SECMMU_SET_RIGHTS, &rights))
			return report_error("cannot set rights: %s", strerror(errno));
		view->rights = rights.rights;
	}
	return 0;
}

/**
 * view_denies - must a transfer fail?
 * @view: the engine's
 * @slot: where
 * @write: which way
 *
 * Return: true if it must.
 */
bool view_denies(const struct view *view, uint32_t slot, bool write)
{
	uint32_t key = slot_key(view->views, slot);

	return view->rights & (SECMMU_KEY_NO_ACCESS(key) |
			       (write ? SECMMU_KEY_NO_WRITE(key) : 0));
}
