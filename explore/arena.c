// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "message.h"
#include "scenario.h"

static char *map_pages(void)
{
	char *memory = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED ||
	    mprotect(memory + PAGE, PAGES * PAGE, PROT_READ | PROT_WRITE))
		die("cannot map memory: %s", strerror(errno));
	return memory + PAGE;
}

void arena_open(struct arena *arena)
{
	*arena = (struct arena) {
		.device = mirror_device(),
		.memory = map_pages(),
		.other = map_pages(),
	};
}

/* Nothing is mapped in the mirror, and each page has its number. */
void arena_begin(struct arena *arena)
{
	arena->mirror = mirror_create(arena->device);
	mirror_slot(arena->mirror, 0, GPA, arena->memory, PAGES * PAGE);
	for (unsigned int i = 0; i < ACTORS; i++)
		arena->engines[i] = mirror_engine(arena->mirror, 0);
	for (unsigned int page = 0; page < PAGES; page++) {
		*word_of(arena->memory, page) = page + 1;
		*word_of(arena->other, page) = page + 101;
	}
	memset(arena->seen, 0, sizeof(arena->seen));
	memset(arena->numbers, 0, sizeof(arena->numbers));
}

void arena_end(struct arena *arena)
{
	for (unsigned int i = 0; i < ACTORS; i++)
		close(arena->engines[i]);
	close(arena->mirror);
}

uint64_t *word_of(char *memory, unsigned int page)
{
	return (uint64_t *)(memory + page * PAGE);
}

uint64_t engine_get(int engine, unsigned int page)
{
	uint64_t word;

	if (pread(engine, &word, sizeof(word), GPA + page * PAGE) != sizeof(word))
		die("an engine cannot read page %u: %s", page, strerror(errno));
	return word;
}

void engine_put(int engine, unsigned int page, uint64_t value)
{
	if (pwrite(engine, &value, sizeof(value), GPA + page * PAGE) != sizeof(value))
		die("an engine cannot write page %u: %s", page, strerror(errno));
}

void discard(char *memory, unsigned int page, unsigned int pages)
{
	if (madvise(memory + page * PAGE, pages * PAGE, MADV_DONTNEED))
		die("cannot discard pages: %s", strerror(errno));
}

void remap(char *memory, unsigned int page, unsigned int pages)
{
	if (mmap(memory + page * PAGE, pages * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("cannot map pages anew: %s", strerror(errno));
}

bool all_see(const struct arena *arena, char *memory)
{
	for (unsigned int i = 0; i < ACTORS; i++)
		for (unsigned int page = 0; page < PAGES; page++)
			if (engine_get(arena->engines[i], page) != *word_of(memory, page))
				return false;
	return true;
}
