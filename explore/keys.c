// SPDX-License-Identifier: GPL-2.0
/* Keys, and rights that are taken away. */
#include <errno.h>
#include <stddef.h>

#include "scenario.h"

static void map_all(struct arena *arena)
{
	mirror_prefault(arena->mirror, 0, GPA, PAGES * PAGE, SECMMU_PREFAULT_WRITE);
}

static void deny(struct arena *arena)
{
	mirror_need(rights_set(arena->engines[0], SECMMU_KEY_NO_ACCESS(0)), "deny access");
	/* Whoever begins now is refused. */
	arena->numbers[0] = 1;
}

static void read_until_denied(struct arena *arena)
{
	for (unsigned int i = 0; i < 6; i++) {
		bool denied = arena->numbers[0];
		uint64_t word;
		ssize_t done = gpa_read(arena->engines[0], &word, sizeof(word), GPA);

		if (denied && done != -EACCES)
			arena->numbers[1] = 1;
	}
}

static const char *denied_in_time(struct arena *arena)
{
	return arena->numbers[1] ? "an engine reads what its rights deny" : NULL;
}

SCENARIO(F3_denied) = {
	.name = "F3_denied",
	.about = "an engine reads while its rights are taken away",
	.before = map_all,
	.actors = { read_until_denied, deny },
	.judge = denied_in_time,
};

static void take_key(struct arena *arena, unsigned int actor)
{
	arena->numbers[actor] = key_alloc(arena->mirror);
}

static void take_first(struct arena *arena)
{
	take_key(arena, 0);
}

static void take_second(struct arena *arena)
{
	take_key(arena, 1);
}

static void take_third(struct arena *arena)
{
	take_key(arena, 2);
}

static const char *keys_differ(struct arena *arena)
{
	for (unsigned int i = 0; i < ACTORS; i++)
		if (arena->numbers[i] < 0 ||
		    arena->numbers[i] == arena->numbers[(i + 1) % ACTORS])
			return "a key was handed out twice";
	return NULL;
}

SCENARIO(F1_keys) = {
	.name = "F1_keys",
	.about = "three threads take a key each",
	.actors = { take_first, take_second, take_third },
	.judge = keys_differ,
};
