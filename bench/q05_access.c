// SPDX-License-Identifier: GPL-2.0
/* Q5: what does it cost to read memory that is mapped already? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "own_mirror.h"

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
 * @at: offsets in the memory
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

static void measure_reads(void *data, struct bench_sample *sample)
{
	const struct reads *reads = data;
	static char buffer[PAGE];
	uint64_t ns = clock_ns();

	for (int i = 0; i < READS; i++)
		if (read_one(reads->way, reads->at[i], buffer, reads->bytes) !=
		    (ssize_t)reads->bytes)
			die("%s: cannot read: %s", ways[reads->way],
			    strerror(errno));
	sample->value = (double)(clock_ns() - ns) / READS;
}

/* Every page holds its number, in each word. */
static void number_pages(uint64_t *words)
{
	for (uint64_t i = 0; i < MANY_PAGES * PAGE / sizeof(*words); i++)
		words[i] = i * sizeof(*words) / PAGE;
}

static void make_memory(void)
{
	size_t length = MANY_PAGES * PAGE;
	void *file;

	/* Huge pages would make it easier for some ways of reading. */
	forbid_huge_pages();
	memory = map_memory(length);
	tmpfs = memfd_create("access", MFD_CLOEXEC);
	if (tmpfs < 0 || ftruncate(tmpfs, length))
		die("no memory: %s", strerror(errno));
	file = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, tmpfs, 0);
	if (file == MAP_FAILED)
		die("no memory: %s", strerror(errno));
	number_pages((uint64_t *)memory);
	number_pages(file);
	munmap(file, length);
}

/* A fast way that reads the wrong bytes would not count. */
static void check_data(const uint64_t *at)
{
	for (int way = 0; way < WAYS; way++) {
		for (int i = 0; i < READS; i++) {
			uint64_t word = ~0ull;

			if (read_one(way, at[i], (char *)&word, sizeof(word)) !=
			    sizeof(word) || word != at[i] / PAGE)
				die("%s: wrong data in page %lu", ways[way],
				    at[i] / PAGE);
		}
	}
}

/* Random offsets, aligned to the size of a read. */
static uint64_t *make_offsets(uint64_t pages, size_t bytes)
{
	uint64_t *at = bench_alloc(READS * sizeof(*at));
	unsigned int seed = 1;

	for (int i = 0; i < READS; i++) {
		at[i] = rand_r(&seed) % pages * PAGE;
		at[i] += rand_r(&seed) % (PAGE / bytes) * bytes;
	}
	return at;
}

static void add_reads(struct bench *bench, uint64_t pages, size_t bytes)
{
	uint64_t *at = make_offsets(pages, bytes);

	check_data(at);
	for (int way = 0; way < WAYS; way++) {
		struct reads *reads = bench_alloc(sizeof(*reads));

		*reads = (struct reads) { way, bytes, at };
		bench_add(bench, &(struct bench_case) {
			.variant = { { "way", ways[way] },
				     { "bytes", format("%zu", bytes) } },
			.pages = pages,
			.measure = measure_reads,
			.data = reads,
		});
	}
}

static void add_all_reads(struct bench *bench)
{
	int mirror = mirror_create(mirror_device());

	proc_mem = bench_open("/proc/self/mem", "mount /proc");
	make_memory();
	mirror_slot(mirror, 0, 0, memory, MANY_PAGES * PAGE);
	mirror_prefault(mirror, 0, 0, MANY_PAGES * PAGE, 0);
	engine = mirror_engine(mirror, 0);
	add_reads(bench, FEW_PAGES, sizeof(uint64_t));
	add_reads(bench, MANY_PAGES, sizeof(uint64_t));
	add_reads(bench, FEW_PAGES, PAGE);
	add_reads(bench, MANY_PAGES, PAGE);
}

static const struct target targets[] = {
	{ "8 bytes of {pages} pages, engine against process_vm_readv",
	  "[way=engine, bytes=8]", "[way=process_vm_readv, bytes=8]", 0.5 },
	{ "8 bytes of {pages} pages, engine against tmpfs",
	  "[way=engine, bytes=8]", "[way=pread of tmpfs, bytes=8]", 1.3 },
	{ "4 KiB of {pages} pages, engine against process_vm_readv",
	  "[way=engine, bytes=4096]", "[way=process_vm_readv, bytes=4096]", 1 },
	{ 0 }
};

BENCH_QUESTION(q05_access) = {
	.word = "access",
	.name = "Q5 access",
	.asks = "What does it cost to read memory that is mapped already?",
	.text = "Reading memory that is mapped already, at random places: of 128 pages, which "
		"the engine's TLB holds, and of 16,384, for which the engine walks the "
		"mirror's tables. Reading a file in memory is the least that a pread() can "
		"cost.",
	.rows = { "way", "bytes" },
	.across = "pages",
	.plot = "bars",
	.panels = { "bytes", "pages" },
	.each = "pages=128|16384",
	.targets = targets,
	.add_cases = add_all_reads,
};
