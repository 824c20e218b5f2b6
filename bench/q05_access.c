// SPDX-License-Identifier: GPL-2.0
/*
 * Q5: what does it cost to read memory that is mapped already?
 *
 * 8 bytes, or one page, at random places: through an engine, by process_vm_readv() and
 * /proc/self/mem, which look the page up each time, and from a file in memory, which
 * is what a pread() costs at least. Few pages fit into the engine's TLB, many make it
 * walk the mirror's tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "mirror.h"

#define PAGE		4096ul
#define FEW_PAGES	128ul
#define MANY_PAGES	16384ul
#define READS		1024

enum way { ENGINE, VM_READV, PROC_MEM, TMPFS, WAYS };

static const char *const ways[WAYS] = {
	[ENGINE] = "engine",
	[VM_READV] = "process_vm_readv",
	[PROC_MEM] = "/proc/self/mem",
	[TMPFS] = "pread of tmpfs",
};

/**
 * struct reads - one case
 * @way: how
 * @bytes: of each read
 * @at: where: offsets in the memory
 */
struct reads {
	enum way way;
	size_t bytes;
	const uint64_t *at;
};

static char *memory;
static int engine, proc_mem, tmpfs;

static ssize_t read_one(enum way way, uint64_t at, char *buffer, size_t bytes)
{
	struct iovec local = { .iov_base = buffer, .iov_len = bytes };
	struct iovec remote = { .iov_base = memory + at, .iov_len = bytes };

	switch (way) {
	case ENGINE:
		return pread(engine, buffer, bytes, at);
	case VM_READV:
		return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	case PROC_MEM:
		return pread(proc_mem, buffer, bytes,
			     (uintptr_t)(memory + at));
	default:
		return pread(tmpfs, buffer, bytes, at);
	}
}

static void measure(void *data, struct bench_sample *sample)
{
	const struct reads *reads = data;
	static char buffer[PAGE];
	uint64_t ns = bench_now();

	for (int i = 0; i < READS; i++)
		if (read_one(reads->way, reads->at[i], buffer, reads->bytes) !=
		    (ssize_t)reads->bytes)
			bench_die("%s: cannot read: %s", ways[reads->way],
				  strerror(errno));
	sample->value = (double)(bench_now() - ns) / READS;
}

/* Every page holds its number, in each word. */
static void fill(uint64_t *words)
{
	for (uint64_t i = 0; i < MANY_PAGES * PAGE / sizeof(*words); i++)
		words[i] = i * sizeof(*words) / PAGE;
}

static void make_memory(void)
{
	size_t length = MANY_PAGES * PAGE;
	char *file;

	/* Not where huge pages make it easy for some. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		bench_die("huge pages stay on: %s", strerror(errno));
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		      MAP_ANONYMOUS, -1, 0);
	tmpfs = memfd_create("access", MFD_CLOEXEC);
	if (tmpfs < 0 || ftruncate(tmpfs, length) || memory == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	file = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, tmpfs, 0);
	if (file == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	fill((uint64_t *)memory);
	fill((uint64_t *)file);
	munmap(file, length);
}

/* Who reads fast must read the truth. */
static void check(const uint64_t *at)
{
	for (int way = 0; way < WAYS; way++) {
		for (int i = 0; i < READS; i++) {
			uint64_t word = ~0ull;

			if (read_one(way, at[i], (char *)&word, sizeof(word)) !=
			    sizeof(word) || word != at[i] / PAGE)
				bench_die("%s: wrong data in page %lu", ways[way],
					  at[i] / PAGE);
		}
	}
}

/* Random offsets of so many bytes, aligned to their size. */
static uint64_t *make_offsets(uint64_t pages, size_t bytes)
{
	uint64_t *at = calloc(READS, sizeof(*at));
	unsigned int seed = 1;

	if (!at)
		bench_die("out of memory");
	for (int i = 0; i < READS; i++) {
		at[i] = rand_r(&seed) % pages * PAGE;
		at[i] += rand_r(&seed) % (PAGE / bytes) * bytes;
	}
	return at;
}

static void add(struct bench *bench, uint64_t pages, size_t bytes)
{
	uint64_t *at = make_offsets(pages, bytes);

	check(at);
	for (int way = 0; way < WAYS; way++) {
		struct reads *reads = calloc(1, sizeof(*reads));
		struct bench_case one = {
			.variant = bench_text("\"way\":\"%s\",\"bytes\":%zu",
					      ways[way], bytes),
			.pages = pages,
			.threads = 1,
			.measure = measure,
			.data = reads,
		};

		if (!reads)
			bench_die("out of memory");
		*reads = (struct reads) { way, bytes, at };
		bench_add(bench, &one);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = {
		.name = "Q5 access",
		.about = "What does it cost to read memory that is mapped already?",
	};
	int mirror;

	bench_init(&bench, argc, argv);
	bench_pin(0);
	mirror = mirror_create(mirror_device(), SECMMU_FLUSH_RANGE, 0);
	proc_mem = bench_open("/proc/self/mem", "mount /proc");
	make_memory();
	mirror_slot(mirror, 0, 0, memory, MANY_PAGES * PAGE);
	mirror_prefault(mirror, 0, MANY_PAGES * PAGE, 0);
	engine = mirror_engine(mirror, 0);
	add(&bench, FEW_PAGES, sizeof(uint64_t));
	add(&bench, MANY_PAGES, sizeof(uint64_t));
	add(&bench, FEW_PAGES, PAGE);
	add(&bench, MANY_PAGES, PAGE);
	bench_run(&bench);
	return 0;
}
