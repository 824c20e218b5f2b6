// SPDX-License-Identifier: GPL-2.0
/*
 * Q6: what does it cost to mirror an address space that has many VMAs?
 *
 * A VMA of anonymous memory has a lock of its own once it was written to, so there are
 * two kinds of address space.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "own_mirror.h"
#include "module/secmmu_bench.h"

#define SETTLE_US	2000

enum call { NOTHING, REGISTER, REGISTER_KERNEL, FIRST, SECOND, CALLS };

static const char *const calls[CALLS] = {
	[NOTHING] = "empty ioctl",
	[REGISTER] = "mmu_notifier_register",
	[REGISTER_KERNEL] = "mmu_notifier_register, in the kernel",
	[FIRST] = "first mirror",
	[SECOND] = "second mirror",
};

/**
 * struct space - an address space with VMAs
 * @vmas: how many
 * @written: each of them was written to
 * @worker: the process
 */
struct space {
	unsigned long vmas;
	bool written;
	struct worker worker;
};

/* Descriptors; a session of secmmu_bench.ko has one registration at a time. */
static int device, kernel;

/* Make VMAs that the kernel cannot merge: a hole follows each. */
static void make_vmas(void *data)
{
	const struct space *space = data;
	size_t length = 2 * space->vmas * PAGE;
	char *at = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("no room for %lu VMAs: %s", space->vmas, strerror(errno));
	munmap(at, length);
	for (unsigned long i = 0; i < space->vmas; i++) {
		char *vma = at + 2 * i * PAGE;

		if (mmap(vma, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != vma)
			die("cannot make VMA %lu of %lu: %s%s", i + 1,
			    space->vmas, strerror(errno),
			    errno == ENOMEM ?
			    "; raise /proc/sys/vm/max_map_count" : "");
		if (space->written)
			*vma = 1;
	}
}

static uint64_t time_mirror(bool second)
{
	int fds[3], n = 0;
	uint64_t ns;

	/*
	 * The first mirror's walk over all VMAs leaves the caches cold, which is not
	 * a cost of the second one: let another mirror warm them.
	 */
	if (second) {
		fds[n++] = mirror_create(device);
		fds[n++] = mirror_create(device);
	}
	ns = clock_ns();
	fds[n++] = mirror_create(device);
	ns = clock_ns() - ns;
	while (n)
		close(fds[--n]);
	return ns;
}

static uint64_t time_register(bool in_kernel)
{
	uint64_t began = clock_ns(), ns;
	__u64 inside;

	if (ioctl(kernel, SECMMU_BENCH_REGISTER, &inside))
		die("cannot register a notifier: %s", strerror(errno));
	ns = in_kernel ? inside : clock_ns() - began;
	if (ioctl(kernel, SECMMU_BENCH_UNREGISTER, &inside))
		die("cannot unregister a notifier: %s", strerror(errno));
	return ns;
}

static uint64_t time_nothing(void)
{
	uint64_t ns = clock_ns();

	if (ioctl(kernel, SECMMU_BENCH_NOTHING))
		die("the empty ioctl fails: %s", strerror(errno));
	return clock_ns() - ns;
}

static void measure_call(void *data, unsigned char call, struct bench_sample *sample)
{
	(void)data;
	/* The kernel frees closed mirrors in the background. */
	usleep(SETTLE_US);
	if (call == NOTHING)
		sample->value = time_nothing();
	else if (call == REGISTER || call == REGISTER_KERNEL)
		sample->value = time_register(call == REGISTER_KERNEL);
	else
		sample->value = time_mirror(call == SECOND);
}

static void add_space(struct bench *bench, unsigned long vmas, bool written)
{
	struct space *space = bench_alloc(sizeof(*space));

	space->vmas = vmas;
	space->written = written;
	worker_start(&space->worker, make_vmas, measure_call, space);
	for (int i = 0; i < CALLS; i++)
		bench_add(bench, &(struct bench_case) {
			.variant = { { "call", calls[i] },
				     { "memory", written ? "written" : "untouched" },
				     { "vmas", format("%lu", vmas) } },
			.worker = &space->worker,
			.what = i,
		});
}

static void add_spaces(struct bench *bench)
{
	static const unsigned long vmas[] = { 10, 100, 1000, 10000, 60000 };
	size_t nr = bench->grid == BENCH_TINY ? 2 : ARRAY_SIZE(vmas);

	device = mirror_device();
	kernel = bench_open("/dev/secmmu_bench", "load secmmu_bench.ko");
	for (size_t i = 0; i < nr; i++) {
		add_space(bench, vmas[i], false);
		add_space(bench, vmas[i], true);
	}
}

static const struct target targets[] = {
	{ "second mirror, {memory}, 60,000 VMAs against 10",
	  "[call=second mirror, vmas=60000]", "[call=second mirror, vmas=10]", 1.25 },
	{ "second mirror against mmu_notifier_register, {memory}, 60,000 VMAs",
	  "[call=second mirror, vmas=60000]", "[call=mmu_notifier_register, vmas=60000]",
	  1.0 / 50 },
	{ 0 }
};

BENCH_QUESTION(q06_join) = {
	.word = "join",
	.name = "Q6 join",
	.asks = "What does it cost to mirror many VMAs?",
	.text = "Creating a mirror in a process with many VMAs. The first mirror registers "
		"with the kernel, which takes every lock of the address space; the second "
		"one joins that registration. A VMA that was written to has a lock of its "
		"own.",
	.rows = { "call", "memory" },
	.across = "vmas",
	.plot = "xy",
	.plotted = "memory=written",
	.each = "memory=untouched|written",
	.targets = targets,
	.add_cases = add_spaces,
};
