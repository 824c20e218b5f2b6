// SPDX-License-Identifier: GPL-2.0
#include "hmm.h"
#include "listener.h"
#include "own_mirror.h"

/* Where guests see the memory; the KVM guest has its program below. */
#define GPA		LARGE

const char *const listener_names[LISTENERS] = {
	[LISTENER_NONE] = "none",
	[LISTENER_MIRROR] = "mirror",
	[LISTENER_KVM] = "KVM",
	[LISTENER_HMM] = "test_hmm",
};

bool listener_is_there(enum listener_kind kind)
{
	return kind != LISTENER_HMM || hmm_is_there();
}

static void start_mirror(struct listener *listener)
{
	listener->mirror = listener->refill ?
		mirror_need(secmmu_create_mirror_refilled(mirror_device()),
			    "create a mirror") :
		mirror_create(mirror_device());
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
	/* An event is to have one page for each entry. */
	forbid_huge_pages();
	listener->pages = pages;
	listener->memory = map_aligned(pages * PAGE, LARGE);
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
		mirror_prefault(listener->mirror, 0, gpa, pages * PAGE,
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
