// SPDX-License-Identifier: GPL-2.0
/* Q4: how fast does an empty mirror fill with pages that the process has? */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "hmm.h"
#include "kvm.h"
#include "own_mirror.h"
#include "module/secmmu_bench.h"

/* The driver asks the kernel for this many pages at once. */
#define BATCH		32

/* The guest sees the memory here; its program is at zero. */
#define GPA		LARGE

enum way {
	PREFAULT, PREFAULT_WRITE, AROUND, SINGLE, GUP, GUP_WRITE, HMM_READ,
	HMM_AGAIN, KVM_TOUCH, KVM_PREFAULT, WAYS
};

static const char *const ways[WAYS] = {
	[PREFAULT] = "mirror, prefault",
	[PREFAULT_WRITE] = "mirror, prefault for writing",
	[AROUND] = "engine, fault-around",
	[SINGLE] = "engine",
	[GUP] = "get_user_pages_remote",
	[GUP_WRITE] = "get_user_pages_remote for writing",
	[HMM_READ] = "test_hmm",
	[HMM_AGAIN] = "test_hmm, mapped already",
	[KVM_TOUCH] = "KVM guest",
	[KVM_PREFAULT] = "KVM_PRE_FAULT_MEMORY",
};

/**
 * struct filling - one case
 * @way: how
 * @memory: the memory to map, populated
 */
struct filling {
	enum way way;
	char *memory;
};

static size_t pages;
static int mirror, around, single, kernel, machine, hmm;
static struct kvm_cpu cpu;

static void look_pages_up(const char *memory, bool write)
{
	struct secmmu_bench_gup arg = {
		.address = (uintptr_t)memory,
		.pages = pages,
		.batch = BATCH,
		.write = write,
	};

	if (ioctl(kernel, SECMMU_BENCH_GUP, &arg))
		die("cannot look pages up: %s", strerror(errno));
}

static void read_all_pages(int engine)
{
	for (size_t i = 0; i < pages; i++)
		mirror_read_word(engine, GPA + i * PAGE);
}

static void fill_by(enum way way, const char *memory)
{
	switch (way) {
	case PREFAULT:
	case PREFAULT_WRITE:
		mirror_prefault(mirror, 0, GPA, pages * PAGE,
				way == PREFAULT ? 0 : SECMMU_PREFAULT_WRITE);
		break;
	case AROUND:
	case SINGLE:
		read_all_pages(way == AROUND ? around : single);
		break;
	case GUP:
	case GUP_WRITE:
		look_pages_up(memory, way == GUP_WRITE);
		break;
	case HMM_READ:
	case HMM_AGAIN:
		hmm_read(hmm, memory, pages);
		break;
	case KVM_TOUCH:
		kvm_touch(&cpu, GPA, pages);
		break;
	default:
		if (kvm_prefault(&cpu, GPA, pages * PAGE))
			die("KVM cannot prefault: %s", strerror(errno));
	}
}

/*
 * Let the guest run, so that it finds that slots have changed. Before that, 6.12 retries
 * KVM_PRE_FAULT_MEMORY for ever.
 */
static void settle_kvm(void)
{
	kvm_touch(&cpu, 0, 1);
}

/* Each open descriptor is a mirror, and slows other cases down as long as it is open. */
static void open_empty_hmm(const struct filling *filling)
{
	if (filling->way != HMM_READ && filling->way != HMM_AGAIN)
		return;
	hmm = hmm_open();
	if (filling->way == HMM_AGAIN)
		hmm_read(hmm, filling->memory, pages);
}

static void measure_filling(void *data, struct bench_sample *sample)
{
	const struct filling *filling = data;
	size_t length = pages * PAGE;
	struct secmmu_stats before, after;
	uint64_t ns;

	mirror_renew_slot(mirror, 1, GPA, filling->memory, length);
	kvm_slot(machine, 1, GPA, filling->memory, 0);
	kvm_slot(machine, 1, GPA, filling->memory, length);
	settle_kvm();
	open_empty_hmm(filling);
	mirror_stats(mirror, &before);
	ns = clock_ns();
	fill_by(filling->way, filling->memory);
	ns = clock_ns() - ns;
	bench_count(mirror, &before, &after, sample);
	if (filling->way == HMM_READ || filling->way == HMM_AGAIN)
		close(hmm);
	sample->counted = filling->way < GUP;
	if (sample->counted && (before.tables > 1 || after.tables == 1))
		die("%s: the mirror was not empty, or is", ways[filling->way]);
	sample->value = (double)ns / pages;
}

/* Populated memory, in small or huge pages. */
static char *make_memory(bool huge)
{
	char *memory = map_aligned(pages * PAGE, LARGE);

	if (madvise(memory, pages * PAGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		die("cannot choose the size of pages: %s", strerror(errno));
	memset(memory, 1, pages * PAGE);
	return memory;
}

static void add_filling(struct bench *bench, char *memory, const char *size,
			enum way way)
{
	struct filling *filling = bench_alloc(sizeof(*filling));

	*filling = (struct filling) { way, memory };
	bench_add(bench, &(struct bench_case) {
		.variant = { { "way", ways[way] }, { "memory", size } },
		.pages = pages,
		.measure = measure_filling,
		.data = filling,
	});
}

static void open_all(void)
{
	unsigned int max;

	mirror = mirror_create(mirror_device());
	mirror_slot(mirror, 1, GPA, (void *)LARGE, PAGE);
	around = mirror_engine(mirror, SECMMU_ENGINE_FAULT_AROUND);
	single = mirror_engine(mirror, 0);
	kernel = bench_open("/dev/secmmu_bench", "load secmmu_bench.ko");
	machine = kvm_create(&max);
	/* The first measurement deletes it. */
	kvm_slot(machine, 1, GPA, (void *)LARGE, PAGE);
	kvm_cpu_create(&cpu, machine);
}

static void add_fillings(struct bench *bench)
{
	static const size_t grid_pages[BENCH_GRIDS] = { 16384, 4096, 1024 };
	char *small, *large;
	int last;

	pages = grid_pages[bench->grid];
	small = make_memory(false);
	large = make_memory(true);
	open_all();
	/* Only newer kernels have the last way. */
	settle_kvm();
	last = kvm_prefault(&cpu, 0, PAGE) ? KVM_PREFAULT : WAYS;
	for (int way = 0; way < last; way++) {
		if ((way == HMM_READ || way == HMM_AGAIN) && !hmm_is_there())
			continue;
		add_filling(bench, small, "4 KiB", way);
		add_filling(bench, large, "2 MiB", way);
	}
}

static const struct target targets[] = {
	{ "prefault against get_user_pages_remote, pages of {memory}",
	  "[way=mirror, prefault]", "[way=get_user_pages_remote]", 1.1 },
	{ "the same for writing", "[way=mirror, prefault for writing]",
	  "[way=get_user_pages_remote for writing]", 1.1 },
	{ 0 }
};

BENCH_QUESTION(q04_fill) = {
	.word = "fill",
	.name = "Q4 fill",
	.asks = "How fast does an empty mirror fill with pages?",
	.text = "Filling an empty mirror with pages that the process has, in pages of 4 KiB "
		"or 2 MiB: time for each 4 KiB. The kernel's look-up of pages, in batches of "
		"32, is the least that this can cost. test_hmm copies the pages that it "
		"reads; reading them again shows what that costs.",
	.rows = { "way" },
	.across = "memory",
	.plot = "bars",
	.panels = { "memory" },
	.each = "memory=4 KiB|2 MiB",
	.targets = targets,
	.enough = 11,
	.add_cases = add_fillings,
};
