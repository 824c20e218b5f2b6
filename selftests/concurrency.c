// SPDX-License-Identifier: GPL-2.0
/*
 * Storms: engines at work while memory is discarded and slots are replaced.
 *
 * Every word of interest is stored twice, the second time inverted, so that a
 * reader recognizes half a store. A stress cannot show that a race is absent;
 * it is there to be surprised by.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "secmmu_gates.h"
#include "secmmu_harness.h"

#define BASE	0x70000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

/* Number of passes: bounded by work, not by time, for slow machines. */
#define DISCARDS	1000
#define PASSES		1000
#define REPLACEMENTS	200

#define WORKERS	4
#define PAGES_EACH	8
#define PAGES	(WORKERS * PAGES_EACH)

/* Around each worker's pages lie some that no thread touches after the setup. */
#define STRIDE	(PAGES_EACH + 1)
#define REGION	(WORKERS * STRIDE + 1)
#define KEEPER(worker)	((worker) * STRIDE)

/* What the main thread and the workers share. */
struct shared {
	char *mem;
	atomic_bool stop;
	atomic_uint ready;
	/* A read that starts now must not find an older round than this. */
	_Atomic __u64 floor[REGION];
	/* Even: side @replaced / 2 % 2 is mapped. Odd: being changed. */
	_Atomic __u64 replaced;
};

struct worker {
	pthread_t thread;
	struct shared *shared;
	int engine;
	int index;
	/* Results. */
	const char *wrong;	/* what was wrong, or NULL */
	long page;
	__u64 found, wanted;
	int error;
	unsigned long checked;	/* reads that could be judged and held data */
};

FIXTURE(concurrency)
{
	int dev, mirror, engine;
	char *mem;
	struct shared *shared;
	struct worker workers[WORKERS];
	int started;
};

FIXTURE_SETUP(concurrency)
{
	int i;

	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->mem = ASSERT_MEMORY(region_map(REGION));
	self->shared = calloc(1, sizeof(*self->shared));
	ASSERT_NE(NULL, self->shared);
	self->shared->mem = self->mem;
	for (i = 0; i < REGION; i++)
		pair_store(self->mem, i, label(i, 0));
	SET_SLOT(0, 0, BASE, 0, REGION);
	for (i = 0; i < WORKERS; i++) {
		self->workers[i].shared = self->shared;
		self->workers[i].index = i;
		self->workers[i].engine = NEW_ENGINE(self->mirror);
	}
}

FIXTURE_TEARDOWN(concurrency)
{
	int i;

	EXPECT_COHERENT_IF_KNOWN(self->mirror);
	for (i = 0; i < WORKERS; i++)
		close(self->workers[i].engine);
	region_unmap(self->mem, REGION);
	SECMMU_TEARDOWN();
}

/* Notes what was wrong, for the main thread to report; ends the worker. */
static void *fail(struct worker *worker, const char *wrong, long page,
		  __u64 found, __u64 wanted, int error)
{
	worker->wrong = wrong;
	worker->page = page;
	worker->found = found;
	worker->wanted = wanted;
	worker->error = error;
	atomic_fetch_add(&worker->shared->ready, 1);
	return NULL;
}

static void start(TEST_ARGS(concurrency), void *(*fn)(void *))
{
	int i;

	for (i = 0; i < WORKERS; i++) {
		ASSERT_EQ(0, pthread_create(&self->workers[i].thread, NULL,
					    fn, &self->workers[i]));
		self->started++;
	}
	/* Those that fail at once count, too. */
	while (atomic_load(&self->shared->ready) < WORKERS)
		sched_yield();
}

static void finish(TEST_ARGS(concurrency))
{
	int i;

	for (i = 0; i < self->started; i++) {
		struct worker *worker = &self->workers[i];

		pthread_join(worker->thread, NULL);
		EXPECT_EQ(NULL, worker->wrong)
			TH_LOG("worker %d: %s, page %ld: found %#llx, wanted %#llx, error %d",
			       i, worker->wrong, worker->page, worker->found, worker->wanted,
			       worker->error);
		/* A storm in which no reader saw anything proves nothing. */
		EXPECT_LT(0, worker->checked) TH_LOG("worker %d", i);
	}
}

/* Unthrottled discards keep everybody else from working. */
static void breathe(void)
{
	const struct timespec pause = { .tv_nsec = 50000 };

	nanosleep(&pause, NULL);
}

/* Reads pages of all rounds; what it finds may be young, but never old. */
static void *read_discarded(void *data)
{
	struct worker *worker = data;
	struct shared *shared = worker->shared;
	__u64 floor, value;
	long page = worker->index;
	bool announced = false;
	int ret;

	while (!atomic_load(&shared->stop)) {
		page = (page + 1) % REGION;
		floor = atomic_load(&shared->floor[page]);
		ret = pair_get(worker->engine, GPA(page), &value);
		if (ret)
			return fail(worker, "read", page, 0, floor, ret);
		if (value && value >> 32 != (__u64)page + 1)
			return fail(worker, "another page", page, value, floor, 0);
		if (value && (__u32)value < floor)
			return fail(worker, "stale", page, value, floor, 0);
		if (!value && page % STRIDE == KEEPER(0))
			return fail(worker, "keeper", page, value, floor, 0);
		if (value)
			worker->checked++;
		if (worker->checked && !announced) {
			announced = true;
			atomic_fetch_add(&shared->ready, 1);
		}
	}
	return NULL;
}

SECMMU_TEST_F_TIMEOUT(concurrency, discard_against_readers, SECMMU_TIMEOUT_LONG)
{
	struct shared *shared = self->shared;
	struct secmmu_stats stats;
	__u64 round;

	start(_metadata, self, read_discarded);
	for (round = 1; round <= DISCARDS; round++) {
		/* Neighbours, far ones, and never a keeper. */
		long page = round * 5 % PAGES;

		page += page / PAGES_EACH + 1;
		if (madvise(self->mem + page * PAGE, PAGE, MADV_DONTNEED))
			break;
		atomic_store(&shared->floor[page], round);
		if (round & 1)
			breathe();
		pair_store(self->mem, page, label(page, round));
	}
	EXPECT_EQ(DISCARDS + 1, round);
	atomic_store(&shared->stop, true);
	finish(_metadata, self);

	GET_STATS(stats);
	EXPECT_LT(0, stats.zap_events);
	EXPECT_EQ(0, stats.unpaired);
}

/*
 * Writes and reads pages of its own, which hold its latest value or, once
 * discarded, zero until the next one; looks at a keeper in between.
 */
static void *use_own_pages(void *data)
{
	struct worker *worker = data;
	struct shared *shared = worker->shared;
	long first = KEEPER(worker->index) + 1;
	__u64 last[PAGES_EACH] = {};
	__u64 value;
	int pass, i, ret;

	atomic_fetch_add(&shared->ready, 1);
	for (i = 0; i < PAGES_EACH; i++)
		last[i] = label(first + i, 0);
	for (pass = 1; pass <= PASSES; pass++) {
		i = pass * 3 % PAGES_EACH;
		ret = pair_get(worker->engine, GPA(first + i), &value);
		if (ret)
			return fail(worker, "read", first + i, 0, last[i], ret);
		if (value && value != last[i])
			return fail(worker, "wrong", first + i, value, last[i], 0);
		/* What has once been discarded does not come back. */
		last[i] = value;
		if (value)
			worker->checked++;

		if (pass % 3) {
			last[i] = label(first + i, pass);
			ret = pair_put(worker->engine, GPA(first + i), last[i]);
			if (ret)
				return fail(worker, "write", first + i, 0, last[i], ret);
		}
		ret = pair_get(worker->engine, GPA(first - 1), &value);
		if (ret || value != label(first - 1, 0))
			return fail(worker, "keeper", first - 1, value,
				    label(first - 1, 0), ret);
	}
	return NULL;
}

/* Discards pages of all workers until told to stop. */
static void *discard(void *data)
{
	struct shared *shared = data;
	unsigned int round = 0;

	while (!atomic_load(&shared->stop)) {
		long page = ++round * 7 % PAGES;

		page += page / PAGES_EACH + 1;
		madvise(shared->mem + page * PAGE, PAGE, MADV_DONTNEED);
		breathe();
	}
	return NULL;
}

SECMMU_TEST_F_TIMEOUT(concurrency, writers_against_discard, SECMMU_TIMEOUT_LONG)
{
	pthread_t discarder;
	int i;

	ASSERT_EQ(0, pthread_create(&discarder, NULL, discard, self->shared));
	start(_metadata, self, use_own_pages);
	finish(_metadata, self);
	atomic_store(&self->shared->stop, true);
	pthread_join(discarder, NULL);

	for (i = 0; i <= WORKERS; i++)
		EXPECT_GPA(label(KEEPER(i), 0), self->engine, GPA(KEEPER(i)));
	EXPECT_COUNTER(0, unpaired);
}

/* The first page of @side, while that one is mapped at SWITCHED. */
#define SWITCHED	GPA(1000)
#define SIDE(side)	((side) ? STRIDE : 0)

static void *read_switched(void *data)
{
	struct worker *worker = data;
	struct shared *shared = worker->shared;
	long page = worker->index;
	bool announced = false;
	__u64 before, after, value, word;
	int ret;

	while (!atomic_load(&shared->stop)) {
		page = (page + 1) % PAGES_EACH;
		before = atomic_load(&shared->replaced);
		ret = pair_get(worker->engine, SWITCHED + page * PAGE, &value);
		after = atomic_load(&shared->replaced);
		if (ret)
			return fail(worker, "read", page, 0, before, ret);
		word = label(SIDE(before / 2 % 2) + page, 0);
		if (before == after && !(before & 1)) {
			if (value != word)
				return fail(worker, "old slot", page, value, word, 0);
			worker->checked++;
		} else if (value != label(SIDE(0) + page, 0) &&
			   value != label(SIDE(1) + page, 0)) {
			return fail(worker, "no slot", page, value, word, 0);
		}
		if (worker->checked && !announced) {
			announced = true;
			atomic_fetch_add(&shared->ready, 1);
		}
	}
	return NULL;
}

/* A slot is replaced under its readers: no gap, and nothing old afterwards. */
SECMMU_TEST_F_TIMEOUT(concurrency, A11_replace_against_readers, SECMMU_TIMEOUT_LONG)
{
	struct shared *shared = self->shared;
	int i, ret = 0;

	SET_SLOT(1, 0, SWITCHED, 0, PAGES_EACH);
	start(_metadata, self, read_switched);
	for (i = 1; i <= REPLACEMENTS && !ret; i++) {
		atomic_fetch_add(&shared->replaced, 1);
		ret = secmmu_set_slot(self->mirror, 1, 0, SWITCHED,
				      self->mem + SIDE(i & 1) * PAGE, PAGES_EACH * PAGE);
		atomic_fetch_add(&shared->replaced, 1);
		breathe();
	}
	EXPECT_EQ(0, ret);
	atomic_store(&shared->stop, true);
	finish(_metadata, self);
}

TEST_HARNESS_MAIN
