// SPDX-License-Identifier: GPL-2.0
/*
 * Q4: how fast does an empty mirror fill with pages that the process has?
 *
 * By prefaulting, which is the fault path and nothing else, and by an engine that
 * reads a word of each page, with and without fault-around. Beside them the kernel's
 * way to look pages up, in batches as large as the driver's; KVM, whose guest reads a
 * word of each page, or which is asked to map them; and the kernel's test of HMM, which
 * also copies what it maps: once more with pages that it has mapped already.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "hmm.h"
#include "kvm.h"
#include "mirror.h"
#include "module/secmmu_bench.h"

#define PAGE		4096ul
#define LARGE		(512 * PAGE)
#define PAGES_MAX	16384ul
#define PAGES_QUICK	4096ul
#define PAGES_TINY	1024ul

/* Pages that the driver asks the kernel for at once. */
#define BATCH		32

/* Where the guest sees the memory; its program is at zero. */
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
 * @memory: what is mapped, all there
 */
struct filling {
	enum way way;
	char *memory;
};

static size_t pages;
static int mirror, around, single, kernel, machine, hmm;
static struct kvm_cpu cpu;

static void gup(const char *memory, bool write)
{
	struct secmmu_bench_gup arg = {
		.address = (uintptr_t)memory,
		.pages = pages,
		.batch = BATCH,
		.write = write,
	};

	if (ioctl(kernel, SECMMU_BENCH_GUP, &arg))
		bench_die("cannot look pages up: %s", strerror(errno));
}

static void read_all(int engine)
{
	uint64_t word;

	for (size_t i = 0; i < pages; i++)
		if (pread(engine, &word, sizeof(word), GPA + i * PAGE) !=
		    sizeof(word))
			bench_die("an engine cannot read: %s", strerror(errno));
}

static void fill(enum way way, const char *memory)
{
	switch (way) {
	case PREFAULT:
	case PREFAULT_WRITE:
		mirror_prefault(mirror, GPA, pages * PAGE,
				way == PREFAULT ? 0 : SECMMU_PREFAULT_WRITE);
		break;
	case AROUND:
	case SINGLE:
		read_all(way == AROUND ? around : single);
		break;
	case GUP:
	case GUP_WRITE:
		gup(memory, way == GUP_WRITE);
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
			bench_die("KVM cannot prefault: %s", strerror(errno));
	}
}

/*
 * Let the guest run, to find that slots have changed: 6.12 tries KVM_PRE_FAULT_MEMORY
 * again for ever before.
 */
static void kvm_settle(void)
{
	kvm_touch(&cpu, 0, 1);
}

/* An open descriptor is a mirror of its own; the listener must go with the case. */
static void empty_hmm(const struct filling *filling)
{
	if (filling->way != HMM_READ && filling->way != HMM_AGAIN)
		return;
	hmm = hmm_open();
	if (filling->way == HMM_AGAIN)
		hmm_read(hmm, filling->memory, pages);
}

static void measure(void *data, struct bench_sample *sample)
{
	const struct filling *filling = data;
	size_t length = pages * PAGE;
	struct secmmu_stats before, after;
	uint64_t ns;

	/* Slots that come and go leave nothing mapped. */
	mirror_slot(mirror, 1, 0, NULL, 0);
	mirror_slot(mirror, 1, GPA, filling->memory, length);
	kvm_slot(machine, 1, GPA, filling->memory, 0);
	kvm_slot(machine, 1, GPA, filling->memory, length);
	kvm_settle();
	empty_hmm(filling);
	mirror_stats(mirror, &before);
	ns = bench_now();
	fill(filling->way, filling->memory);
	ns = bench_now() - ns;
	mirror_stats(mirror, &after);
	if (filling->way == HMM_READ || filling->way == HMM_AGAIN)
		close(hmm);
	if (filling->way < GUP && (before.tables > 1 || after.tables == 1))
		bench_die("%s: the mirror was not empty, or is", ways[filling->way]);
	sample->value = (double)ns / pages;
	sample->counted = filling->way < GUP;
	sample->flushes = after.flushes - before.flushes;
	sample->interrupts = after.interrupts - before.interrupts;
}

/* Memory that is all there, in small or huge pages. */
static char *make_memory(bool huge)
{
	char *area = mmap(NULL, pages * PAGE + LARGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	area += -(uintptr_t)area & (LARGE - 1);
	if (madvise(area, pages * PAGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		bench_die("cannot choose the size of pages: %s", strerror(errno));
	memset(area, 1, pages * PAGE);
	return area;
}

static void add(struct bench *bench, char *memory, const char *size,
		enum way way)
{
	struct filling *filling = calloc(1, sizeof(*filling));
	struct bench_case one = {
		.variant = bench_text("\"way\":\"%s\",\"memory\":\"%s\"",
				      ways[way], size),
		.pages = pages,
		.threads = 1,
		.measure = measure,
		.data = filling,
	};

	if (!filling)
		bench_die("out of memory");
	*filling = (struct filling) { way, memory };
	bench_add(bench, &one);
}

static void open_all(void)
{
	unsigned int max;

	mirror = mirror_create(mirror_device(), SECMMU_FLUSH_RANGE, 0);
	mirror_slot(mirror, 1, GPA, (void *)LARGE, PAGE);
	around = mirror_engine(mirror, SECMMU_ENGINE_FAULT_AROUND);
	single = mirror_engine(mirror, 0);
	kernel = bench_open("/dev/secmmu_bench", "load secmmu_bench.ko");
	machine = kvm_create(&max);
	/* To be deleted by the first measurement. */
	kvm_slot(machine, 1, GPA, (void *)LARGE, PAGE);
	kvm_cpu_create(&cpu, machine);
}

int main(int argc, char **argv)
{
	struct bench bench = {
		.name = "Q4 fill",
		.about = "How fast does an empty mirror fill with pages that the process has?",
		.enough = 11,
	};
	char *small, *large;
	int last;

	bench_init(&bench, argc, argv);
	bench_pin(0);
	pages = bench.grid == BENCH_FULL ? PAGES_MAX :
		bench.grid == BENCH_QUICK ? PAGES_QUICK : PAGES_TINY;
	small = make_memory(false);
	large = make_memory(true);
	open_all();
	/* Only newer kernels have the last way. */
	kvm_settle();
	last = kvm_prefault(&cpu, 0, PAGE) ? KVM_PREFAULT : WAYS;
	for (int way = 0; way < last; way++) {
		if ((way == HMM_READ || way == HMM_AGAIN) && !hmm_there())
			continue;
		add(&bench, small, "4 KiB", way);
		add(&bench, large, "2 MiB", way);
	}
	bench_run(&bench);
	return 0;
}
