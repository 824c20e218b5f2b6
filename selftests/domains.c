// SPDX-License-Identifier: GPL-2.0
/* Domains: what they show, that events reach all of them, and how long they live. */
#include <pthread.h>
#include <signal.h>

#include "secmmu_harness.h"

#define PAGES	16L
#define BASE	0x20000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define IN(domain)	(1U << (domain))
#define THREADS	8

REGION_FIXTURE(domains, PAGES)

/* Slot 0: pages 0 to 7, in domain 0 alone; slot 1: the others, in 1, 2 and 3. */
FIXTURE_SETUP(domains)
{
	long i;

	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	REGION_SETUP(PAGES);
	SET_SLOT(0, 0, GPA(0), 0, 8);
	SET_SLOT_IN(1, 0, 0, IN(1) | IN(2) | IN(3), GPA(8), 8, 8);
	for (i = 1; i <= 3; i++)
		ASSERT_EQ(0, domain_create(self->mirror, i));
}

SECMMU_TEST_F(domains, numbers_out_of_range)
{
	EXPECT_EQ(-EINVAL, domain_create(self->mirror, 0));
	EXPECT_EQ(-EINVAL, domain_create(self->mirror, SECMMU_MAX_DOMAINS));
	EXPECT_EQ(-EINVAL, domain_create(self->mirror, UINT32_MAX));
	EXPECT_EQ(-ENXIO, domain_enter(self->engine, 4));
	EXPECT_EQ(-EINVAL, domain_enter(self->engine, SECMMU_MAX_DOMAINS));
	EXPECT_EQ(-EINVAL, secmmu_set_slot_in(self->mirror, 2, 0, 0, IN(SECMMU_MAX_DOMAINS),
					      GPA(32), self->mem, PAGE));
	EXPECT_EQ(0, domain_create(self->mirror, SECMMU_MAX_DOMAINS - 1));
	EXPECT_EQ(0, domain_enter(self->engine, SECMMU_MAX_DOMAINS - 1));
	EXPECT_EQ(0, domain_enter(self->engine, 0));
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
}

static int create_from_child(void *arg)
{
	CHECK(domain_create(*(int *)arg, 4) == -EPERM);
	CHECK(domain_create(*(int *)arg, 1) == -EPERM);
	return 0;
}

SECMMU_TEST_F(domains, E1_not_the_creator)
{
	EXPECT_EQ(0, child_wait(child_start(create_from_child, &self->mirror)));
	EXPECT_EQ(-ENXIO, domain_enter(self->engine, 4));
}

static void *create_fourth(void *arg)
{
	return (void *)(long)domain_create(*(int *)arg, 4);
}

SECMMU_TEST_F(domains, E2_eight_threads)
{
	struct secmmu_stats a, b;
	pthread_t thread[THREADS];
	void *err;
	int i;

	GET_STATS(a);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, create_fourth, &self->mirror));
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &err));
		EXPECT_EQ(NULL, err);
	}
	GET_STATS(b);
	/* One root. */
	EXPECT_DELTA(1, a, b, tables);
}

/* Engines come and go; what the domain has mapped stays. */
SECMMU_TEST_F(domains, E2_same_domain_again)
{
	struct secmmu_stats a;

	ASSERT_EQ(0, domain_enter(self->engine, 2));
	EXPECT_GPA(label(9, 1), self->engine, GPA(9));
	close(self->engine);
	EXPECT_EQ(0, domain_create(self->mirror, 2));
	self->engine = NEW_ENGINE(self->mirror);
	GET_STATS(a);
	ASSERT_EQ(0, domain_enter(self->engine, 2));
	EXPECT_GPA(label(9, 1), self->engine, GPA(9));
	EXPECT_SINCE(0, a, faults);
}

/* A number belongs to one mirror of the memory, and outlives it, empty. */
SECMMU_TEST_F(domains, E2_handed_on)
{
	int engine, other = NEW_MIRROR();

	EXPECT_EQ(-EBUSY, domain_create(other, 1));
	EXPECT_EQ(-ENXIO, domain_enter(secmmu_create_engine(other), 1));
	ASSERT_EQ(0, domain_enter(self->engine, 1));
	EXPECT_GPA(label(8, 1), self->engine, GPA(8));
	close(self->engine);
	close(self->mirror);
	self->mirror = other;

	ASSERT_EQ(0, domain_create(other, 1));
	ASSERT_EQ(0, secmmu_set_slot_in(other, 0, 0, 0, IN(1), GPA(8), self->mem, PAGE));
	engine = NEW_ENGINE(other);
	self->engine = engine;
	ASSERT_EQ(0, domain_enter(engine, 1));
	EXPECT_GPA(label(0, 1), engine, GPA(8));
	EXPECT_GPA_ERROR(ENXIO, engine, GPA(9));
	EXPECT_PUT(engine, GPA(8), label(0, 2));
	EXPECT_EQ(label(0, 2), *word_at(self->mem, 0));
}

/* Holds a few domains, with engines in them, until it is killed. */
static int live_in_domains(void *arg)
{
	char *mem = region_map(PAGES);
	int dev = *(int *)arg, mirror, engine[3], i;
	__u64 word;

	mirror = secmmu_create_mirror(dev, SECMMU_FLUSH_RANGE, 0);
	CHECK(mirror >= 0 && mem);
	CHECK(!secmmu_set_slot_in(mirror, 0, 0, 0, IN(1) | IN(2), GPA(0), mem, PAGES * PAGE));
	for (i = 0; i < 3; i++) {
		CHECK(!i || !domain_create(mirror, i));
		engine[i] = secmmu_create_engine(mirror);
		CHECK(engine[i] >= 0 && !domain_enter(engine[i], i));
	}
	for (;;)
		for (i = 0; i < 3; i++)
			if (gpa_get(engine[i], GPA(i), &word) ||
			    gpa_put(engine[i], GPA(i), word + 1))
				return 1;
}

/* The last reference to a domain goes where nothing may sleep. */
SECMMU_TEST_F(domains, E3_killed_inside)
{
	int i;

	for (i = 0; i < 10; i++) {
		pid_t pid = ASSERT_NUMBER(child_start(live_in_domains, &self->dev));

		usleep(20000 * secmmu_slow());
		ASSERT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(128 + SIGKILL, child_wait(pid));
	}
	/* The callbacks come after a grace period. */
	usleep(300000);
}

/* Another process holds the mirror when the memory goes. */
SECMMU_TEST_F(domains, E3_mirror_outlives)
{
	pid_t pid = ASSERT_NUMBER(child_start(child_sleep, NULL));
	int mirror = ASSERT_NUMBER(secmmu_create_mirror_of(self->dev, pid));

	EXPECT_EQ(0, domain_create(mirror, 1));
	child_kill(pid);
	EXPECT_EQ(-ESRCH, domain_create(mirror, 2));
	EXPECT_EQ(0, domain_create(mirror, 1));
	close(mirror);
}

/* One page in four page tables: each drops it once, and there is one flush. */
SECMMU_TEST_F(domains, E4_all_roots)
{
	struct secmmu_stats a;
	int i;

	for (i = 0; i <= 3; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_GPA(label(10, 1), self->engine, GPA(10));
		EXPECT_PUT(self->engine, GPA(11), label(11, 2));
	}
	/* None of them is in use. */
	ASSERT_EQ(0, domain_enter(self->engine, 0));
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem + 10 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_SINCE(4, a, zapped);
	EXPECT_SINCE(1, a, zap_events);
	EXPECT_SINCE(1, a, flushes);
	for (i = 0; i <= 3; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_GPA(0, self->engine, GPA(10));
		EXPECT_GPA(label(11, 2), self->engine, GPA(11));
	}
}

/* All tables that hold nothing go back, those of domains too. */
SECMMU_TEST_F(domains, E4_tables_go_back)
{
	int i;

	for (i = 0; i <= 3; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_GPA(label(8, 1), self->engine, GPA(8));
	}
	ASSERT_EQ(0, madvise(self->mem, PAGES * PAGE, MADV_DONTNEED));
	EXPECT_COUNTER(4, tables);
}

SECMMU_TEST_F(domains, E5_miss_fails)
{
	struct secmmu_prefault arg;

	ASSERT_EQ(0, domain_enter(self->engine, 1));
	EXPECT_GPA(label(8, 1), self->engine, GPA(8));
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(7));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(7), 0));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(PAGES));
	/* Still inside. */
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(0));
	EXPECT_GPA(label(8, 1), self->engine, GPA(8));

	arg = (struct secmmu_prefault){ .size = sizeof(arg), .gpa = GPA(0),
					.length = PAGE, .domain = 1 };
	EXPECT_EQ(-EACCES, secmmu_call(self->mirror, SECMMU_PREFAULT, &arg, sizeof(arg)));
	arg.domain = 4;
	EXPECT_EQ(-ENXIO, secmmu_call(self->mirror, SECMMU_PREFAULT, &arg, sizeof(arg)));
	arg.domain = SECMMU_MAX_DOMAINS;
	EXPECT_EQ(-EINVAL, secmmu_call(self->mirror, SECMMU_PREFAULT, &arg, sizeof(arg)));
	arg.domain = 1;
	arg.gpa = GPA(8);
	EXPECT_EQ(0, secmmu_call(self->mirror, SECMMU_PREFAULT, &arg, sizeof(arg)));
}

SECMMU_TEST_F(domains, E5_miss_leaves)
{
	int engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_LEAVE_DOMAIN);
	struct secmmu_stats a;

	ASSERT_EQ(0, domain_enter(engine, 1));
	GET_STATS(a);
	EXPECT_GPA(label(8, 1), engine, GPA(8));
	EXPECT_GPA(label(7, 1), engine, GPA(7));
	EXPECT_GPA(label(6, 1), engine, GPA(6));
	EXPECT_SINCE(1, a, left);
	ASSERT_EQ(0, domain_enter(engine, 2));
	EXPECT_PUT(engine, GPA(7), label(7, 2));
	EXPECT_EQ(label(7, 2), *word_at(self->mem, 7));
	EXPECT_SINCE(2, a, left);
	close(engine);
}

/* A slot that a domain does not show any more is gone there when the call returns. */
SECMMU_TEST_F(domains, A11_slot_hidden)
{
	ASSERT_EQ(0, domain_enter(self->engine, 2));
	EXPECT_GPA(label(12, 1), self->engine, GPA(12));
	SET_SLOT_IN(1, 0, 0, IN(1), GPA(8), 8, 8);
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(12));
	ASSERT_EQ(0, domain_enter(self->engine, 1));
	EXPECT_GPA(label(12, 1), self->engine, GPA(12));
	ASSERT_EQ(0, secmmu_delete_slot(self->mirror, 1));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(12));
}

/* Writes through every domain show in the log. */
SECMMU_TEST_F(domains, C2_dirty_log)
{
	int i;

	SET_SLOT_IN(1, SECMMU_SLOT_LOG_DIRTY, 0, IN(1) | IN(2) | IN(3), GPA(8), 8, 8);
	for (i = 0; i <= 3; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_PUT(self->engine, GPA(8 + i), 1);
	}
	/* One of them has been dropped since. */
	ASSERT_EQ(0, madvise(self->mem + 9 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_DIRTY(0xf, self->mirror, 1, 0, 8);
	EXPECT_DIRTY(0, self->mirror, 1, 0, 8);
	EXPECT_PUT(self->engine, GPA(11), 2);
	EXPECT_DIRTY(0x8, self->mirror, 1, 0, 8);
}

/* All domains that there can be: slot 1 is in each of them. */
#define ALL	SECMMU_MAX_DOMAINS

static void make_all(TEST_ARGS(domains), __u32 flags)
{
	__u32 i;

	for (i = 4; i < ALL; i++) {
		ASSERT_EQ(0, domain_create(self->mirror, i));
	}
	SET_SLOT_IN(1, flags, 0, IN(ALL) - 1, GPA(8), 8, 8);
}

/* Every domain has page 8 + @page mapped. */
static void read_in_all(TEST_ARGS(domains), long page)
{
	__u32 i;

	for (i = 0; i < ALL; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_GPA(label(8 + page, 1), self->engine, GPA(8 + page));
	}
}

/* One flush, and one entry for each; then the tables of all of them are empty. */
SECMMU_TEST_F(domains, E4_every_domain)
{
	struct secmmu_stats a;
	__u32 i;

	make_all(_metadata, self, 0);
	read_in_all(_metadata, self, 2);
	read_in_all(_metadata, self, 3);
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem + 10 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_SINCE(ALL, a, zapped);
	EXPECT_SINCE(1, a, zap_events);
	EXPECT_SINCE(1, a, flushes);
	EXPECT_SINCE(0, a, tables);
	for (i = 0; i < ALL; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_GPA(0, self->engine, GPA(10));
		EXPECT_GPA(label(11, 1), self->engine, GPA(11));
	}
	ASSERT_EQ(0, madvise(self->mem, PAGES * PAGE, MADV_DONTNEED));
	EXPECT_COUNTER(ALL, tables);
}

/* What a mirror leaves to the next one is empty. */
SECMMU_TEST_F(domains, E2_every_domain_handed_on)
{
	int other = NEW_MIRROR();
	__u32 i;

	make_all(_metadata, self, 0);
	read_in_all(_metadata, self, 0);
	for (i = 1; i < ALL; i++)
		EXPECT_EQ(-EBUSY, domain_create(other, i));
	close(self->engine);
	close(self->mirror);
	self->mirror = other;
	self->engine = NEW_ENGINE(other);
	for (i = 1; i < ALL; i++)
		ASSERT_EQ(0, domain_create(other, i));
	EXPECT_COUNTER_OF(ALL, other, tables);
	/* The same place, another page. */
	ASSERT_EQ(0, secmmu_set_slot_in(other, 0, 0, 0, IN(ALL) - 1, GPA(8), self->mem, PAGE));
	for (i = 0; i < ALL; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_GPA(label(0, 1), self->engine, GPA(8));
	}
	EXPECT_COUNTER_OF(ALL, other, faults);
	EXPECT_COUNTER_OF(0, other, zapped);
}

/* A mirror that ends gives up its own domains, and no others. */
SECMMU_TEST_F(domains, E2_others_keep_theirs)
{
	int other = NEW_MIRROR();
	int third = NEW_MIRROR();
	int engine = NEW_ENGINE(other);

	ASSERT_EQ(0, domain_create(other, 6));
	ASSERT_EQ(0, secmmu_set_slot_in(other, 0, 0, 0, IN(6), GPA(0), self->mem, PAGE));
	ASSERT_EQ(0, domain_enter(engine, 6));
	EXPECT_GPA(label(0, 1), engine, GPA(0));
	close(self->engine);
	close(self->mirror);
	self->mirror = third;
	EXPECT_EQ(-EBUSY, domain_create(third, 6));
	EXPECT_EQ(0, domain_create(third, 1));
	EXPECT_GPA(label(0, 1), engine, GPA(0));
	close(engine);
	close(other);
	EXPECT_EQ(0, domain_create(third, 6));
	self->engine = secmmu_create_engine(third);
}

/* The process ends: nothing is left in any domain. */
SECMMU_TEST_F(domains, G1_process_ends)
{
	pid_t pid = ASSERT_NUMBER(child_start(child_sleep, NULL));
	int mirror, engine;
	__u32 i;

	/* It has the memory as it was when it was forked. */
	mirror = ASSERT_NUMBER(secmmu_create_mirror_of(self->dev, pid));
	engine = NEW_ENGINE(mirror);
	ASSERT_EQ(0, secmmu_set_slot_in(mirror, 0, 0, 0, IN(ALL) - 1, GPA(0), self->mem,
					PAGES * PAGE));
	for (i = 0; i < ALL; i++) {
		ASSERT_EQ(0, i ? domain_create(mirror, i) : 0);
		ASSERT_EQ(0, domain_enter(engine, i));
		EXPECT_GPA(label(5, 1), engine, GPA(5));
	}
	EXPECT_COUNTER_OF(0, mirror, zapped);
	child_kill(pid);
	EXPECT_COUNTER_OF(ALL, mirror, zapped);
	EXPECT_COUNTER_OF(ALL, mirror, tables);
	for (i = 0; i < ALL; i++) {
		ASSERT_EQ(0, domain_enter(engine, i));
		EXPECT_GPA_ERROR(ESRCH, engine, GPA(5));
	}
	close(engine);
	close(mirror);
}

/* The process ends: nothing is left in any of its mirrors. */
SECMMU_TEST_F(domains, G1_every_mirror_is_emptied)
{
	pid_t pid = ASSERT_NUMBER(child_start(child_sleep, NULL));
	int mirror[3], engine[3], i;

	for (i = 0; i < 3; i++) {
		mirror[i] = ASSERT_NUMBER(secmmu_create_mirror_of(self->dev, pid));
		engine[i] = NEW_ENGINE(mirror[i]);
		ASSERT_EQ(0, secmmu_set_slot(mirror[i], 0, 0, GPA(0), self->mem, PAGES * PAGE));
		EXPECT_GPA(label(5, 1), engine[i], GPA(5));
	}
	child_kill(pid);
	for (i = 0; i < 3; i++) {
		EXPECT_COUNTER_OF(1, mirror[i], zapped);
		EXPECT_COUNTER_OF(1, mirror[i], tables);
		EXPECT_GPA_ERROR(ESRCH, engine[i], GPA(5));
		close(engine[i]);
		close(mirror[i]);
	}
}

/* Each domain loses the slot when it is hidden there, and the others keep it. */
SECMMU_TEST_F(domains, A11_hidden_one_by_one)
{
	struct secmmu_stats a;
	__u32 hidden, i;

	make_all(_metadata, self, 0);
	for (hidden = 1; hidden < ALL; hidden++) {
		read_in_all(_metadata, self, 0);
		GET_STATS(a);
		SET_SLOT_IN(1, 0, 0, (IN(ALL) - 1) & ~IN(hidden), GPA(8), 8, 8);
		EXPECT_DROPPED(ALL, 1, a);
		for (i = 0; i < ALL; i++) {
			ASSERT_EQ(0, domain_enter(self->engine, i));
			if (i == hidden)
				EXPECT_GPA_ERROR(EACCES, self->engine, GPA(8));
			else
				EXPECT_GPA(label(8, 1), self->engine, GPA(8));
		}
		SET_SLOT_IN(1, 0, 0, IN(ALL) - 1, GPA(8), 8, 8);
	}
}

/* Writes through any domain show in the log: of entries in place and dropped ones. */
SECMMU_TEST_F(domains, C2_log_of_every_domain)
{
	__u32 i, round;

	make_all(_metadata, self, SECMMU_SLOT_LOG_DIRTY);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < ALL; i++) {
			ASSERT_EQ(0, domain_enter(self->engine, i));
			EXPECT_PUT(self->engine, GPA(8 + i), round);
		}
		if (round) {
			ASSERT_EQ(0, madvise(self->mem + 8 * PAGE, 8 * PAGE, MADV_DONTNEED));
		}
		EXPECT_DIRTY(0xff, self->mirror, 1, 0, 8);
		EXPECT_DIRTY(0, self->mirror, 1, 0, 8);
	}
	for (i = 0; i < ALL; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		/* The second time it is in the TLB: the log has seen to that. */
		for (round = 0; round < 2; round++) {
			EXPECT_PUT(self->engine, GPA(8 + i), 9);
			EXPECT_DIRTY(1ULL << i, self->mirror, 1, 0, 8);
		}
	}
}

TEST_HARNESS_MAIN
