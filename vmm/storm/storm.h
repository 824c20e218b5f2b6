/* SPDX-License-Identifier: GPL-2.0 */
/* The storm: a guest, engines and discarders at once, under a judge. */
#ifndef VMM_STORM_H
#define VMM_STORM_H

#include <stdbool.h>
#include <stdint.h>
#include "engine.h"
#include "memory.h"
#include "mix.h"

/**
 * struct storm_options - what storm to run
 * @memory: bytes of guest memory
 * @vcpus: virtual CPUs, 1 .. MAX_VCPUS
 * @engines: engines, 1 .. MAX_ENGINES
 * @mirrors: instances of the subject, 1 .. MAX_MIRRORS; engines are dealt to them
 * @discarders: threads that perform operations, 1 .. MAX_DISCARDERS
 * @hot: pages of the window that half of all accesses go to
 * @aim: discarders prefer pages that engines have just used, and engines those that
 *	discarders have; operations come to those that begin
 * @swarm: only some of the operations are performed at a time, at times near the window only
 * @seconds: how long at least
 * @limit: seconds until which it may go on to prove something; @seconds if that is more
 * @stuck_after: seconds without progress, times SECMMU_TEST_SLOW, that mean "stuck"
 * @writes: guest writes that prove something
 * @events: and events
 * @violations: so many end the storm
 * @outside: judge what is seen from outside only: do not have the subject inspect itself
 * @seed: of all random numbers
 * @backing: of guest memory
 * @file: path of the file to be made, instead of a memfd; or NULL
 * @unmirrored: @subject is the control
 * @subject: the secondary MMU under test
 * @refill: the subject brings back by itself what an event of a whole block has dropped, if it
 *	can; as @tags, @domains and @keys, where the subject has them
 * @array: the subject flushes whenever a few entries were dropped, not once an event
 * @tags: engines vary the tags of their addresses
 * @domains: engines move between domains, leave the mirror and come back
 * @keys: memory has keys, and engines change their rights
 * @mix: the operations, not yet prepared
 * @script: file of a script that discarders follow, instead of @mix; or NULL
 * @record: where to write down what they did, as a script; or NULL
 * @list: only print the table of operations
 * @mistake: what the guest does wrong, to see that noticed
 * @json: where to write the numbers, or NULL
 */
struct storm_options {
	uint64_t memory;
	uint32_t vcpus;
	uint32_t engines;
	uint32_t mirrors;
	uint32_t discarders;
	uint32_t hot;
	bool aim;
	bool swarm;
	uint32_t seconds;
	uint32_t limit;
	uint32_t stuck_after;
	uint64_t writes;
	uint64_t events;
	uint64_t violations;
	bool outside;
	uint64_t seed;
	enum memory_backing backing;
	const char *file;
	bool unmirrored;
	const struct subject_ops *subject;
	bool refill;
	bool array;
	bool tags;
	bool domains;
	bool keys;
	struct mix mix;
	const char *script;
	const char *record;
	bool list;
	enum guest_mistake mistake;
	const char *json;
};

int storm_run(const struct storm_options *options);

#endif /* VMM_STORM_H */
