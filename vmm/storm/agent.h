/* SPDX-License-Identifier: GPL-2.0 */
/* The storm's agents: threads that access pages, each in its own way. */
#ifndef VMM_AGENT_H
#define VMM_AGENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "engine.h"
#include "history.h"
#include "judge.h"
#include "latency.h"
#include "mix.h"
#include "script.h"
#include "vm.h"
#include "weather.h"

/**
 * struct agent - a thread of the storm
 * @judge: shared by all
 * @mix: shared by all
 * @weather: shared by all
 * @history: shared by all
 * @vm: the guest's machine
 * @script: what discarders do; NULL if the mix decides
 * @part: of @script, what this one does
 * @written: what it has done, as such a part; NULL if nobody asks
 * @scratch: 2 MiB of addresses, aligned to a huge page, that nothing else uses; of discarders
 * @stop: finish when this becomes true; written by the storm
 * @thread: the thread
 * @engine: what it accesses pages through; nobody else uses it
 * @seed: the storm's seed
 * @participant: its line in the mailbox; the owner's number if it owns pages
 * @name: for reports
 * @doing: the operation that it performs, for reports; NULL: none
 * @started: @thread exists
 * @latency: of its reads
 * @reads: pages read through @engine; counters are written by @thread, and
 *	read by anyone
 * @inspected: pages read through the process's own mapping
 * @writes: stamps written
 * @faults: accesses that met unmapped memory
 * @operations: operations performed
 * @denied: accesses that a key forbids, and that failed
 * @failed: it cannot go on
 */
struct agent {
	struct judge *judge;
	struct mix *mix;
	struct weather *weather;
	struct history *history;
	const struct vm *vm;
	struct script *script;
	const struct script_part *part;
	struct script_part *written;
	char *scratch;
	const bool *stop;
	pthread_t thread;
	struct engine engine;
	uint64_t seed;
	uint32_t participant;
	char name[32];
	const char *doing;
	bool started;
	struct latency latency;
	uint64_t reads;
	uint64_t inspected;
	uint64_t writes;
	uint64_t faults;
	uint64_t operations;
	uint64_t denied;
	bool failed;
};

/* The bodies of the threads; their argument is the struct agent. */
void *agent_engine(void *agent);	/* reads and writes through its engine */
void *agent_inspector(void *agent);	/* reads the process's own mapping */
void *agent_discarder(void *agent);	/* performs operations: discarder.c */

void agent_start(struct agent *agent, void *(*body)(void *agent));
void agent_join(struct agent *agent);
bool agent_stopping(const struct agent *agent);
void agent_count(uint64_t *counter);
bool agent_read_page(struct agent *agent, uint32_t page);
bool agent_sweep_page(struct agent *agent, uint32_t page);
bool agent_inspect_page(struct agent *agent, uint32_t page);

#endif /* VMM_AGENT_H */
