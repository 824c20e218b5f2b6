// SPDX-License-Identifier: GPL-2.0
/*
 * Q6: what does it cost to mirror an address space that has many VMAs?
 *
 * The first mirror registers a notifier with the kernel, which takes every lock of
 * the mm; the next ones join what the first has registered. Beside them
 * mmu_notifier_register() itself, as user space sees it and as the kernel does, and
 * an ioctl() that does nothing, which is part of all but the kernel's figure.
 *
 * VMAs of anonymous memory have a lock of their own once they were written to, so
 * there are two kinds of address space.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "mirror.h"
#include "module/secmmu_bench.h"
#include "worker.h"

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
 * struct space - an address space with VMAs, a process of its own
 * @vmas: how many
 * @written: each has been written to
 * @worker: the process
 */
struct space {
	unsigned long vmas;
	bool written;
	struct worker worker;
};

/* The devices; sessions of the latter serve one space at a time. */
static int device, kernel;

/* One call in one space. */
struct point {
	struct space *space;
	enum call call;
};

/* Make VMAs that the kernel cannot merge: a hole follows each. */
static void make_vmas(const struct space *space)
{
	size_t page = sysconf(_SC_PAGESIZE), length = 2 * space->vmas * page;
	char *at = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	if (at == MAP_FAILED)
		bench_die("no room for %lu VMAs: %s", space->vmas,
			  strerror(errno));
	munmap(at, length);
	for (unsigned long i = 0; i < space->vmas; i++) {
		char *vma = at + 2 * i * page;

		if (mmap(vma, page, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != vma)
			bench_die("cannot make VMA %lu of %lu: %s%s", i + 1,
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
	 * After the first one's walk over all VMAs caches are cold, which is not
	 * part of what the second one costs: let another one warm them.
	 */
	if (second) {
		fds[n++] = mirror_create(device, SECMMU_FLUSH_RANGE, 0);
		fds[n++] = mirror_create(device, SECMMU_FLUSH_RANGE, 0);
	}
	ns = bench_now();
	fds[n++] = mirror_create(device, SECMMU_FLUSH_RANGE, 0);
	ns = bench_now() - ns;
	while (n)
		close(fds[--n]);
	return ns;
}

static uint64_t time_register(bool in_kernel)
{
	uint64_t began = bench_now(), ns;
	__u64 inside;

	if (ioctl(kernel, SECMMU_BENCH_REGISTER, &inside))
		bench_die("cannot register a notifier: %s", strerror(errno));
	ns = in_kernel ? inside : bench_now() - began;
	if (ioctl(kernel, SECMMU_BENCH_UNREGISTER, &inside))
		bench_die("cannot unregister a notifier: %s", strerror(errno));
	return ns;
}

static uint64_t time_nothing(void)
{
	uint64_t ns = bench_now();

	if (ioctl(kernel, SECMMU_BENCH_NOTHING))
		bench_die("the empty ioctl fails: %s", strerror(errno));
	return bench_now() - ns;
}

static void prepare(void *data)
{
	make_vmas(data);
}

static void measure_call(void *data, unsigned char call,
			 struct bench_sample *sample)
{
	(void)data;
	/* What others have closed is freed in the background. */
	usleep(SETTLE_US);
	if (call == NOTHING)
		sample->value = time_nothing();
	else if (call == REGISTER || call == REGISTER_KERNEL)
		sample->value = time_register(call == REGISTER_KERNEL);
	else
		sample->value = time_mirror(call == SECOND);
}

static void measure(void *data, struct bench_sample *sample)
{
	const struct point *point = data;

	worker_ask(&point->space->worker, point->call, sample);
}

static void add_space(struct bench *bench, struct space *space,
		      unsigned long vmas, bool written)
{
	struct point *points = calloc(CALLS, sizeof(*points));

	if (!points)
		bench_die("out of memory");
	space->vmas = vmas;
	space->written = written;
	worker_start(&space->worker, prepare, measure_call, space);
	for (int i = 0; i < CALLS; i++) {
		struct bench_case one = {
			.variant = bench_text("\"call\":\"%s\",\"memory\":\"%s\",\"vmas\":%lu",
					      calls[i], written ? "written" :
					      "untouched", vmas),
			.threads = 1,
			.measure = measure,
			.data = &points[i],
		};

		points[i].space = space;
		points[i].call = i;
		bench_add(bench, &one);
	}
}

int main(int argc, char **argv)
{
	static const unsigned long vmas[] = { 10, 100, 1000, 10000, 60000 };
	struct bench bench = {
		.name = "Q6 join",
		.about = "What does it cost to mirror an address space with many VMAs?",
	};
	unsigned int sizes = sizeof(vmas) / sizeof(vmas[0]);
	struct space spaces[2 * sizeof(vmas) / sizeof(vmas[0])] = { 0 };

	bench_init(&bench, argc, argv);
	if (bench.grid == BENCH_TINY)
		sizes = 2;
	bench_pin(0);
	device = mirror_device();
	kernel = bench_open("/dev/secmmu_bench", "load secmmu_bench.ko");
	for (unsigned int i = 0; i < 2 * sizes; i++)
		add_space(&bench, &spaces[i], vmas[i / 2], i % 2);
	bench_run(&bench);
	for (unsigned int i = 0; i < 2 * sizes; i++)
		worker_stop(&spaces[i].worker);
	return 0;
}
