// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "bench.h"
#include "hmm.h"
#include "listener.h"
#include "mirror.h"

#define PAGE		4096ul
#define LARGE		(512 * PAGE)

/* Where guests see the memory; KVM's has its program below. */
#define GPA		LARGE

const char *const listener_names[LISTENERS] = {
	[LISTENER_NONE] = "none",
	[LISTENER_MIRROR] = "mirror",
	[LISTENER_KVM] = "KVM",
	[LISTENER_HMM] = "test_hmm",
};

bool listener_there(enum listener_kind kind)
{
	return kind != LISTENER_HMM || hmm_there();
}

static void start_mirror(struct listener *listener)
{
	listener->mirror = mirror_create(mirror_device(), SECMMU_FLUSH_RANGE, 0);
	mirror_slot(listener->mirror, 0, GPA, listener->memory,
		    listener->pages * PAGE);
	listener->engine = mirror_engine(listener->mirror,
					 SECMMU_ENGINE_BACKGROUND);
}

static void start_kvm(struct listener *listener)
{
	unsigned int max;

	listener->machine = kvm_create(&max);
	kvm_cpu_create(&listener->cpu, listener->machine);
	kvm_slot(listener->machine, 1, GPA, listener->memory,
		 listener->pages * PAGE);
}

void listener_start(struct listener *listener, size_t pages)
{
	size_t length = pages * PAGE;
	char *at;

	/* One event for each page is one with huge pages, too: keep them out. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		bench_die("huge pages stay on: %s", strerror(errno));
	at = mmap(NULL, length + LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		  MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	listener->pages = pages;
	listener->memory = at + (-(uintptr_t)at & (LARGE - 1));
	for (size_t i = 0; i < pages; i++)
		listener->memory[i * PAGE] = 1;
	if (listener->kind == LISTENER_MIRROR)
		start_mirror(listener);
	else if (listener->kind == LISTENER_KVM)
		start_kvm(listener);
	else if (listener->kind == LISTENER_HMM)
		listener->hmm = hmm_open();
}

void listener_map(const struct listener *listener, size_t first, size_t pages)
{
	uint64_t gpa = GPA + first * PAGE;

	if (listener->kind == LISTENER_MIRROR)
		mirror_prefault(listener->mirror, gpa, pages * PAGE,
				SECMMU_PREFAULT_WRITE);
	else if (listener->kind == LISTENER_KVM)
		kvm_touch(&listener->cpu, gpa, pages);
	else if (listener->kind == LISTENER_HMM)
		hmm_read(listener->hmm, listener->memory + first * PAGE, pages);
}

void listener_use(const struct listener *listener)
{
	if (listener->kind == LISTENER_MIRROR)
		mirror_touch(listener->engine, GPA, listener->pages * PAGE);
	else
		listener_map(listener, 0, listener->pages);
}
