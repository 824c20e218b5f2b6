/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An operation is something that the kernel can do to memory, or that a program can do to
 * the subject. All of them are rows of the table in operations.c: what an operation does,
 * what a page may contain afterwards, whom it keeps out, and by what a run knows that the
 * kernel has done it.
 */
#ifndef STORM_OPERATION_H
#define STORM_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent.h"
#include "memory.h"
#include "prng.h"

#define HUGE_PAGES	512u
#define SOME_PAGES	64u

/**
 * enum content - what pages may contain after an operation
 * @CONTENT_NONE: the operation is not possible with this backing
 * @CONTENT_KEPT: what they had
 * @CONTENT_LOST: zeroes
 * @CONTENT_UNSURE: zeroes or what they had, until their owners write them again
 */
enum content {
	CONTENT_NONE,
	CONTENT_KEPT,
	CONTENT_LOST,
	CONTENT_UNSURE,
};

/**
 * enum latches - whom an operation keeps out of its pages, besides reads
 * @LATCHES_OPEN: nobody
 * @LATCHES_CLOSE: other operations and new accesses
 * @LATCHES_WAIT: accesses under way too
 */
enum latches {
	LATCHES_OPEN,
	LATCHES_CLOSE,
	LATCHES_WAIT,
};

/**
 * enum extent - which pages an operation takes
 * @EXTENT_SOME: up to %SOME_PAGES that follow each other
 * @EXTENT_ONE: one
 * @EXTENT_HUGE: those of a huge page
 * @EXTENT_SLOT: all of a slot
 * @EXTENT_TAIL: up to as many at the end of the last slot, which is the end of the file
 */
enum extent {
	EXTENT_SOME,
	EXTENT_ONE,
	EXTENT_HUGE,
	EXTENT_SLOT,
	EXTENT_TAIL,
};

/**
 * enum proof - by what a run knows that an operation has reached its path in the kernel
 * @PROOF_OWN: the operation has seen it, and sets scene.reached
 * @PROOF_GONE: a page of the process has gone: /proc/self/pagemap
 * @PROOF_THERE: a page of the process is there that was not
 * @PROOF_COUNTER: a counter of /proc/vmstat has moved meanwhile
 */
enum proof {
	PROOF_OWN,
	PROOF_GONE,
	PROOF_THERE,
	PROOF_COUNTER,
};

struct operation;

/**
 * struct scene - an operation under way
 * @operation: the operation
 * @agent: the discarder that performs it
 * @prng: its random numbers
 * @first: number of the first page
 * @count: how many
 * @gpa: of the first page
 * @hva: of the first page
 * @length: bytes
 * @sample: a page of these, which the discarder has just read unless it @comes
 * @unsure: its words may be zeroes: the kernel may have been giving it up before
 * @reached: %PROOF_OWN: the operation has seen that it reached its path
 * @comes: it has come to the page of another operation that has just begun
 * @around: it is there for another that is about to begin, which shall have those who wait
 * @refused: the kernel has refused it, or it was not even tried
 */
struct scene {
	const struct operation *operation;
	struct agent *agent;
	struct prng *prng;
	uint32_t first;
	uint32_t count;
	uint64_t gpa;
	char *hva;
	size_t length;
	uint32_t sample;
	bool unsure;
	bool reached;
	bool comes;
	bool around;
	bool refused;
};

/**
 * struct operation_rule - what holds with a backing
 * @content: of the pages afterwards
 * @latches: who is kept out meanwhile
 */
struct operation_rule {
	enum content content;
	enum latches latches;
};

/**
 * struct operation - a row of the table
 * @name: one word
 * @summary: what it does
 * @rules: by backing
 * @weight: how often it is chosen if --mix does not say
 * @extent: which pages it takes
 * @keeps_first: the first page of these keeps its content whatever the rule
 * @proof: how a run knows that it was reached
 * @path: the counter; else what @proof means, in words
 * @value: an argument of @act
 * @usable: 0 if it can be done on this machine; else a negative errno, after the reason
 *	was written to @why. May set the machine up. NULL if it can be done everywhere
 * @act: does it, and leaves all pages mapped and writable. 0, or a negative errno if the
 *	kernel has refused; what it was to lose may be lost then, the rest may not. After
 *	scene_fail() what it returns does not matter
 */
struct operation {
	const char *name;
	const char *summary;
	struct operation_rule rules[MEMORY_BACKINGS];
	uint32_t weight;
	enum extent extent;
	bool keeps_first;
	enum proof proof;
	const char *path;
	long value;
	int (*usable)(const struct operation *operation, const struct instance *instance,
		      char *why, size_t size);
	int (*act)(struct scene *scene);
};

extern const struct operation operations[];
extern const size_t nr_operations;

/* What operations may use: scene.c. */
bool scene_cannot(const struct scene *scene, enum subject_limit limit);
void scene_fail(struct scene *scene, const char *what, int error);
void scene_violate(struct scene *scene, uint32_t page, uint32_t fault, int64_t value);
void scene_touch(const struct scene *scene);
int scene_own_page(const struct scene *scene);
void scene_expect_gap(struct scene *scene);
void scene_expect_zeroes(struct scene *scene);
void scene_expect_read_only(struct scene *scene);
bool scene_call(const struct scene *scene);
void scene_linger(struct scene *scene);
int scene_write_page(struct scene *scene);
char *scene_sample(const struct scene *scene);
void scene_copy_sample(const struct scene *scene, uint64_t *copy);
bool scene_await_writer(const struct scene *scene);
void scene_expect_same(struct scene *scene, const uint64_t *copy, uint32_t fault);
void scene_reserve_scratch(struct scene *scene);
uint32_t scene_slot(const struct scene *scene);
void scene_set_slot(struct scene *scene, unsigned int flags);

/* What may come before any of them: operations/track.c. */
void track_empty(void);
void track_hail(const struct scene *scene);

#endif /* STORM_OPERATION_H */
