/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A listener to what happens to a process's memory, which has mapped that memory. Use it
 * in a worker, so that each listener has a process for itself. What fails ends the
 * program.
 */
#ifndef BENCH_LISTENER_H
#define BENCH_LISTENER_H

#include "bench.h"
#include "kvm.h"

enum listener_kind {
	LISTENER_NONE, LISTENER_MIRROR, LISTENER_KVM, LISTENER_HMM, LISTENERS
};

/* As in the results. */
extern const char *const listener_names[LISTENERS];

/**
 * struct listener - a listener, and the memory it shows
 * @kind: which one
 * @worker: the process
 * @memory: the memory, populated with small pages; starts at a multiple of 2 MiB
 * @pages: its size
 * @refill: LISTENER_MIRROR: it brings back what events of whole blocks drop
 * @mirror: LISTENER_MIRROR: the mirror
 * @engine: LISTENER_MIRROR: an engine for background jobs
 * @machine: LISTENER_KVM: the machine
 * @cpu: LISTENER_KVM: its processor
 * @hmm: LISTENER_HMM: the mirror
 */
struct listener {
	enum listener_kind kind;
	struct worker worker;
	char *memory;
	size_t pages;
	bool refill;
	int mirror;
	int engine;
	int machine;
	struct kvm_cpu cpu;
	int hmm;
};

/* Can it be measured here? */
bool listener_is_there(enum listener_kind kind);
/* Make the memory, and let listener->kind listen to this process. */
void listener_start(struct listener *listener, size_t pages);
/* Let it map some pages; their entries may say that they were used, or not. */
void listener_map(const struct listener *listener, size_t first, size_t pages);
/* Let it use all pages, each once. */
void listener_use(const struct listener *listener);

#endif /* BENCH_LISTENER_H */
