/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who listens to what happens to a process's memory, and has mapped it: to be used in
 * a worker, so that each has the process for itself. What fails ends the program with
 * a sentence.
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
 * @kind: who
 * @memory: the memory, all there, in small pages; starts at a multiple of 2 MiB
 * @pages: how many
 * @mirror: LISTENER_MIRROR: the mirror
 * @engine: ... and an engine for background jobs
 * @machine: LISTENER_KVM: the machine
 * @cpu: ... and its processor
 * @hmm: LISTENER_HMM: the mirror
 */
struct listener {
	enum listener_kind kind;
	char *memory;
	size_t pages;
	int mirror;
	int engine;
	int machine;
	struct kvm_cpu cpu;
	int hmm;
};

/* Can it be measured here? */
bool listener_there(enum listener_kind kind);
/* Make the memory, and let listener->kind listen to this process. */
void listener_start(struct listener *listener, size_t pages);
/* Let it map some pages; their entries may say that they were used, or not. */
void listener_map(const struct listener *listener, size_t first, size_t pages);
/* Let it use all pages, each once. */
void listener_use(const struct listener *listener);

#endif /* BENCH_LISTENER_H */
