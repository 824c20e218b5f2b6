// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failnth_calls.h"
#include "secmmu_sys.h"
#include "secmmu_test.h"

#define PAGES	4L
/* Of these pages the processor has touched all but the last. */
#define TOUCHED	3L
#define BASE	0x1a0000000ULL
#define GPA(page)	(BASE + (page) * PAGE)
/* Another slot, which needs tables of its own. */
#define OTHER	0x5a0000000000ULL
/* A slot whose log is large, and allocated in other ways. */
#define MANY_PAGES	(1L << 20)

/* The engine sees what the processor sees. */
static int compare(struct world *w, __u64 gpa, char *mem, long page)
{
	__u64 word = POISON;

	CHECK(!gpa_get(w->engine, gpa + page * PAGE, &word));
	CHECK(word == *word_at(mem, page));
	return 0;
}

static int compare_all(struct world *w)
{
	long i;

	for (i = 0; i < PAGES; i++)
		CHECK(!compare(w, BASE, w->mem, i));
	return 0;
}

static long call_open(struct world *w)
{
	w->made = secmmu_open();
	return w->made < 0 ? w->made : 0;
}

static int check_open(struct world *w, long ret)
{
	if (!ret)
		close(w->made);
	return 0;
}

static long call_info(struct world *w)
{
	struct secmmu_info info = { .size = sizeof(info) };

	return secmmu_call(w->dev, SECMMU_GET_INFO, &info, sizeof(info));
}

/* The process is not mirrored any more. */
static int prepare_alone(struct world *w)
{
	close(w->engine);
	close(w->mirror);
	w->mirror = -1;
	w->engine = -1;
	return 0;
}

static long call_mirror(struct world *w)
{
	w->made = secmmu_create_mirror(w->dev, SECMMU_FLUSH_ARRAY, 8);
	return w->made < 0 ? w->made : 0;
}

static int check_mirror(struct world *w, long ret)
{
	__u64 word = POISON;
	int engine;

	if (ret)
		return 0;
	engine = secmmu_create_engine(w->made);
	CHECK(engine >= 0);
	if (!w->child) {
		CHECK(!secmmu_set_slot(w->made, 0, 0, BASE, w->mem, PAGE));
		CHECK(!gpa_get(engine, BASE, &word));
		CHECK(word == label(0, 1));
	}
	close(engine);
	close(w->made);
	return 0;
}

static int prepare_other(struct world *w)
{
	w->child = child_start(child_sleep, NULL);
	CHECK(w->child > 0);
	return 0;
}

static long call_other(struct world *w)
{
	w->made = secmmu_create_mirror_of(w->dev, w->child);
	return w->made < 0 ? w->made : 0;
}

static long call_engine(struct world *w)
{
	w->made = secmmu_create_engine(w->mirror);
	return w->made < 0 ? w->made : 0;
}

static int check_engine(struct world *w, long ret)
{
	__u64 word = POISON;

	if (ret)
		return 0;
	CHECK(!gpa_get(w->made, BASE, &word));
	CHECK(word == label(0, 1));
	close(w->made);
	return 0;
}

static long call_add(struct world *w)
{
	return secmmu_set_slot(w->mirror, 1, SECMMU_SLOT_LOG_DIRTY, OTHER, w->mem,
			       MANY_PAGES * PAGE);
}

static int check_add(struct world *w, long ret)
{
	__u64 word = POISON;

	CHECK(!compare_all(w));
	CHECK(gpa_get(w->engine, OTHER, &word) == (ret ? -ENXIO : 0));
	CHECK(word == (ret ? POISON : label(0, 1)));
	return 0;
}

static int prepare_mapped(struct world *w)
{
	return compare_all(w);
}

static long call_replace(struct world *w)
{
	return secmmu_set_slot(w->mirror, 0, 0, OTHER, w->mem, PAGE);
}

static int check_replace(struct world *w, long ret)
{
	__u64 word = POISON;

	if (ret)
		return check_add(w, ret);
	CHECK(gpa_get(w->engine, BASE, &word) == -ENXIO);
	CHECK(!compare(w, OTHER, w->mem, 0));
	return 0;
}

static long call_delete(struct world *w)
{
	return secmmu_delete_slot(w->mirror, 0);
}

static int check_delete(struct world *w, long ret)
{
	__u64 word = POISON;

	if (ret)
		return compare_all(w);
	CHECK(gpa_get(w->engine, BASE, &word) == -ENXIO);
	return 0;
}

static long call_read(struct world *w)
{
	memset(w->buf, POISON_BYTE, PAGES * PAGE);
	return gpa_read(w->engine, w->buf, PAGES * PAGE, BASE);
}

static int check_read(struct world *w, long ret)
{
	long i;

	/* Behind what was read anything may be, the old or the new. */
	for (i = 0; i < PAGES; i++)
		if (i * PAGE + 8 <= ret)
			CHECK(*word_at(w->buf, i) == *word_at(w->mem, i));
	if (ret < 0)
		CHECK(*word_at(w->buf, 0) == POISON);
	return 0;
}

static int prepare_write(struct world *w)
{
	pages_label(w->buf, 0, PAGES, 2);
	return 0;
}

static long call_write(struct world *w)
{
	return gpa_write(w->engine, w->buf, PAGES * PAGE, BASE);
}

static int check_write(struct world *w, long ret)
{
	__u64 old, log = 0;
	long i;

	CHECK(!secmmu_dirty_log(w->mirror, 0, 0, PAGES, &log));
	for (i = 0; i < PAGES; i++) {
		old = i < TOUCHED ? label(i, 1) : 0;
		if (i * PAGE + 8 <= ret) {
			CHECK(*word_at(w->mem, i) == label(i, 2));
			CHECK(log & 1ULL << i);
		} else if (i * PAGE >= ret) {
			CHECK(*word_at(w->mem, i) == old);
		}
	}
	return compare_all(w);
}

static long call_prefault(struct world *w)
{
	struct secmmu_prefault range;
	int ret = secmmu_prefault(w->mirror, SECMMU_PREFAULT_WRITE, BASE, PAGES * PAGE, &range);

	return ret ?: (long)(PAGES * PAGE - range.length);
}

static int check_prefault(struct world *w, long ret)
{
	/* Without an error it got somewhere. */
	CHECK(ret);
	return compare_all(w);
}

static int prepare_log(struct world *w)
{
	CHECK(!gpa_put(w->engine, GPA(0), label(0, 2)));
	CHECK(!gpa_put(w->engine, GPA(2), label(2, 2)));
	w->log = 0;
	return 0;
}

static long call_log(struct world *w)
{
	return secmmu_dirty_log(w->mirror, 0, 0, PAGES, &w->log);
}

/* When it is called again nothing has been forgotten. */
static int check_log(struct world *w, long ret)
{
	CHECK(w->log == (ret ? 0 : 5));
	return 0;
}

static long call_stats(struct world *w)
{
	struct secmmu_stats stats;

	return secmmu_get_stats(w->mirror, &stats);
}

/* An event for two pages that the engine has mapped. */
static long call_discard(struct world *w)
{
	return madvise(w->mem, 2 * PAGE, MADV_DONTNEED) ? -errno : 0;
}

static int check_coherent(struct world *w, long ret)
{
	(void)ret;
	return compare_all(w);
}

static int prepare_huge(struct world *w)
{
	w->huge = blocks_map(1, MADV_HUGEPAGE);
	CHECK(w->huge);
	pages_label(w->huge, 0, HUGE_SIZE / PAGE, 3);
	CHECK(huge_kilobytes(w->huge) == HUGE_SIZE >> 10);
	CHECK(!secmmu_set_slot(w->mirror, 1, 0, OTHER, w->huge, HUGE_SIZE));
	return 0;
}

static int compare_huge(struct world *w)
{
	static const long pages[] = { 0, 8, 9, 10, 511 };
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		CHECK(!compare(w, OTHER, w->huge, pages[i]));
	return 0;
}

static long call_huge(struct world *w)
{
	return gpa_read(w->engine, w->buf, PAGE, OTHER);
}

static int check_huge(struct world *w, long ret)
{
	(void)ret;
	return compare_huge(w);
}

/* One huge page, mapped by one entry. */
static int prepare_split(struct world *w)
{
	struct secmmu_stats stats;

	CHECK(!prepare_huge(w));
	CHECK(!compare_huge(w));
	CHECK(!secmmu_get_stats(w->mirror, &stats));
	CHECK(stats.large == 1);
	return 0;
}

/* An event for a part of a huge page. */
static long call_split(struct world *w)
{
	return madvise(w->huge + 9 * PAGE, PAGE, MADV_DONTNEED) ? -errno : 0;
}

static long call_domain(struct world *w)
{
	return domain_create(w->mirror, 1);
}

static int check_domain(struct world *w, long ret)
{
	CHECK(domain_enter(w->engine, 1) == (ret ? -ENXIO : 0));
	CHECK(!domain_enter(w->engine, 0));
	return compare_all(w);
}

static long call_background(struct world *w)
{
	w->made = secmmu_create_engine_with(w->mirror, SECMMU_ENGINE_BACKGROUND);
	return w->made < 0 ? w->made : 0;
}

static int check_background(struct world *w, long ret)
{
	int error;

	if (ret)
		return 0;
	CHECK(!job_start(w->made, 0, BASE, PAGE, w->buf));
	CHECK(job_wait(w->made, &error) == PAGE && !error);
	CHECK(*word_at(w->buf, 0) == label(0, 1));
	close(w->made);
	return 0;
}

static int prepare_start_job(struct world *w)
{
	close(w->engine);
	w->engine = secmmu_create_engine_with(w->mirror, SECMMU_ENGINE_BACKGROUND);
	CHECK(w->engine >= 0);
	return 0;
}

static long call_start_job(struct world *w)
{
	return job_start(w->engine, 0, BASE, PAGE, w->buf);
}

/* One that has not been started has done nothing; what it does itself is its affair. */
static int check_start_job(struct world *w, long ret)
{
	int error;
	long long done = job_wait(w->engine, &error);

	CHECK(!error);
	CHECK(done == (ret ? 0 : PAGE));
	CHECK(*word_at(w->buf, 0) == (ret ? POISON : label(0, 1)));
	return 0;
}

static int prepare_attach(struct world *w)
{
	CHECK(!compare_all(w));
	return engine_detach(w->engine);
}

static long call_attach(struct world *w)
{
	return engine_attach(w->engine, w->mirror, 0);
}

static int check_attach(struct world *w, long ret)
{
	__u64 word = POISON;

	CHECK(gpa_get(w->engine, BASE, &word) == (ret ? -ENXIO : 0));
	return ret ? 0 : compare_all(w);
}

static long call_key(struct world *w)
{
	w->made = key_alloc(w->mirror);
	return w->made < 0 ? w->made : 0;
}

/* None is lost: it is always the first. */
static int check_key(struct world *w, long ret)
{
	CHECK(ret || w->made == 1);
	return 0;
}

static long call_close(struct world *w)
{
	int ret = close(w->engine);

	ret = ret ?: close(w->mirror);
	w->engine = -1;
	w->mirror = -1;
	return ret ? -errno : 0;
}

static int check_close(struct world *w, long ret)
{
	(void)w;
	CHECK(!ret);
	return 0;
}

const struct op ops[NR_OPS] = {
	[OP_open] = { NULL, call_open, check_open, 0, 0, 0, 0 },
	[OP_info] = { NULL, call_info, check_coherent, 0, 0, 3, 0 },
	[OP_first_mirror] = { prepare_alone, call_mirror, check_mirror, 0, 9, 2, 5 },
	[OP_mirror] = { NULL, call_mirror, check_mirror, 0, 8, 2, 4 },
	[OP_mirror_of_another] = { prepare_other, call_other, check_mirror, 0, 9, 2, 5 },
	[OP_engine] = { NULL, call_engine, check_engine, 0, 4, 2, 3 },
	[OP_slot_add] = { NULL, call_add, check_add, 0, 3, 2, 2 },
	[OP_slot_replace] = { prepare_mapped, call_replace, check_replace, 0, 2, 2, 1 },
	[OP_slot_delete] = { prepare_mapped, call_delete, check_delete, 0, 0, 2, 0 },
	[OP_read] = { NULL, call_read, check_read, PAGES, 7, 4, 6 },
	[OP_read_huge] = { prepare_huge, call_huge, check_huge, 1, 7, 1, 6 },
	[OP_write] = { prepare_write, call_write, check_write, PAGES, 7, 4, 6 },
	[OP_prefault] = { NULL, call_prefault, check_prefault, PAGES, 7, 3, 6 },
	[OP_dirty_log] = { prepare_log, call_log, check_log, 0, 1, 3, 1 },
	[OP_stats] = { NULL, call_stats, check_coherent, 0, 0, 3, 0 },
	[OP_discard] = { prepare_mapped, call_discard, check_coherent, 0, 0, 0, 0 },
	[OP_split] = { prepare_split, call_split, check_huge, 0, 0, 0, 0 },
	[OP_domain] = { NULL, call_domain, check_domain, 0, 4, 2, 3 },
	[OP_background] = { NULL, call_background, check_background, 0, 5, 2, 4 },
	[OP_start_job] = { prepare_start_job, call_start_job, check_start_job, 0, 1, 2,
			   1 },
	[OP_attach] = { prepare_attach, call_attach, check_attach, 0, 0, 2, 0 },
	[OP_key] = { NULL, call_key, check_key, 0, 0, 2, 0 },
	[OP_close] = { prepare_mapped, call_close, check_close, 0, 0, 0, 0 },
};

/*
 * Pages with enough addresses behind them for the large slot, which must not reach the end of
 * user space: memory of the process may begin close to that.
 */
static char *map_with_room(void)
{
	char *mem = region_reserve(MANY_PAGES);

	if (mem && region_replace(mem, 0, PAGES, PROT_READ | PROT_WRITE)) {
		region_unmap(mem, MANY_PAGES);
		return NULL;
	}
	return mem;
}

int world_make(struct world *w, const struct op *op)
{
	w->mirror = -1;
	w->engine = -1;
	w->buf = region_map(PAGES);
	CHECK(w->buf);
	memset(w->buf, POISON_BYTE, PAGES * PAGE);
	w->mirror = secmmu_create_mirror(w->dev, SECMMU_FLUSH_RANGE, 0);
	CHECK(w->mirror >= 0);
	w->engine = secmmu_create_engine(w->mirror);
	CHECK(w->engine >= 0);
	w->mem = map_with_room();
	CHECK(w->mem);
	pages_label(w->mem, 0, TOUCHED, 1);
	CHECK(!secmmu_set_slot(w->mirror, 0, SECMMU_SLOT_LOG_DIRTY, BASE, w->mem,
			       PAGES * PAGE));
	return op->prepare ? op->prepare(w) : 0;
}

void world_end(struct world *w)
{
	if (w->engine >= 0)
		close(w->engine);
	if (w->mirror >= 0)
		close(w->mirror);
	if (w->child)
		child_kill(w->child);
	blocks_unmap(w->huge, 1);
	region_unmap(w->mem, MANY_PAGES);
	region_unmap(w->buf, PAGES);
}
