// SPDX-License-Identifier: GPL-2.0
#include <string.h>
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
	int ret = views->tags ? tag_bits_set(mirror->fd, TAG_BITS) : 0;

	if (ret)
		return report_error("cannot set tag bits: %s", strerror(-ret));
	for (uint32_t i = 1; views->domains && i < VIEW_DOMAINS; i++) {
		ret = domain_create(mirror->fd, i);
		if (ret)
			return report_error("cannot create domain %u: %s", i,
					    strerror(-ret));
	}
	for (uint32_t i = 1; views->keys && i < VIEW_KEYS; i++) {
		ret = key_alloc(mirror->fd);
		if (ret < 0)
			return report_error("cannot allocate a key: %s", strerror(-ret));
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
		int err;

		if (i == MEMORY_FIXED_SLOT)
			continue;
		err = secmmu_set_slot_in(mirror->fd, i, 0, slot_key(views, i),
					 slot_domains(views, i), slot->gpa, slot->hva,
					 slot->length);
		if (err)
			return report_error("cannot set mirror slot %u: %s", i,
					    strerror(-err));
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
	uint32_t domain = prng_below(prng, VIEW_DOMAINS);

	if (prng_below(prng, 2))
		return domain_enter(engine->fd, domain);
	return engine_detach(engine->fd) ?:
	       engine_attach(engine->fd, mirror->fd, domain);
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
	int err;

	if (views->tags)
		engine->tag = (uint64_t)prng_below(prng, 1u << TAG_BITS) << TAG_SHIFT;
	err = views->domains ? change_domain(engine, mirror, prng) : 0;
	if (err)
		return report_error("cannot change the domain: %s", strerror(-err));
	if (views->keys) {
		uint32_t rights = 0;

		/* Mostly everything is allowed, or the storm proves little. */
		for (uint32_t i = 1; i < VIEW_KEYS; i++)
			if (!prng_below(prng, 4))
				rights |= prng_below(prng, 2) ?
					SECMMU_KEY_NO_WRITE(views->key[i]) :
					SECMMU_KEY_NO_ACCESS(views->key[i]);
		err = rights_set(engine->fd, rights);
		if (err)
			return report_error("cannot set rights: %s", strerror(-err));
		view->rights = rights;
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
