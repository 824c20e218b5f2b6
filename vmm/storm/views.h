/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tags, domains and keys in a storm: what the mirror is told of them, and how engines
 * change between transfers what they ask for, and may.
 */
#ifndef VMM_VIEWS_H
#define VMM_VIEWS_H

#include <stdbool.h>
#include "mirror.h"
#include "prng.h"

/* Each arena slot has one of these, and each domain shows some of them. */
#define VIEW_KEYS	4
#define VIEW_DOMAINS	4

/**
 * struct views - what the mirror has of them
 * @tags: addresses carry tags
 * @domains: slots are shown by domains, engines move between those
 * @keys: slots have keys, engines change their rights
 * @key: the keys, by their index
 */
struct views {
	bool tags;
	bool domains;
	bool keys;
	uint32_t key[VIEW_KEYS];
};

/**
 * struct view - how one engine sees the mirror now
 * @views: of the mirror
 * @rights: its register
 */
struct view {
	const struct views *views;
	uint32_t rights;
};

int views_create(struct views *views, const struct mirror *mirror);
int views_add_memory(const struct views *views, const struct mirror *mirror,
		     const struct memory *memory);

int view_create(struct view *view, const struct views *views,
		struct engine *engine, const struct mirror *mirror);
int view_change(struct view *view, struct engine *engine,
		const struct mirror *mirror, struct prng *prng);
bool view_denies(const struct view *view, uint32_t slot, bool write);

#endif /* VMM_VIEWS_H */
